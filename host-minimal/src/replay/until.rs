//! Up to where the log is read: a position, or a moment.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::store::{EventFilter, EventLog, ReadError};

/// The end of a part of the log, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// A position; 0 is before the first event.
    Position(u64),
    /// A moment of the clock by which events are written.
    Time(DateTime<Utc>),
}

/// A text that is neither a position nor a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is neither a position nor a time; write 1042, or 2026-01-31T09:30:00Z with the zone that \
     is meant"
)]
pub struct InvalidUntil(String);

impl FromStr for Until {
    type Err = InvalidUntil;

    fn from_str(text: &str) -> Result<Self, InvalidUntil> {
        if let Ok(position) = text.parse() {
            return Ok(Self::Position(position));
        }
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self::Time(time.to_utc()))
            .map_err(|_| InvalidUntil(text.to_owned()))
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(position) => write!(f, "position {position}"),
            Self::Time(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        }
    }
}

impl Until {
    /// The last position in a log that ends at `head`; `None` when the log does not go that far.
    ///
    /// A moment is looked for by halves. Where the clock was set back, several positions may be
    /// the last ones up to it, and one of them is found: it was written at or before the moment,
    /// and the event behind it later.
    pub(crate) fn position(self, log: &EventLog, head: u64) -> Result<Option<u64>, ReadError> {
        let time = match self {
            Self::Position(position) => return Ok((position <= head).then_some(position)),
            Self::Time(time) => time,
        };
        let (mut before, mut behind) = (0, head + 1);
        while behind - before > 1 {
            let middle = before + (behind - before) / 2;
            let event = log.search(&EventFilter::default(), middle - 1, 1)?.pop();
            if event.is_some_and(|event| event.timestamp <= time) {
                before = middle;
            } else {
                behind = middle;
            }
        }
        Ok(Some(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_and_a_moment_are_told_apart() {
        assert_eq!("0".parse(), Ok(Until::Position(0)));
        assert_eq!("1042".parse(), Ok(Until::Position(1042)));
        let time = Until::Time("2026-01-31T09:30:00Z".parse().expect("a time"));
        assert_eq!("2026-01-31T09:30:00Z".parse(), Ok(time));
        assert_eq!("2026-01-31T10:30:00.000+01:00".parse(), Ok(time));
        assert_eq!(time.to_string(), "2026-01-31T09:30:00Z");
        for wrong in [
            "",
            "-1",
            "1.5",
            "yesterday",
            "2026-01-31",
            "2026-01-31T09:30:00",
            "18446744073709551616",
        ] {
            let error = wrong.parse::<Until>().expect_err(wrong);
            assert!(
                error.to_string().contains("2026-01-31T09:30:00Z"),
                "{error}"
            );
        }
    }
}
