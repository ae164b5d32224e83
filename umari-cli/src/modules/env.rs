//! The environment variables of a module: their names, which are no secret.

use serde_json::{Value, json};

use crate::kind::ModuleKind;
use crate::output::fault::Fault;

/// The variables of a version, or of the active one, out of what the server says about the module.
pub(super) fn of(
    kind: ModuleKind,
    name: &str,
    version: Option<&str>,
    detail: &Value,
) -> Result<Value, Fault> {
    let versions = detail["versions"].as_array();
    let versions = versions.map(Vec::as_slice).unwrap_or_default();
    let Some(wanted) = version.or(detail["active"].as_str()) else {
        return Err(Fault::new(format!("no version of {kind} {name} is active"))
            .help(format!("name one of {}", stored(versions))));
    };
    let found = versions.iter().find(|stored| stored["version"] == wanted);
    let Some(found) = found else {
        return Err(Fault::new(format!("there is no {kind} {name} {wanted}"))
            .help(format!("name one of {}", stored(versions))));
    };
    Ok(json!({
        "kind": kind,
        "name": name,
        "version": wanted,
        "active": detail["active"] == wanted,
        "env": found["env"],
    }))
}

/// The version, and each name on a line of its own.
pub(super) fn render(answer: &Value) -> String {
    let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
    let active = if answer["active"] == true {
        " (active)"
    } else {
        ""
    };
    let head = format!(
        "{} {} {}{active}",
        text("kind"),
        text("name"),
        text("version")
    );
    let names = answer["env"].as_array().map(Vec::as_slice);
    let names = names
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .map(|name| format!("  {name}"));
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return format!("{head}: no variables");
    }
    format!("{head}\n{}", names.join("\n"))
}

fn stored(versions: &[Value]) -> String {
    let versions = versions
        .iter()
        .filter_map(|stored| stored["version"].as_str());
    versions.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn detail(active: Option<&str>) -> Value {
        json!({ "active": active, "versions": [
            { "version": "1.0.0", "env": [] },
            { "version": "1.1.0", "env": ["API_BASE", "API_KEY"] },
        ] })
    }

    #[test]
    fn the_active_version_or_the_one_that_is_named_is_shown() {
        let show = |version| {
            of(
                ModuleKind::Effect,
                "notify",
                version,
                &detail(Some("1.1.0")),
            )
            .map(|answer| render(&answer))
        };
        expect![[r"
            effect notify 1.1.0 (active)
              API_BASE
              API_KEY"]]
        .assert_eq(&show(None).expect("the active one"));
        assert_eq!(
            show(Some("1.0.0")).as_deref(),
            Ok("effect notify 1.0.0: no variables")
        );
        let fault = show(Some("2.0.0")).expect_err("no such version");
        assert_eq!(fault.to_string(), "there is no effect notify 2.0.0");
        assert_eq!(fault.advice(), ["name one of 1.0.0, 1.1.0"]);
    }

    #[test]
    fn without_an_active_version_one_has_to_be_named() {
        let fault = of(ModuleKind::Effect, "notify", None, &detail(None));
        let fault = fault.expect_err("none is active");
        assert_eq!(fault.to_string(), "no version of effect notify is active");
        assert_eq!(fault.advice(), ["name one of 1.0.0, 1.1.0"]);
    }
}
