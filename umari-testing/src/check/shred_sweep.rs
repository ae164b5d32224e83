//! Check 7, which a scenario asks for: what holds while data is there holds once it is shredded.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;
use umari::host::RawEvent;

use super::PLAINTEXT;
use crate::given::{Given, short};
use crate::panics;
use crate::report::{Report, Shown, Verdict, demand, leaves};
use crate::state::{self, Reader};
use crate::world::World;

/// Shorter texts are words of everybody, such as a currency.
const SECRET_CHARS_MIN: usize = 4;

/// What a module has to do without.
pub(crate) const FIX: &str = "an event whose data key is deleted comes to nobody: do without it, as if it had never been \
                              written";

/// A history in which one scope has been shredded.
pub(crate) struct Shredded {
    pub(crate) scope: String,
    pub(crate) world: World,
    /// What the shredded events said, and where.
    secrets: Vec<Secret>,
}

struct Secret {
    event_type: String,
    field: String,
    text: String,
}

/// The history of `world` with each of its scopes shredded. Values in `known` are no secrets.
pub(crate) fn each_scope(world: &World, known: &Value) -> Verdict<Vec<Shredded>> {
    let scopes = world.log.scopes();
    let mut all = Vec::new();
    for scope in scopes {
        let mut shredded = world.clone();
        if shredded.log.shred(scope) == 0 {
            continue;
        }
        shredded.story.line("shredded", scope);
        all.push(Shredded {
            scope: scope.to_owned(),
            secrets: secrets(world, scope, known),
            world: shredded,
        });
    }
    if all.is_empty() {
        return Err(Box::new(
            Report::new("no given event is encrypted, so there is nothing to shred")
                .scenario(&world.story)
                .fix(
                    "give an event with data to protect: its domain id `#[crypto_scope]` names the data key",
                ),
        ));
    }
    Ok(all)
}

/// What the events of `scope` say that is neither a domain id nor said of others.
fn secrets(world: &World, scope: &str, known: &Value) -> Vec<Secret> {
    let mut open: BTreeSet<String> = texts(known).map(|(_, text)| text).collect();
    for event in world.log.events() {
        open.extend(
            event
                .tags
                .iter()
                .filter_map(|tag| Some(tag.split_once(':')?.1.to_owned())),
        );
        let of_others = !event.tags.iter().any(|tag| tag == scope);
        if of_others {
            open.extend(texts(&Shown::from(event).payload).map(|(_, text)| text));
        }
    }
    let events = world.log.events();
    events
        .filter(|event| event.encryption_scope.as_deref() == Some(scope))
        .flat_map(|event| {
            let shown = Shown::from(event);
            texts(&shown.payload)
                .map(|(field, text)| Secret {
                    event_type: event.event_type.clone(),
                    field,
                    text,
                })
                .collect::<Vec<_>>()
        })
        .filter(|secret| !open.contains(&secret.text))
        .collect()
}

fn texts(value: &Value) -> impl Iterator<Item = (String, String)> {
    leaves(value)
        .into_iter()
        .filter_map(|(field, value)| match value {
            Value::String(text) if text.chars().count() >= SECRET_CHARS_MIN => Some((field, text)),
            _ => None,
        })
}

impl Shredded {
    /// No event that is about the scope repeats in the clear what is shredded.
    pub(crate) fn check_events<'a>(&self, events: impl Iterator<Item = &'a RawEvent>) -> Verdict {
        for event in events {
            let Some(payload) = &event.payload else {
                continue;
            };
            if event.tags.contains(&self.scope) {
                self.check_text(&format!("`{}`", Shown::from(event).label()), payload)?;
            }
        }
        Ok(())
    }

    /// Nothing of what is shredded is in `text`, which belongs to `place`.
    pub(crate) fn check_text(&self, place: &str, text: &str) -> Verdict {
        if !self.world.waivers.runs(PLAINTEXT) {
            return Ok(());
        }
        let Some(secret) = self
            .secrets
            .iter()
            .find(|secret| text.contains(&secret.text))
        else {
            return Ok(());
        };
        let Secret {
            event_type, field, ..
        } = secret;
        Err(Box::new(
            Report::new(format!(
                "{place} still says what `{field}` of `{event_type}` said, once `{}` is shredded",
                self.scope
            ))
            .scenario(&self.world.story)
            .cause(format!(
                "the value of `{field}` was written a second time, in an event that is not encrypted under \
                 `{}`",
                self.scope
            ))
            .fix(format!(
                "encrypt that event too, with `#[crypto_scope]` on the same domain id, or leave the \
                 value out of it; or, where it may stay, `.without(check::{PLAINTEXT}, \"why\")`"
            )),
        ))
    }

    /// What goes wrong once the scope is shredded, and did not before.
    pub(crate) fn fault(&self, name: &str, verb: &str, cause: &str, fix: &str) -> Box<Report> {
        Box::new(
            Report::new(format!("`{name}` {verb} once `{}` is shredded", self.scope))
                .scenario(&self.world.story)
                .cause(cause)
                .fix(fix),
        )
    }
}

impl Given {
    /// The fold can do without the events of each encryption scope of this history: it neither fails
    /// nor panics when they are shredded, and no event repeats in the clear what they said.
    ///
    /// # Panics
    ///
    /// Panics where it cannot, and where no given event is encrypted.
    ///
    /// # Examples
    ///
    /// ```
    /// use umari::prelude::*;
    /// use umari_testing::prelude::*;
    ///
    /// #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// #[event_type("user.registered")]
    /// struct UserRegistered {
    ///     #[domain_id]
    ///     #[crypto_scope]
    ///     user_id: u64,
    ///     email: String,
    /// }
    ///
    /// given(events![UserRegistered { user_id: 1, email: "ada@example.org".to_owned() }])
    ///     .then_fold_survives_shredding(EventCounter::<UserRegistered>::new().with("user_id", 1));
    /// ```
    #[track_caller]
    pub fn then_fold_survives_shredding<K, R: Reader<K>>(&self, fold: R) -> Self {
        demand(self.fold_without_each_scope(fold));
        self.clone()
    }

    fn fold_without_each_scope<K, R: Reader<K>>(&self, fold: R) -> Verdict {
        let fold = Rc::new(fold);
        let name = short(std::any::type_name::<R>());
        for shredded in each_scope(&self.world, &Value::Null)? {
            let run = || state::run(&shredded.world, &fold, None).map(drop);
            match panics::catch(run) {
                Ok(verdict) => verdict?,
                Err(message) => return Err(shredded.fault(&name, "panics", &message, FIX)),
            }
            shredded.check_events(shredded.world.log.events())?;
        }
        Ok(())
    }
}
