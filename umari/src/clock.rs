//! The time that a module decides by.

use chrono::{DateTime, Utc};

use crate::host::{self, Host};

/// What time it is.
///
/// In production this is the host's wall clock, which stands still while a command runs: every call
/// within one execution returns the same time. In a test it is the clock of the scenario, so that
/// what a command makes of the time can be proven; `SystemTime::now()` and chrono's `Utc::now()` would
/// be the clock of the machine that runs the test.
///
/// A projector takes the time from the event that it handles (`event.timestamp`), or its rows
/// would differ when they are built again.
///
/// # Panics
///
/// Panics natively where no host is installed.
///
/// # Examples
///
/// ```
/// use umari::prelude::*;
/// use umari_testing::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("coupon.redeemed")]
/// struct CouponRedeemed {
///     #[domain_id]
///     coupon_id: u64,
/// }
///
/// #[derive(DomainIds, Serialize, Deserialize)]
/// struct Input {
///     #[domain_id]
///     coupon_id: u64,
///     valid_until: DateTime<Utc>,
/// }
///
/// fn redeem(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
///     Command::new(input, context).fold::<EventCounter<CouponRedeemed>>().execute(|input, redeemed| {
///         anyhow::ensure!(redeemed == 0, "the coupon is redeemed");
///         anyhow::ensure!(umari::clock::now() <= input.valid_until, "the coupon has expired");
///         Ok(emit![CouponRedeemed { coupon_id: input.coupon_id }])
///     })
/// }
///
/// let coupon = || Input { coupon_id: 1, valid_until: "2020-06-30T00:00:00Z".parse().unwrap() };
/// given_nothing()
///     .at("2020-06-29T00:00:00Z".parse().unwrap())
///     .when(redeem, coupon())
///     .then_count::<CouponRedeemed>(1);
/// given_nothing()
///     .at("2020-07-01T00:00:00Z".parse().unwrap())
///     .when(redeem, coupon())
///     .then_rejected("expired");
/// ```
#[must_use]
#[track_caller]
#[cfg_attr(
    target_family = "wasm",
    expect(
        clippy::redundant_closure,
        reason = "natively the method of `dyn Host` is not general enough"
    )
)]
pub fn now() -> DateTime<Utc> {
    host::with(|host| Host::now(host))
}
