//! Shredding: a rule that goes with the data, a fold that cannot do without, data in two places.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::support::fails;

#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("user.registered")]
struct UserRegistered {
    #[domain_id]
    #[crypto_scope]
    user_id: u64,
    #[domain_id]
    username: String,
    email: String,
}

/// That a name is taken, whoever took it.
#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("username.taken")]
struct UsernameTaken {
    #[domain_id]
    name_hash: String,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Register {
    #[domain_id]
    user_id: u64,
    #[domain_id]
    username: String,
    email: String,
}

impl Register {
    fn registered(&self) -> UserRegistered {
        UserRegistered {
            user_id: self.user_id,
            username: self.username.clone(),
            email: self.email.clone(),
        }
    }
}

fn ada(user_id: u64) -> Register {
    Register {
        user_id,
        username: "ada".to_owned(),
        email: format!("ada.{user_id}@example.org"),
    }
}

/// Stands for a hash with a secret key.
fn hash(username: &str) -> String {
    let sum = username
        .bytes()
        .fold(7_u64, |sum, byte| sum * 31 + u64::from(byte));
    format!("{sum:x}")
}

/// A name is taken as long as somebody is registered under it.
fn register(input: Register, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold_with(|input| {
            EventCounter::<UserRegistered>::new().with("username", input.username.clone())
        })
        .execute(|input, taken| {
            anyhow::ensure!(taken == 0, "the username is taken");
            Ok(emit![input.registered()])
        })
}

/// A name is taken for good.
fn register_for_good(input: Register, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold_with(|input| {
            EventCounter::<UsernameTaken>::new().with("name_hash", hash(&input.username))
        })
        .execute(|input, taken| {
            anyhow::ensure!(taken == 0, "the username is taken");
            let name_hash = hash(&input.username);
            Ok(emit![input.registered(), UsernameTaken { name_hash }])
        })
}

#[test]
fn a_username_is_free_again_when_its_owner_is_forgotten() {
    fails(
        || {
            given_nothing()
                .given_command(register, ada(1))
                .shredded("user_id", 1)
                .when(register, ada(2))
                .then_rejected("the username is taken")
        },
        expect![[r#"
            a rejection with "the username is taken" was expected, but the command succeeded

            scenario
              given     register({"user_id":1,"username":"ada","email":"ada.1@example.org"})
              emitted   1  user.registered  user_id:1, username:ada
              shredded  user_id:1
              when      register({"user_id":2,"username":"ada","email":"ada.2@example.org"})
              emitted   2  user.registered  user_id:2, username:ada

            emitted
                1  user.registered
                     email: "ada.2@example.org"
                     user_id: 2
                     username: "ada"

            cause
              `user.registered {user_id:1, username:ada}` at position 1 was found and skipped: its data key is deleted, so to the folds it never happened

            fix
              where the rule has to outlive the data, decide on an event that is not encrypted and says nothing about a person, such as one with a keyed hash of the name

            boundary
              A  EventCounter<UserRegistered>  user.registered {username:ada}

                                                                       A
              1  user.registered  user_id:1, username:ada  (shredded)  read, skipped (shredded)
        "#]],
    );
    given_nothing()
        .given_command(register_for_good, ada(1))
        .shredded("user_id", 1)
        .when(register_for_good, ada(2))
        .then_rejected("the username is taken");
}

#[test]
fn the_sweep_finds_that_a_username_would_be_free_again() {
    fails(
        || {
            given_nothing()
                .given_command(register, ada(1))
                .when(register, ada(2))
                .then_rejected("the username is taken")
                .then_survives_shredding()
        },
        expect![[r#"
            `register` accepts once `user_id:1` is shredded what it rejected before

            scenario
              given     register({"user_id":1,"username":"ada","email":"ada.1@example.org"})
              emitted   1  user.registered  user_id:1, username:ada
              when      register({"user_id":2,"username":"ada","email":"ada.2@example.org"})
              rejected  the username is taken
              shredded  user_id:1
              when      register({"user_id":2,"username":"ada","email":"ada.2@example.org"})
              emitted   2  user.registered  user_id:2, username:ada

            rejected before with
              the username is taken

            cause
              `user.registered {user_id:1, username:ada}` at position 1 was found and skipped: its data key is deleted, so to the folds it never happened

            fix
              where the rule has to outlive the data, decide on an event that is not encrypted and says nothing about a person, such as one with a keyed hash of the name
              or, if it may be taken back, `.without(check::REOPENED, "why")`

            boundary
              A  EventCounter<UserRegistered>  user.registered {username:ada}

                                                                       A
              1  user.registered  user_id:1, username:ada  (shredded)  read, skipped (shredded)
        "#]],
    );
    given_nothing()
        .given_command(register_for_good, ada(1))
        .when(register_for_good, ada(2))
        .then_rejected("the username is taken")
        .then_survives_shredding();
    fails(
        || {
            given_nothing()
                .when(register, ada(1))
                .then_survives_shredding()
        },
        expect![[r#"
            no given event is encrypted, so there is nothing to shred

            scenario
              when     register({"user_id":1,"username":"ada","email":"ada.1@example.org"})
              emitted  1  user.registered  user_id:1, username:ada

            fix
              give an event with data to protect: its domain id `#[crypto_scope]` names the data key
        "#]],
    );
}

#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("user.suspended")]
struct UserSuspended {
    #[domain_id]
    user_id: u64,
}

#[derive(EventSet)]
enum UserEvents {
    #[scope(user_id)]
    Registered(UserRegistered),
    #[scope(user_id)]
    #[expect(dead_code, reason = "only that it happened counts")]
    Suspended(UserSuspended),
}

#[derive(Debug, Default, PartialEq)]
struct User {
    email: Option<String>,
    suspended: bool,
}

/// Takes for granted that who is suspended is registered.
#[derive(DomainIds, FromDomainIds)]
struct TrustingFold {
    #[domain_id]
    user_id: u64,
}

impl Fold for TrustingFold {
    type Events = UserEvents;
    type State = Option<User>;

    fn apply(&self, user: &mut Option<User>, event: StoredEvent<UserEvents>) {
        match event.data {
            UserEvents::Registered(event) => {
                *user = Some(User {
                    email: Some(event.email),
                    suspended: false,
                });
            }
            UserEvents::Suspended(_) => {
                user.as_mut().expect("a registered user").suspended = true;
            }
        }
    }
}

#[derive(DomainIds, FromDomainIds)]
struct UserFold {
    #[domain_id]
    user_id: u64,
}

impl Fold for UserFold {
    type Events = UserEvents;
    type State = User;

    fn apply(&self, user: &mut User, event: StoredEvent<UserEvents>) {
        match event.data {
            UserEvents::Registered(event) => user.email = Some(event.email),
            UserEvents::Suspended(_) => user.suspended = true,
        }
    }
}

fn suspended() -> Given {
    given(events![ada(1).registered(), UserSuspended { user_id: 1 }])
}

#[test]
fn a_fold_cannot_do_without_an_event() {
    fails(
        || suspended().then_fold_survives_shredding(TrustingFold { user_id: 1 }),
        expect![[r#"
            `TrustingFold` panics once `user_id:1` is shredded

            scenario
              given     1  user.registered  user_id:1, username:ada
                        2  user.suspended   user_id:1
              shredded  user_id:1

            cause
              a registered user, at shredding.rs

            fix
              an event whose data key is deleted comes to nobody: do without it, as if it had never been written
        "#]],
    );
    suspended().then_fold_survives_shredding(UserFold { user_id: 1 });
}

/// The address once more, where nobody thought of encrypting it.
#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("invoice.sent")]
struct InvoiceSent {
    #[domain_id]
    user_id: u64,
    to: String,
}

#[derive(EventSet)]
enum AddressEvents {
    Registered(UserRegistered),
    Sent(InvoiceSent),
}

/// Who got what, and where.
struct Addresses;

impl Projector for Addresses {
    type Query = AddressEvents;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "CREATE TABLE IF NOT EXISTS users (user_id INTEGER PRIMARY KEY, email TEXT NOT NULL);
             CREATE TABLE IF NOT EXISTS invoices (user_id INTEGER NOT NULL, email TEXT)",
        )?;
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<AddressEvents>) -> anyhow::Result<()> {
        match event.data {
            AddressEvents::Registered(user) => execute(
                "INSERT INTO users VALUES (?1, ?2)",
                params![user.user_id, user.email],
            )?,
            AddressEvents::Sent(invoice) => execute(
                "INSERT INTO invoices VALUES (?1, ?2)",
                params![invoice.user_id, invoice.to],
            )?,
        };
        Ok(())
    }
}

/// Keeps invoices and looks up the address, which must be there.
struct AddressesLookedUp;

impl Projector for AddressesLookedUp {
    type Query = AddressEvents;

    fn init() -> anyhow::Result<Self> {
        Addresses::init()?;
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<AddressEvents>) -> anyhow::Result<()> {
        match event.data {
            AddressEvents::Registered(user) => execute(
                "INSERT INTO users VALUES (?1, ?2)",
                params![user.user_id, user.email],
            )?,
            AddressEvents::Sent(invoice) => {
                let id = invoice.user_id;
                let user = query_row("SELECT email FROM users WHERE user_id = ?1", params![id]);
                let user = user.ok_or_else(|| anyhow::anyhow!("there is no user {id}"))?;
                let email: String = user.get("email");
                execute("INSERT INTO invoices VALUES (?1, ?2)", params![id, email])?
            }
        };
        Ok(())
    }
}

fn invoiced(to: &str) -> Given {
    given(events![
        ada(1).registered(),
        InvoiceSent {
            user_id: 1,
            to: to.to_owned()
        }
    ])
}

#[test]
fn data_is_written_twice_and_encrypted_once() {
    fails(
        || {
            invoiced("ada.1@example.org")
                .project::<Addresses>()
                .then_rows("SELECT email FROM invoices", rows![["ada.1@example.org"]])
                .then_survives_shredding()
        },
        expect![[r#"
            a table of `Addresses` still says what `email` of `user.registered` said, once `user_id:1` is shredded

            scenario
              given     1  user.registered  user_id:1, username:ada
                        2  invoice.sent     user_id:1
              project   Addresses
              shredded  user_id:1

            cause
              the value of `email` was written a second time, in an event that is not encrypted under `user_id:1`

            fix
              encrypt that event too, with `#[crypto_scope]` on the same domain id, or leave the value out of it; or, where it may stay, `.without(check::PLAINTEXT, "why")`
        "#]],
    );
    fails(
        || invoiced("ada.1@example.org").then_fold_survives_shredding(UserFold { user_id: 1 }),
        expect![[r#"
            `invoice.sent {user_id:1}` still says what `email` of `user.registered` said, once `user_id:1` is shredded

            scenario
              given     1  user.registered  user_id:1, username:ada
                        2  invoice.sent     user_id:1
              shredded  user_id:1

            cause
              the value of `email` was written a second time, in an event that is not encrypted under `user_id:1`

            fix
              encrypt that event too, with `#[crypto_scope]` on the same domain id, or leave the value out of it; or, where it may stay, `.without(check::PLAINTEXT, "why")`
        "#]],
    );
    invoiced("her")
        .project::<Addresses>()
        .then_survives_shredding();
    invoiced("ada.1@example.org")
        .without(check::PLAINTEXT, "invoices are kept for ten years")
        .project::<Addresses>()
        .then_survives_shredding();
}

#[test]
fn a_projector_cannot_be_rebuilt() {
    fails(
        || {
            invoiced("her")
                .project::<AddressesLookedUp>()
                .then_survives_shredding()
        },
        expect![[r#"
            `AddressesLookedUp` stops at `invoice.sent {user_id:1}` once `user_id:1` is shredded

            scenario
              given     1  user.registered  user_id:1, username:ada
                        2  invoice.sent     user_id:1
              project   AddressesLookedUp
              shredded  user_id:1

            cause
              there is no user 1

            fix
              an event whose data key is deleted comes to nobody: do without it, as if it had never been written
        "#]],
    );
    invoiced("her")
        .project::<Addresses>()
        .then_survives_shredding();
}

const MAIL: &str = "https://mail.test/suspended";

/// Tells who was suspended, at the address of the registration.
struct TellSuspended;

impl Effect for TellSuspended {
    type Query = SingleEvent<UserSuspended>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<UserSuspended>) -> anyhow::Result<()> {
        let user_id = event.data.user_id;
        let user = FoldQuery::new().fold(UserFold { user_id }).run()?;
        let email = user
            .email
            .ok_or_else(|| anyhow::anyhow!("user {user_id} has no address"))?;
        tell(&event, &email)
    }
}

/// The same, and nobody is told who is forgotten.
struct TellSuspendedIfKnown;

impl Effect for TellSuspendedIfKnown {
    type Query = SingleEvent<UserSuspended>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<UserSuspended>) -> anyhow::Result<()> {
        let user_id = event.data.user_id;
        let user = FoldQuery::new().fold(UserFold { user_id }).run()?;
        user.email.map_or(Ok(()), |email| tell(&event, &email))
    }
}

fn tell(event: &StoredEvent<UserSuspended>, email: &str) -> anyhow::Result<()> {
    let answer = Client::new()
        .post(MAIL)
        .header("Idempotency-Key", event.id.to_string())
        .json(&json!({ "to": email }))
        .send()?;
    anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
    Ok(())
}

#[test]
fn an_effect_fails_for_ever_once_its_user_is_forgotten() {
    fn tells<E: Effect>() -> EffectOutcome {
        given(events![ada(1).registered()])
            .with_http(|http| http.post(MAIL).reply(202))
            .when_event(UserSuspended { user_id: 1 })
            .run::<E>()
            .then_requests([Request::post(MAIL).json(json!({ "to": "ada.1@example.org" }))])
            .then_survives_shredding()
    }
    fails(
        tells::<TellSuspended>,
        expect![[r#"
        `TellSuspended` fails once `user_id:1` is shredded

        scenario
          given     1  user.registered  user_id:1, username:ada
          event     2  user.suspended   user_id:1
          run       TellSuspended
          shredded  user_id:1

        cause
          user 1 has no address

        fix
          an event whose data key is deleted comes to nobody: do without it, as if it had never been written
    "#]],
    );
    tells::<TellSuspendedIfKnown>();
}
