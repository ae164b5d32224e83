//! The tuple of readers that a builder collects, for every arity from one macro.

use super::running::{Evolving, Reader, Readers, Replay, Running};
use crate::decider::Decider;
use crate::fold::Fold;

/// One reader.
pub struct One<R: Reader>(pub(crate) Running<R>);

/// As many readers as an iterator had.
pub struct Many<R: Reader>(pub(crate) Vec<Running<R>>);

/// What one call of a builder registered.
pub trait Slot: Readers {
    /// What it becomes once every event was read.
    type State;

    /// What reads.
    type Reader: Reader;

    #[doc(hidden)]
    fn into_state(self) -> Self::State;
}

impl<R: Reader> Readers for One<R> {
    fn each<'a>(&'a mut self, visit: &mut dyn FnMut(&'a mut dyn Replay)) {
        visit(&mut self.0);
    }
}

impl<R: Reader> Readers for Many<R> {
    fn each<'a>(&'a mut self, visit: &mut dyn FnMut(&'a mut dyn Replay)) {
        for running in &mut self.0 {
            visit(running);
        }
    }
}

impl<R: Reader> Slot for One<R> {
    type State = R::State;
    type Reader = R;

    fn into_state(self) -> R::State {
        self.0.into_state()
    }
}

impl<R: Reader> Slot for Many<R> {
    type State = Vec<R::State>;
    type Reader = R;

    fn into_state(self) -> Vec<R::State> {
        self.0.into_iter().map(Running::into_state).collect()
    }
}

/// Everything that a builder registered.
pub trait Slots: Readers {
    /// `()` for nothing, the state itself for one registration, a tuple for more.
    type States;

    #[doc(hidden)]
    fn into_states(self) -> Self::States;
}

/// `T`, given the state of a fold or decider.
///
/// Of what is neither the compiler knows no state, and so not what this is. It then says once that
/// it is neither, and nothing about what would have followed from it.
pub trait Given<T> {
    /// `T`.
    type Type;
}

impl<State, T> Given<T> for State {
    type Type = T;
}

/// `T`, where `F` is a fold.
pub type IfFold<F, T> = <<F as Fold>::State as Given<T>>::Type;

/// `T`, where `D` is a decider.
pub type IfDecider<D, T> = <<D as Decider>::State as Given<T>>::Type;

/// `S` and one registration more.
pub type With<S, Next> = <S as Append<Next>>::Output;

/// `S` and a fold.
pub type WithFold<S, F> = With<IfFold<F, S>, One<F>>;

/// `S` and as many folds of one type as there are.
pub type WithFolds<S, F> = With<IfFold<F, S>, Many<F>>;

/// `S` and what a decider reads.
pub type WithDecider<S, D> = With<IfDecider<D, S>, One<Evolving<D>>>;

/// What a fold is that finds no room; nothing is.
pub trait Thirteenth {
    /// What nobody gets.
    type Output: Slots;
}

/// Room for one more registration.
#[diagnostic::on_unimplemented(
    message = "a command or query takes at most 12 folds",
    label = "one fold too many",
    note = "combine some of them into one fold, or register many of one type with `fold_iter`"
)]
pub trait Append<S> {
    /// The longer tuple.
    type Output: Slots;

    #[doc(hidden)]
    fn append(self, slot: S) -> Self::Output;
}

impl Readers for () {
    fn each<'a>(&'a mut self, _: &mut dyn FnMut(&'a mut dyn Replay)) {}
}

impl Slots for () {
    type States = ();

    fn into_states(self) {}
}

/// `states!(A)` is the state of `A` itself, `states!(A, B, ..)` the tuple of their states.
macro_rules! states {
    (type $one:ident) => { $one::State };
    (type $($many:ident),+) => { ($($many::State,)+) };
    (value $one:ident) => { $one.into_state() };
    (value $($many:ident),+) => { ($($many.into_state(),)+) };
}

macro_rules! slots {
    ($($slot:ident),+) => {
        #[allow(non_snake_case)]
        impl<$($slot: Slot),+> Readers for ($($slot,)+) {
            fn each<'a>(&'a mut self, visit: &mut dyn FnMut(&'a mut dyn Replay)) {
                let ($($slot,)+) = self;
                $($slot.each(visit);)+
            }
        }

        #[allow(non_snake_case)]
        impl<$($slot: Slot),+> Slots for ($($slot,)+) {
            type States = states!(type $($slot),+);

            fn into_states(self) -> Self::States {
                let ($($slot,)+) = self;
                states!(value $($slot),+)
            }
        }
    };
}

macro_rules! append {
    ($($slot:ident),*) => {
        #[allow(non_snake_case)]
        #[diagnostic::do_not_recommend]
        impl<$($slot: Slot,)* Next: Slot> Append<Next> for ($($slot,)*) {
            type Output = ($($slot,)* Next,);

            fn append(self, slot: Next) -> Self::Output {
                let ($($slot,)*) = self;
                ($($slot,)* slot,)
            }
        }
    };
}

/// The longest list. An impl that never applies lets the compiler find the method, and then say
/// why it cannot be called.
macro_rules! full {
    ($($slot:ident),*) => {
        #[diagnostic::do_not_recommend]
        impl<$($slot: Slot,)* Next: Slot> Append<Next> for ($($slot,)*)
        where
            Next::Reader: Thirteenth,
        {
            type Output = <Next::Reader as Thirteenth>::Output;

            fn append(self, _: Next) -> Self::Output {
                unreachable!("nothing is a thirteenth fold")
            }
        }
    };
}

/// Every arity up to `limits::FOLDS_MAX`: each list of slots can be appended to, save the longest.
macro_rules! all_arities {
    (@grow [$($slot:ident),*]) => {
        slots!($($slot),*);
        full!($($slot),*);
    };
    (@grow [$($slot:ident),*] $next:ident $($rest:ident)*) => {
        all_arities!(@slots $($slot),*);
        append!($($slot),*);
        all_arities!(@grow [$($slot,)* $next] $($rest)*);
    };
    (@slots) => {};
    (@slots $($slot:ident),+) => { slots!($($slot),+); };
    ($($slot:ident)+) => { all_arities!(@grow [] $($slot)+); };
}

all_arities!(A B C D E F G H I J K L);
