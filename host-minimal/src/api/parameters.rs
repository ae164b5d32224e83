//! The parameters in the query of a request.

use super::Problem;

/// Hands each parameter to `take`, which says whether there is one of this name; `known` says which
/// there are.
pub(super) fn each(
    query: Option<&str>,
    known: &str,
    mut take: impl FnMut(&str, String) -> Result<bool, Problem>,
) -> Result<(), Problem> {
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if !take(&name, value.into_owned())? {
            return Err(invalid(format!("there is no parameter {name:?}; {known}")));
        }
    }
    Ok(())
}

/// A parameter has a value that it cannot have.
pub(super) fn must_be(name: &str, wanted: &str, value: &str) -> Problem {
    invalid(format!(
        "the parameter {name} must be {wanted}, but is {value:?}"
    ))
}

pub(super) fn invalid(detail: String) -> Problem {
    Problem::bad_request("invalid-query", "Invalid query", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_does_not_exist_is_named() {
        let refused = each(Some("reson=x"), "there are reason", |_, _| Ok(false)).unwrap_err();
        let text = serde_json::to_string(&refused).unwrap();
        assert!(
            text.contains("reson") && text.contains("there are reason"),
            "{text}"
        );
    }
}
