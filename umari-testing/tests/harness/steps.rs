//! The page of all steps, held against the code.

const PAGE: &str = include_str!("../../src/steps.rs");

const SOURCES: &[&str] = &[
    include_str!("../../src/command.rs"),
    include_str!("../../src/command/race.rs"),
    include_str!("../../src/command/race/interleaving.rs"),
    include_str!("../../src/effect.rs"),
    include_str!("../../src/events.rs"),
    include_str!("../../src/given.rs"),
    include_str!("../../src/projector.rs"),
    include_str!("../../src/state/past.rs"),
    include_str!("../../src/state/query.rs"),
];

/// A step is a public function of one of the types that a test goes through.
fn steps() -> impl Iterator<Item = &'static str> {
    let lines = SOURCES.iter().flat_map(|source| source.lines());
    lines.filter_map(|line| {
        let signature = line.trim().strip_prefix("pub fn ")?;
        signature.split(['(', '<']).next()
    })
}

#[test]
fn every_step_is_on_the_page() {
    let missing: Vec<_> = steps()
        // What makes and reads values rather than tells a scenario.
        .filter(|step| !["new", "interleavings", "order", "requests", "emitted"].contains(step))
        .filter(|step| !PAGE.contains(step))
        .collect();
    assert_eq!(missing, [""; 0]);
    assert!(steps().count() > 60, "the search finds the steps");
}
