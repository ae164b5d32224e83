//! Shredding: an effect may have what a scope's events say made unreadable.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use wasmtime::component::{HasData, Linker};

use crate::bindings::crypto_wit as wit;
use crate::capabilities::clock::Present;
use crate::engine::guest::GuestState;
use crate::keys::Shredding;
use crate::modules::component::{LoadedModule, Services};
use crate::report::chain;
use crate::shredding::{ShredError, Shredder};

/// What the host keeps for one instance that may shred.
#[derive(Debug)]
pub(crate) struct CryptoContext {
    shredder: Shredder,
    present: Present,
    /// The effect, as the record names it.
    requester: String,
    /// The event that is being handled.
    event_id: Option<Uuid>,
}

impl CryptoContext {
    pub(crate) fn new(services: &Services, module: &LoadedModule) -> Self {
        Self {
            shredder: services.shredder.clone(),
            present: services.present.clone(),
            requester: format!("{} {} {}", module.kind(), module.name(), module.version()),
            event_id: None,
        }
    }

    /// What is shredded from now on is asked for by this event.
    pub(crate) fn begin_event(&mut self, id: Uuid) {
        self.event_id = Some(id);
    }
}

pub(crate) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<GuestState, Crypto>(linker, view)
}

fn view(state: &mut GuestState) -> CryptoView<'_> {
    CryptoView {
        context: state.crypto.as_ref(),
    }
}

struct Crypto;

impl HasData for Crypto {
    type Data<'a> = CryptoView<'a>;
}

/// What a host function of this capability works on.
pub(crate) struct CryptoView<'a> {
    context: Option<&'a CryptoContext>,
}

impl wit::Host for CryptoView<'_> {
    fn shred(
        &mut self,
        scope: String,
        reason: String,
    ) -> wasmtime::Result<Result<wit::Shredded, wit::Error>> {
        let context = self
            .context
            .ok_or_else(|| wasmtime::format_err!("this instance may not shred"))?;
        let shredding = Shredding {
            reason: Some(reason).filter(|reason| !reason.is_empty()),
            requested_by: Some(context.requester.clone()),
            event_id: context.event_id,
            // Who asks to be forgotten may have left nothing, and the event would come for ever.
            allow_unknown: true,
            ..Shredding::of(scope)
        };
        Ok(match context.shredder.shred(&shredding) {
            Ok(entry) => Ok(wit::Shredded {
                keys: entry.keys,
                at: seen(&context.present, entry.at).timestamp_micros(),
            }),
            Err(error @ (ShredError::InvalidScope(_) | ShredError::TooLong { .. })) => {
                Err(wit::Error::Invalid(chain(&error)))
            }
            Err(error) => Err(wit::Error::Unavailable(chain(&error))),
        })
    }
}

/// When the guest sees it happen: in a rehearsal, at its time.
fn seen(present: &Present, at: DateTime<Utc>) -> DateTime<Utc> {
    match present {
        Present::Call(_) => at,
        Present::At(time) => *time,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::wit::Host;
    use super::*;
    use crate::capabilities::output::Outputs;
    use crate::keys::{AuditEntry, KeyAction, KeyRing, MasterKey, PayloadBinding};
    use crate::limits;
    use crate::snapshots::Snapshots;

    struct Fixture {
        keys: Arc<KeyRing>,
        context: CryptoContext,
    }

    fn fixture() -> Fixture {
        let master = MasterKey::from_hex(&"ab".repeat(32)).expect("a key");
        let keys = KeyRing::open(std::path::Path::new(":memory:"), &master).expect("a ring");
        let keys = Arc::new(keys);
        let context = CryptoContext {
            shredder: Shredder::new(Arc::clone(&keys), Outputs::default(), Snapshots::none()),
            present: Present::default(),
            requester: "effect eraser 1.0.0".to_owned(),
            event_id: None,
        };
        Fixture { keys, context }
    }

    impl Fixture {
        fn shred(&self, scope: &str, reason: &str) -> Result<wit::Shredded, wit::Error> {
            let context = Some(&self.context);
            CryptoView { context }
                .shred(scope.to_owned(), reason.to_owned())
                .expect("no trap")
        }

        fn encrypt(&self, scope: &str) -> Uuid {
            let binding = PayloadBinding {
                event_id: Uuid::nil(),
                event_type: "a",
                scope,
                tags: &[],
            };
            self.keys.encrypt(&binding, b"secret").expect("encrypted").0
        }

        fn record(&self) -> Vec<AuditEntry> {
            self.keys.audit(0, 99).expect("the record")
        }
    }

    #[test]
    fn an_effect_shreds_in_the_name_of_its_event() {
        let mut this = fixture();
        let key = this.encrypt("shop_id:7");
        let event_id = Uuid::from_u128(7);
        this.context.begin_event(event_id);
        let shredded = this.shred("shop_id:7", "request 4711").expect("shredded");
        assert_eq!(shredded.keys, 1);
        assert!(!this.keys.is_readable(key, "shop_id:7").expect("an answer"));
        assert!(!this.keys.has_traces(KeyAction::Shred).expect("an answer"));
        let [entry] = &this.record()[..] else {
            panic!("one entry")
        };
        assert_eq!(entry.at.timestamp_micros(), shredded.at);
        assert_eq!(entry.requested_by.as_deref(), Some("effect eraser 1.0.0"));
        assert_eq!(entry.reason.as_deref(), Some("request 4711"));
        assert_eq!(entry.event_id, Some(event_id));

        let again = this.encrypt("shop_id:7");
        let repeated = this.shred("shop_id:7", "request 4711").expect("no error");
        assert_eq!((repeated.keys, repeated.at), (1, shredded.at));
        assert!(
            this.keys
                .is_readable(again, "shop_id:7")
                .expect("an answer")
        );
    }

    #[test]
    fn a_scope_without_keys_is_no_error() {
        let this = fixture();
        assert_eq!(this.shred("shop_id:8", "").expect("shredded").keys, 0);
        assert_eq!(this.record()[0].reason, None);
    }

    #[test]
    fn what_is_no_scope_is_refused() {
        let this = fixture();
        for scope in ["", "shop", ":7", "umari.type:a", "shop_id:\n"] {
            let refused = this.shred(scope, "");
            assert!(matches!(refused, Err(wit::Error::Invalid(_))), "{scope}");
        }
        let reason = |bytes| this.shred("shop_id:8", &"x".repeat(bytes));
        reason(limits::SHREDDING_REASON_BYTES).expect("at the limit");
        let past = reason(limits::SHREDDING_REASON_BYTES + 1);
        assert!(matches!(past, Err(wit::Error::Invalid(_))));
        assert_eq!(this.record().len(), 1);
    }

    #[test]
    fn without_a_context_it_is_a_trap() {
        let mut view = CryptoView { context: None };
        view.shred("shop_id:7".to_owned(), String::new())
            .unwrap_err();
    }

    #[test]
    fn a_rehearsal_shows_its_own_time() {
        let mut this = fixture();
        this.context.present = Present::At(DateTime::UNIX_EPOCH);
        assert_eq!(this.shred("shop_id:7", "").expect("shredded").at, 0);
    }
}
