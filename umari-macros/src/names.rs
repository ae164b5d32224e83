//! What names may look like. Each check says what is wrong, or nothing.

/// The prefix of the tags that the host keeps for itself.
const RESERVED_PREFIX: &str = "umari.";

pub(crate) fn wrong_event_type(name: &str) -> Option<&'static str> {
    if name.trim().is_empty() {
        Some("an event type needs a name, as in `shop.connected`")
    } else if name.chars().any(char::is_control) {
        Some("an event type has no control characters")
    } else if name.trim() != name {
        Some("an event type does not begin or end with a space")
    } else {
        None
    }
}

pub(crate) fn wrong_domain_id(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("a domain id needs a name, as in `shop_id`".to_owned())
    } else if name.contains(':') {
        Some("a domain id's name has no `:`, which ends the name in a tag".to_owned())
    } else if name
        .chars()
        .any(|char| char.is_control() || char.is_whitespace())
    {
        Some("a domain id's name has no spaces and no control characters".to_owned())
    } else if name.starts_with(RESERVED_PREFIX) {
        Some(format!(
            "names that begin with `{RESERVED_PREFIX}` are reserved to the host"
        ))
    } else {
        None
    }
}

/// A command's name is a kebab-case identifier of WIT: words of letters and digits, each beginning
/// with a letter, joined by `-`.
pub(crate) fn wrong_command(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("this name is empty".to_owned());
    }
    for word in name.split('-') {
        let mut chars = word.chars();
        match chars.next() {
            None => return Some(format!("`{name}` has a `-` without words on both sides")),
            Some(first) if !first.is_ascii_alphabetic() => {
                return Some(format!("`{word}` in `{name}` does not begin with a letter"));
            }
            Some(_) => {}
        }
        if let Some(odd) = word.chars().find(|char| !char.is_ascii_alphanumeric()) {
            return Some(format!("`{name}` has a `{odd}`"));
        }
        if word.chars().any(|char| char.is_ascii_uppercase()) {
            return Some(format!("`{word}` in `{name}` is not lowercase"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_names_are_kebab_case() {
        for name in ["execute", "connect-shop", "v2", "sell-warranty-v2"] {
            assert_eq!(wrong_command(name), None, "{name}");
        }
        for name in [
            "",
            "-",
            "connect--shop",
            "2fa",
            "connect-2nd",
            "Connect",
            "a_b",
            "ü",
        ] {
            assert!(wrong_command(name).is_some(), "{name}");
        }
    }

    #[test]
    fn domain_id_names_leave_room_for_the_tag() {
        assert_eq!(wrong_domain_id("shop_id"), None);
        for name in ["", "a:b", "a b", "umari.x", "\n"] {
            assert!(wrong_domain_id(name).is_some(), "{name}");
        }
    }

    #[test]
    fn event_types_are_visible() {
        assert_eq!(wrong_event_type("shop.connected"), None);
        for name in ["", " ", "a\u{7}", " a"] {
            assert!(wrong_event_type(name).is_some(), "{name}");
        }
    }
}
