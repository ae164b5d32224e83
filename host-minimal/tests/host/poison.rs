//! A module that fails at every event costs the others nothing but its share of the machine.

use host_minimal::modules::ModuleKind::{Effect, Projector};

use crate::support::{TestHost, wait_until};
use crate::target::Target;

#[test]
fn modules_that_fail_at_every_event_hold_no_other_up() {
    const NOTES: u64 = 300;
    let (host, target) = (TestHost::with_commands(), Target::start());
    let poisoned = [("TARGET", target.url.as_str()), ("POISONED", "1")];
    for module in ["trapped", "trapped-too"] {
        host.deploy(Effect, module, &poisoned);
    }
    host.deploy(Projector, "stuck", &[("TROUBLE", "panic")]);
    let first = host.note("global", 1, "x");
    let bad = ["trapped", "trapped-too", "stuck"];
    for module in bad {
        host.wait_for_failure(module, 1);
    }
    // They fail all the time while the others start, catch up, and follow.
    host.deploy(Effect, "relay", &[("TARGET", &target.url)]);
    host.deploy(Projector, "notes", &[]);
    for note_id in 2..=NOTES {
        host.note(&format!("c{}", note_id % 7), note_id, "x");
    }
    let failures = |module: &str| {
        let status = host
            .module(module)
            .subscription
            .expect("it follows the log");
        status.failure.map_or(0, |failure| failure.attempts)
    };
    let before = bad.map(failures);
    host.wait_caught_up("notes");
    host.wait_caught_up("relay");
    assert!((1..=NOTES).all(|note_id| target.count(note_id) == 1));
    for (module, before) in bad.into_iter().zip(before) {
        wait_until(|| (failures(module) > before).then_some(()));
        let status = host.module(module);
        assert!(!status.is_healthy());
        let position = status.subscription.expect("it follows the log").position;
        assert_eq!(
            position,
            first - 1,
            "{module} stands at what it cannot handle"
        );
    }
}
