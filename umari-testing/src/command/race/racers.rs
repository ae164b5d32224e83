//! What can be handed to `when_racing`.

use umari::command::{CommandContext, ExecuteOutput};

use super::super::{Call, CommandInput};
use crate::never::Never;

/// One of several calls at the same moment: a command with its input.
///
/// A command whose input is no JSON is called by a closure over `()`:
/// `(|(), context| command(Input { .. }, context), ())`.
///
/// `Kind` is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no racing call",
    label = "not a command with its input",
    note = "a racing call is `(command, Input {{ .. }})`"
)]
pub trait Racer<Kind> {
    #[doc(hidden)]
    fn call(self) -> RacingCall;
}

/// Several calls at the same moment: an array or a `Vec` of calls of one type, or a tuple of up to
/// four calls of any types.
///
/// `Kinds` is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of racing calls",
    label = "not several `(command, Input {{ .. }})`",
    note = "calls of one command go in an array: `[(command, a), (command, b)]`; calls of several \
            commands in a tuple: `((one, a), (other, b))`",
    note = "a command is `fn(Input, CommandContext) -> Result<ExecuteOutput, _>`, and its input derives \
            `Serialize` and `Deserialize`; else call it by `(|(), context| command(Input {{ .. }}, \
            context), ())`"
)]
pub trait Racers<Kinds> {
    #[doc(hidden)]
    fn calls(self) -> Vec<RacingCall>;
}

/// A call that waits for the start.
#[derive(Debug)]
pub struct RacingCall(pub(super) Call);

#[diagnostic::do_not_recommend]
impl<F, I, E> Racer<E> for (F, I)
where
    F: Fn(I, CommandContext) -> Result<ExecuteOutput, E> + 'static,
    I: CommandInput,
    E: Into<anyhow::Error>,
{
    fn call(self) -> RacingCall {
        RacingCall(Call::new(self.0, self.1))
    }
}

#[diagnostic::do_not_recommend]
impl<K, R: Racer<K>, const N: usize> Racers<[K; N]> for [R; N] {
    fn calls(self) -> Vec<RacingCall> {
        self.into_iter().map(Racer::call).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<K, R: Racer<K>> Racers<Vec<K>> for Vec<R> {
    fn calls(self) -> Vec<RacingCall> {
        self.into_iter().map(Racer::call).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<A, B, KA, KB> Racers<(KA, KB)> for (A, B)
where
    A: Racer<KA>,
    B: Racer<KB>,
{
    fn calls(self) -> Vec<RacingCall> {
        vec![self.0.call(), self.1.call()]
    }
}

// See `Never`: without it, a call that is no list would be two errors, one for each half of it.
#[diagnostic::do_not_recommend]
impl<A, B, KA, KB> Racers<(KA, KB)> for (A, B)
where
    for<'a> &'a (): Never,
    Self: Racers<(KA, KB)>,
{
    fn calls(self) -> Vec<RacingCall> {
        unreachable!("nothing is `Never`")
    }
}

#[diagnostic::do_not_recommend]
impl<A, B, C, KA, KB, KC> Racers<(KA, KB, KC)> for (A, B, C)
where
    A: Racer<KA>,
    B: Racer<KB>,
    C: Racer<KC>,
{
    fn calls(self) -> Vec<RacingCall> {
        vec![self.0.call(), self.1.call(), self.2.call()]
    }
}

#[diagnostic::do_not_recommend]
impl<A, B, C, D, KA, KB, KC, KD> Racers<(KA, KB, KC, KD)> for (A, B, C, D)
where
    A: Racer<KA>,
    B: Racer<KB>,
    C: Racer<KC>,
    D: Racer<KD>,
{
    fn calls(self) -> Vec<RacingCall> {
        vec![self.0.call(), self.1.call(), self.2.call(), self.3.call()]
    }
}
