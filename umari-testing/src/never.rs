//! What nothing is, for second impls that never apply: between two, the compiler reports the trait and
//! not what its impl asks for. `umari::__private::Never` says more; the trait must be of this crate.

/// Asked for as `for<'a> &'a (): Never`.
pub trait Never {}
