//! Expected rows.

/// Rows of values of different types, for [`then_rows`](crate::Projection::then_rows).
///
/// A value is whatever SQLite's parameters may be, and is converted as they are: a time is compared
/// with the text that it is stored as. The [types](umari::sqlite#types) are listed with the SDK.
/// Rows are written in brackets or parentheses.
///
/// # Examples
///
/// ```
/// use umari_testing::rows;
///
/// let table = rows![["Gold", 24, 99.5], ["Silver", 12, None::<f64>]];
/// assert_eq!(table.len(), 2);
/// assert_eq!(rows![("Gold", 24)], rows![["Gold", 24],]);
/// assert!(rows![].is_empty());
/// ```
#[macro_export]
macro_rules! rows {
    () => { ::std::vec::Vec::<::std::vec::Vec<$crate::__private::SqliteValue>>::new() };
    ($([$($value:expr),* $(,)?]),+ $(,)?) => { ::std::vec![$($crate::rows!(@row $($value),*)),+] };
    ($(($($value:expr),* $(,)?)),+ $(,)?) => { ::std::vec![$($crate::rows!(@row $($value),*)),+] };
    (@row $($value:expr),*) => {
        ::std::vec![$(::core::convert::Into::<$crate::__private::SqliteValue>::into($value)),*]
    };
}
