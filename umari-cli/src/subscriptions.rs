//! `umari projectors` and `umari effects`: operating what follows the log.

use crate::args::{SubscriptionAction, SubscriptionArgs};
use crate::client::Client;
use crate::kind::ModuleKind;
use crate::output::fault::Fault;
use crate::output::{self, GOOD};

/// Does what was asked with a projector or an effect.
pub(crate) fn run(kind: ModuleKind, action: &SubscriptionAction) -> Result<(), Fault> {
    match action {
        SubscriptionAction::Pause(args) => set_paused(kind, args, true),
        SubscriptionAction::Resume(args) => set_paused(kind, args, false),
    }
}

fn set_paused(kind: ModuleKind, args: &SubscriptionArgs, paused: bool) -> Result<(), Fault> {
    let client = Client::new(&args.server.url, args.server.api_key.clone())?;
    let answer = client.set_paused(kind, &args.name, paused)?;
    if args.json {
        output::json(&answer);
        return Ok(());
    }
    let (done, already) = if paused {
        ("Paused", ", which was paused already")
    } else {
        ("Resumed", ", which was not paused")
    };
    let already = if answer["changed"] == false {
        already
    } else {
        ""
    };
    output::status(GOOD, done, &format!("{kind} {}{already}", args.name));
    Ok(())
}
