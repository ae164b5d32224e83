//! How a bound with an impl for any type is reported in our words.
//!
//! Where a trait has one impl that fits, the compiler goes into it and reports what that impl asks
//! for: of an event without `Deserialize` it says what serde says. Between two impls it cannot
//! choose, tries both, and reports the trait itself, with the trait's own message; and as the
//! trait implies what it asks for, it says nothing more of that. So such a trait has a second impl,
//! which never applies: it asks for [`Never`], of a type that others cannot give it to.
//!
//! The second impl also assumes itself, as its own header would otherwise fit both impls. It costs
//! nothing but a moment of the compiler's time.

/// What nothing is. Asked for as `for<'a> &'a (): Never`, since a bound without any parameter would be
/// refused at once.
pub trait Never {}
