//! Rules that inputs have to keep, for `#[validate(custom(function = ".."))]`.
//!
//! Whoever sent the input reads these messages, each after the name of its field.

use umari::prelude::*;
use validator::ValidationError;

/// The highest price of one warranty, in the shop's currency.
///
/// With it a plan's revenue stays exact: a [`Decimal`] holds 28 digits, enough for 10^18 sales.
pub const MAX_PRICE: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

/// The longest email address, in bytes, that mail servers have to accept.
pub const MAX_EMAIL_BYTES: usize = 254;

/// An id that was really chosen.
///
/// # Errors
///
/// For the nil UUID, which is what an id that somebody forgot to fill in looks like.
pub fn id(value: &Uuid) -> Result<(), ValidationError> {
    check(!value.is_nil(), "nil", "must not be the nil UUID")
}

/// An amount that can be charged.
///
/// # Errors
///
/// For amounts below zero, above [`MAX_PRICE`] or with fractions of a cent.
pub fn price(value: &Decimal) -> Result<(), ValidationError> {
    check(
        *value >= Decimal::ZERO && *value <= MAX_PRICE,
        "range",
        "must be between 0 and 1000000",
    )?;
    check(
        value.normalize().scale() <= 2,
        "cents",
        "must be in whole cents",
    )
}

/// Something that mail can be sent to. Only sending mail proves an address, so this looks for
/// slips alone.
///
/// # Errors
///
/// For text that is not of the form `somebody@somewhere`.
pub fn email(value: &str) -> Result<(), ValidationError> {
    let well_formed = value.len() <= MAX_EMAIL_BYTES
        && !value.chars().any(|c| c.is_whitespace() || c.is_control())
        && value.rsplit_once('@').is_some_and(|(somebody, somewhere)| {
            !somebody.is_empty() && !somebody.contains('@') && !somewhere.is_empty()
        });
    check(well_formed, "email", "must be an email address")
}

/// A token that fits into an HTTP header. One that does not would be stored for good, and fail
/// every request that is ever made with it.
///
/// # Errors
///
/// For an empty token, and for one with anything but visible ASCII characters.
pub fn token(value: &str) -> Result<(), ValidationError> {
    check(
        !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()),
        "token",
        "must be visible ASCII characters",
    )
}

fn check(holds: bool, code: &'static str, message: &'static str) -> Result<(), ValidationError> {
    if holds {
        Ok(())
    } else {
        Err(ValidationError::new(code).with_message(message.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    #[test]
    fn prices_are_whole_cents_up_to_the_limit() {
        for accepted in ["0", "0.01", "49.90", "49.900", "1000000"] {
            assert!(price(&decimal(accepted)).is_ok(), "{accepted}");
        }
        for refused in ["-0.01", "0.001", "1000000.01"] {
            assert!(price(&decimal(refused)).is_err(), "{refused}");
        }
    }

    #[test]
    fn emails_have_two_sides() {
        for accepted in ["kim@tea.example", "kim+shop@localhost"] {
            assert!(email(accepted).is_ok(), "{accepted}");
        }
        let too_long = format!("{}@tea.example", "k".repeat(MAX_EMAIL_BYTES - 11));
        assert_eq!(too_long.len(), MAX_EMAIL_BYTES + 1);
        for refused in [
            "",
            "kim",
            "@tea.example",
            "kim@",
            "kim@a@b",
            "kim @tea.example",
            &too_long,
        ] {
            assert!(email(refused).is_err(), "{refused:?}");
        }
        assert!(email(&too_long[1..]).is_ok());
    }

    #[test]
    fn tokens_fit_into_a_header() {
        assert!(token("shpat_0a1B-2c").is_ok());
        for refused in ["", "two words", "line\nbreak", "café"] {
            assert!(token(refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn an_id_is_never_nil() {
        assert!(id(&Uuid::from_u128(1)).is_ok());
        assert!(id(&Uuid::nil()).is_err());
    }
}
