//! Looks for a story that breaks something, and for the shortest one that does.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRunner};

use super::Invariant;
use super::findings::{Finding, Key, Place};
use super::story::{Company, Step, judge, stories, tell, tell_in_order};
use super::tally::Tally;
use crate::panics;
use crate::report::{Report, Verdict, count};

/// Attempts to shorten a story.
const SHRINKS_MAX: u32 = 4096;

pub(crate) fn run(invariant: &Invariant) -> Verdict {
    if invariant.commands.is_empty() {
        return Err(Box::new(
            Report::new("this invariant has no command")
                .cause("where nothing is called nothing can be broken")
                .fix("`.command(function, strategy_of_inputs)`"),
        ));
    }
    judge(invariant, &invariant.world).map_err(Finding::at_once)?;
    let (number, seed) = invariant.extent();
    let mut runner = TestRunner::new(Config {
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    });
    let strategy = stories(invariant);
    let mut tally = Tally::default();
    for story in 1..=number {
        let mut tree = strategy.new_tree(&mut runner).map_err(|reason| {
            Report::new("the strategies of this invariant make no inputs").cause(reason.to_string())
        })?;
        let steps = tree.current();
        let Err(finding) = tell(invariant, &steps, &mut tally) else {
            continue;
        };
        let place = Place {
            story,
            stories: number,
            seed,
            calls: steps.len(),
        };
        let (steps, mut finding) = shrink(invariant, &mut tree, steps, finding);
        let has_race = steps.iter().any(|step| step.company != Company::Nobody);
        let is_broken = matches!(finding.key, Key::Broken(_));
        if is_broken && has_race && tell_in_order(invariant, &steps).is_ok() {
            finding.blame_the_boundary();
        }
        return Err(finding.into_report(&steps, &invariant.world, &place));
    }
    proven(invariant, &tally, number)
}

/// The shortest story that ends as the first one did. Each change that does is kept, each other one
/// is taken back.
fn shrink(
    invariant: &Invariant,
    tree: &mut impl ValueTree<Value = Vec<Step>>,
    steps: Vec<Step>,
    finding: Finding,
) -> (Vec<Step>, Finding) {
    let mut best = (steps, finding);
    let mut can_go_on = tree.simplify();
    for _ in 0..SHRINKS_MAX {
        if !can_go_on {
            break;
        }
        let steps = tree.current();
        can_go_on = match tell_again(invariant, &steps) {
            Err(finding) if finding.key == best.1.key => {
                best = (steps, finding);
                tree.simplify()
            }
            _ => tree.complicate(),
        };
    }
    prune(invariant, best.0, best.1)
}

/// Leaves out every call that it ends the same way without, and every company. Proptest does so
/// before it has made the inputs simple, and not again.
fn prune(
    invariant: &Invariant,
    mut steps: Vec<Step>,
    mut finding: Finding,
) -> (Vec<Step>, Finding) {
    let mut index = 0;
    while index < steps.len() {
        let mut without = steps.clone();
        without.remove(index);
        let mut alone = steps.clone();
        alone[index].company = Company::Nobody;
        let is_alone = steps[index].company == Company::Nobody;
        let simpler = [Some(without), (!is_alone).then_some(alone)];
        let found = simpler.into_iter().flatten().find_map(|steps| {
            let again = tell_again(invariant, &steps).err()?;
            (again.key == finding.key).then_some((steps, again))
        });
        match found {
            // What could not be left out before may be superfluous now.
            Some(simpler) => {
                (steps, finding) = simpler;
                index = 0;
            }
            None => index += 1,
        }
    }
    (steps, finding)
}

/// What panics has panicked before, so one more message says nothing.
fn tell_again(invariant: &Invariant, steps: &[Step]) -> Result<(), Finding> {
    panics::quietly(|| tell(invariant, steps, &mut Tally::default()))
}

/// A test in which nothing can go wrong proves nothing.
fn proven(invariant: &Invariant, tally: &Tally, stories: u32) -> Verdict {
    let told = count(stories as usize, "story").replace("storys", "stories");
    for (index, command) in invariant.commands.iter().enumerate() {
        if !tally.wrote(index) {
            return Err(Box::new(
                Report::new(format!("`{}` wrote no event in {told}", command.name))
                    .section("how its calls ended", tally.ways(index))
                    .cause("nothing was proven of a command that never does anything")
                    .fix(
                        "begin with a history in which it can succeed: `given(..).invariant()`\n\
                         or let the calls meet: domain ids from few values, such as `1..4_u64`",
                    ),
            ));
        }
    }
    match invariant.rules.iter().find_map(|rule| rule.idle()) {
        None => Ok(()),
        Some(fold) => Err(Box::new(
            Report::new(format!("`{fold}` read no event in {told}"))
                .cause("the invariant was judged by the state before the first event alone")
                .fix("give the fold domain ids that the inputs of the commands have"),
        )),
    }
}
