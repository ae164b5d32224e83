//! Read your writes: a call that answers when projectors have what it wrote.

use std::time::Duration;

use serde::Serialize;

use super::Problem;
use super::closing::Closing;
use super::modules::parse_name;
use super::parameters::{self, invalid};
use crate::Host;
use crate::host::Reached;
use crate::limits;
use crate::modules::ModuleName;

/// What the query `?wait_for=plans,other&timeout=5s` of a call asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wait {
    projectors: Vec<ModuleName>,
    patience: Duration,
}

/// How far a projector is.
#[derive(Serialize)]
pub(super) struct ReachedBody {
    name: String,
    position: u64,
    pub(super) reached: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

impl Wait {
    /// Reads the query; `None` where it does not ask to wait.
    pub(super) fn parse(query: &str) -> Result<Option<Self>, Problem> {
        let mut projectors = Vec::new();
        let mut patience = None;
        let known = "there are wait_for and timeout";
        parameters::each(Some(query), known, |name, value| {
            match name {
                "wait_for" => {
                    for name in value.split(',') {
                        projectors.push(parse_name(name)?);
                    }
                }
                "timeout" => patience = Some(parse_timeout(&value)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        if projectors.len() > limits::WAIT_FOR_PROJECTORS {
            return Err(invalid(format!(
                "a call may wait for {} projectors, not for {}",
                limits::WAIT_FOR_PROJECTORS,
                projectors.len()
            )));
        }
        match (projectors.is_empty(), patience) {
            (true, None) => Ok(None),
            (true, Some(_)) => Err(invalid(
                "there is a timeout and nothing to wait for; name projectors in wait_for"
                    .to_owned(),
            )),
            (false, patience) => Ok(Some(Self {
                projectors,
                patience: patience.unwrap_or(limits::WAIT_TIMEOUT),
            })),
        }
    }

    /// Makes sure, before anything is written, that there is something to wait for.
    pub(super) async fn check(&self, host: &Host) -> Result<(), Problem> {
        for name in &self.projectors {
            host.active_projector(name).await?;
        }
        Ok(())
    }

    /// Waits until the projectors have reached `position`, the time is over, or the server ends.
    pub(super) async fn until(
        self,
        host: &Host,
        position: u64,
        closing: &mut Closing,
    ) -> Vec<ReachedBody> {
        let reached = tokio::select! {
            reached = host.wait_for_projectors(&self.projectors, position, self.patience) => reached,
            () = closing.begun() => host.projectors_reached(&self.projectors, position),
        };
        reached.into_iter().map(ReachedBody::from).collect()
    }
}

impl From<Reached> for ReachedBody {
    fn from(reached: Reached) -> Self {
        Self {
            name: reached.name.to_string(),
            position: reached.position,
            reached: reached.reached,
            failure: reached.failure,
        }
    }
}

/// A duration as `5s` or `500ms`; a bare number is seconds.
fn parse_timeout(text: &str) -> Result<Duration, Problem> {
    let number = |digits: &str| digits.parse::<u64>().ok();
    let timeout = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(millis), _) => number(millis).map(Duration::from_millis),
        (None, Some(seconds)) => number(seconds).map(Duration::from_secs),
        (None, None) => number(text).map(Duration::from_secs),
    };
    timeout
        .filter(|timeout| *timeout <= limits::WAIT_TIMEOUT_CAP)
        .ok_or_else(|| {
            invalid(format!(
                "the parameter timeout must be written as 5s or 500ms and be at most {}s, but is \
                 {text:?}",
                limits::WAIT_TIMEOUT_CAP.as_secs()
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_a_limit() {
        let millis = |text| parse_timeout(text).ok().map(|timeout| timeout.as_millis());
        assert_eq!(millis("5s"), Some(5_000));
        assert_eq!(millis("5"), Some(5_000));
        assert_eq!(millis("0ms"), Some(0));
        assert_eq!(millis("60000ms"), Some(60_000));
        for wrong in [
            "",
            "s",
            "ms",
            "5m",
            "-5s",
            "60001ms",
            "61s",
            "99999999999999999999s",
        ] {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
    }
}
