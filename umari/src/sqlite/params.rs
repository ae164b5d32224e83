//! The parameters of a statement, by position or by name.

use super::SqliteValue;

/// The parameters of a statement; [`params!`](crate::params) and
/// [`named_params!`](crate::named_params) make them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of parameters",
    label = "not a list of parameters",
    note = "write `params![..]`, or `params![]` for none, or `named_params! {{ \":name\": value }}`"
)]
pub trait Params: sealed::Sealed {
    /// The values, as a host binds them.
    fn list(&self) -> ParamList<'_>;
}

/// The values of a statement's parameters, as a host binds them.
///
/// A host binds every parameter to exactly one value and refuses what does not fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParamList<'a> {
    /// The values of the parameters 1, 2, .. in SQLite's numbering.
    Positional(&'a [SqliteValue]),
    /// Names, with their prefix `:`, `@` or `$`, and values, in any order.
    Named(&'a [(&'a str, SqliteValue)]),
}

mod sealed {
    use super::SqliteValue;

    pub trait Sealed {}
    impl<const N: usize> Sealed for [SqliteValue; N] {}
    impl Sealed for Vec<SqliteValue> {}
    impl Sealed for &[SqliteValue] {}
    impl<const N: usize> Sealed for [(&str, SqliteValue); N] {}
    impl Sealed for Vec<(&str, SqliteValue)> {}
    impl Sealed for &[(&str, SqliteValue)] {}
    impl<T: Sealed> Sealed for &T {}
}

#[diagnostic::do_not_recommend]
impl<const N: usize> Params for [SqliteValue; N] {
    fn list(&self) -> ParamList<'_> {
        ParamList::Positional(self)
    }
}

#[diagnostic::do_not_recommend]
impl Params for Vec<SqliteValue> {
    fn list(&self) -> ParamList<'_> {
        ParamList::Positional(self)
    }
}

#[diagnostic::do_not_recommend]
impl Params for &[SqliteValue] {
    fn list(&self) -> ParamList<'_> {
        ParamList::Positional(self)
    }
}

#[diagnostic::do_not_recommend]
impl<const N: usize> Params for [(&str, SqliteValue); N] {
    fn list(&self) -> ParamList<'_> {
        ParamList::Named(self)
    }
}

#[diagnostic::do_not_recommend]
impl Params for Vec<(&str, SqliteValue)> {
    fn list(&self) -> ParamList<'_> {
        ParamList::Named(self)
    }
}

#[diagnostic::do_not_recommend]
impl Params for &[(&str, SqliteValue)] {
    fn list(&self) -> ParamList<'_> {
        ParamList::Named(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Params> Params for &T {
    fn list(&self) -> ParamList<'_> {
        T::list(self)
    }
}

/// One value of `params!` or `named_params!`: whatever converts into a [`SqliteValue`].
///
/// A trait of our own, as only those say in an error what can be written instead.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given to SQLite",
    label = "not a parameter",
    note = "`bool`, integers up to 64 bits, floats, text, bytes, `Uuid`, `DateTime<Utc>`, `NaiveDate`, `serde_json::Value`, references to them and `Option`s of them can be",
    note = "for a type of your own, implement `From<MyType> for SqliteValue`"
)]
pub trait Param {
    #[track_caller]
    fn into_value(self) -> SqliteValue;
}

#[diagnostic::do_not_recommend]
impl<T: Into<SqliteValue>> Param for T {
    fn into_value(self) -> SqliteValue {
        self.into()
    }
}

/// What `params!` and `named_params!` write around each value.
#[doc(hidden)]
#[track_caller]
pub fn param(value: impl Param) -> SqliteValue {
    value.into_value()
}

/// Lists the parameters `?1`, `?2`, .. of a statement.
///
/// Each value is converted by `Into<SqliteValue>`; the [types](crate::sqlite#types) that can be
/// given are listed with the module. There must be as many values as the statement has parameters.
///
/// # Traps
///
/// Panics for a value that SQLite cannot hold: an integer above `i64::MAX`, or a time outside of
/// the years 0 to 9999.
///
/// # Examples
///
/// ```
/// use umari::prelude::*;
///
/// let values = params![42_u64, "active", None::<String>,];
/// assert_eq!(values[0], SqliteValue::Integer(42));
/// assert_eq!(values[2], SqliteValue::Null);
/// ```
#[macro_export]
macro_rules! params {
    () => {
        [$crate::sqlite::SqliteValue::Null; 0]
    };
    ($($value:expr),+ $(,)?) => {
        [$($crate::sqlite::param($value)),+]
    };
}

/// Lists the parameters of a statement by their names, wherever [`params!`](crate::params) can
/// stand, in any order.
///
/// Every name begins with `:`, `@` or `$`, as in the statement; others do not compile. Every parameter of the statement
/// must be given a value, and every name must be one of the statement's: a host refuses anything
/// else, which traps. A parameter that the statement repeats is given once.
///
/// # Traps
///
/// As [`params!`](crate::params).
///
/// # Examples
///
/// ```
/// use umari::prelude::*;
///
/// # #[derive(Event, DomainIds, Serialize, Deserialize)]
/// # struct Opened {}
/// # struct Plans;
/// # impl Projector for Plans {
/// # type Query = SingleEvent<Opened>;
/// # fn init() -> anyhow::Result<Self> { Ok(Plans) }
/// # fn handle(&mut self, _: StoredEvent<Opened>) -> anyhow::Result<()> {
/// # execute_batch("CREATE TABLE plans (plan_id INTEGER PRIMARY KEY, title TEXT)")?;
/// let (plan_id, title) = (1_u64, "2 years");
/// execute(
///     "INSERT INTO plans (plan_id, title) VALUES (:plan_id, :title)
///      ON CONFLICT (plan_id) DO UPDATE SET title = :title",
///     named_params! { ":plan_id": plan_id, ":title": title },
/// )?;
/// # Ok(())
/// # }
/// # }
/// # use umari_testing::prelude::*;
/// # given(events![Opened {}])
/// #     .project::<Plans>()
/// #     .then_rows("SELECT * FROM plans", rows![(1, "2 years")]);
/// ```
///
/// Names and values, and nothing more:
///
/// ```
/// use umari::prelude::*;
///
/// let values = named_params! { ":plan_id": 1, ":title": "2 years" };
/// assert_eq!(values[1], (":title", SqliteValue::Text("2 years".to_owned())));
/// ```
#[macro_export]
macro_rules! named_params {
    () => {
        [("", $crate::sqlite::SqliteValue::Null); 0]
    };
    ($($name:literal : $value:expr),+ $(,)?) => {
        [$((
            {
                const NAME: &::core::primitive::str = $name;
                const _: () = ::core::assert!(
                    $crate::__private::names_parameter(NAME),
                    "{}",
                    ::core::concat!(
                        "`",
                        $name,
                        "` does not name a parameter: write it as the statement does, with `:`, `@` or `$` before it",
                    ),
                );
                NAME
            },
            $crate::sqlite::param($value),
        )),+]
    };
}
