//! Names of applications, modules and events.

use std::fmt;
use std::str::FromStr;

/// The longest name, which is also the longest that a host takes for a module.
pub(super) const NAME_MAX_CHARS: usize = 64;

/// Names that are no good crate names, although they are well formed: what Rust has for itself,
/// and the libraries that every module sees.
const RESERVED: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
    "umari",
    "umari-cli",
    "umari-macros",
    "umari-testing",
];
/// Names that Windows keeps for devices: a checkout with such a directory fails there.
const DEVICES: &[&str] = &["aux", "con", "nul", "prn"];

/// A name in kebab case that is fit for a crate, a directory and a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(String);

/// The name of an event: what it happened to, and what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EventName(Name);

/// A text that is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` cannot be a name")]
#[non_exhaustive]
pub(super) struct InvalidName {
    /// How the text begins.
    shown: String,
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason {
    Form { suggestion: Option<String> },
    Length,
    Reserved,
    NoVerb,
}

impl InvalidName {
    fn new(text: &str, reason: Reason) -> Self {
        Self {
            shown: text.chars().take(NAME_MAX_CHARS).collect(),
            reason,
        }
    }

    /// What is wrong with the text.
    pub(super) fn why(&self) -> String {
        match self.reason {
            Reason::Form { .. } => {
                "a name has lower-case letters, digits and single hyphens, and begins with a letter"
                    .to_owned()
            }
            Reason::Length => format!("a name has at most {NAME_MAX_CHARS} characters"),
            Reason::Reserved => {
                "Rust, the SDK or the file system has it for something else".to_owned()
            }
            Reason::NoVerb => {
                "an event's name says what it happened to, and what happened".to_owned()
            }
        }
    }

    /// What could be written instead.
    pub(super) fn help(&self) -> String {
        match &self.reason {
            Reason::Form {
                suggestion: Some(name),
            } => format!("write `{name}`"),
            Reason::NoVerb => {
                "write it as OBJECT-VERB with the verb in the past tense: task-finished".to_owned()
            }
            _ => "choose another name, such as corner-shop".to_owned(),
        }
    }
}

impl Name {
    /// The name as it was given: `corner-shop`.
    pub(super) fn kebab(&self) -> &str {
        &self.0
    }

    /// As a crate is called in Rust: `corner_shop`.
    pub(super) fn snake(&self) -> String {
        self.0.replace('-', "_")
    }

    /// As a type is called in Rust: `CornerShop`.
    pub(super) fn pascal(&self) -> String {
        let capital = |word: &str| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        };
        self.0.split('-').map(capital).collect()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text.chars().count() > NAME_MAX_CHARS {
            return Err(InvalidName::new(text, Reason::Length));
        }
        if !is_kebab(text) {
            let suggestion = Some(to_kebab(text)).filter(|name| is_kebab(name));
            return Err(InvalidName::new(text, Reason::Form { suggestion }));
        }
        if RESERVED.contains(&text) || is_device(text) {
            return Err(InvalidName::new(text, Reason::Reserved));
        }
        Ok(Self(text.to_owned()))
    }
}

impl EventName {
    /// The name as it was given: `task-list-cleared`.
    pub(super) fn kebab(&self) -> &str {
        self.0.kebab()
    }

    /// The module that holds it: `task_list_cleared`.
    pub(super) fn snake(&self) -> String {
        self.0.snake()
    }

    /// The type: `TaskListCleared`.
    pub(super) fn pascal(&self) -> String {
        self.0.pascal()
    }

    /// What it happened to: `task_list`.
    pub(super) fn object(&self) -> String {
        let (object, _) = self.0.0.rsplit_once('-').unwrap_or_default();
        object.replace('-', "_")
    }

    /// What the log calls it: `task_list.cleared`.
    pub(super) fn event_type(&self) -> String {
        let (_, verb) = self.0.0.rsplit_once('-').unwrap_or_default();
        format!("{}.{verb}", self.object())
    }
}

impl FromStr for EventName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let name: Name = text.parse()?;
        if text.contains('-') {
            Ok(Self(name))
        } else {
            Err(InvalidName::new(text, Reason::NoVerb))
        }
    }
}

/// Whether Windows keeps the name: `nul`, `com1` and the like.
fn is_device(text: &str) -> bool {
    let port = text.strip_prefix("com").or(text.strip_prefix("lpt"));
    DEVICES.contains(&text) || port.is_some_and(|it| it.len() == 1 && it.parse::<u8>().is_ok())
}

fn is_kebab(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('-').all(word)
}

/// What the user may have meant: `TaskFinished`, `task_finished` and `task finished` are one name.
fn to_kebab(text: &str) -> String {
    let mut kebab = String::new();
    for c in text.chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() && !kebab.ends_with('-') {
            kebab.push('-');
        }
        if c.is_ascii_alphanumeric() {
            kebab.push(c.to_ascii_lowercase());
        } else if !kebab.is_empty() && !kebab.ends_with('-') {
            kebab.push('-');
        }
    }
    kebab.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> InvalidName {
        text.parse::<Name>().expect_err(text)
    }

    #[test]
    fn a_name_has_three_spellings() {
        let name: Name = "corner-shop-2".parse().expect("a name");
        assert_eq!(
            (name.kebab(), name.snake().as_str(), name.pascal().as_str()),
            ("corner-shop-2", "corner_shop_2", "CornerShop2")
        );
    }

    #[test]
    fn a_name_is_as_long_as_a_host_takes_it_and_no_longer() {
        assert!("n".repeat(NAME_MAX_CHARS).parse::<Name>().is_ok());
        let error = refused(&"n".repeat(NAME_MAX_CHARS + 1));
        assert_eq!(error.why(), "a name has at most 64 characters");
    }

    #[test]
    fn what_was_meant_is_suggested() {
        for text in ["CornerShop", "corner_shop", "corner shop", "-corner--shop-"] {
            assert_eq!(refused(text).help(), "write `corner-shop`", "{text}");
        }
        for text in ["", "-", "../shop", "1st", "ünï", "a/b/.."] {
            let error = refused(text);
            assert!(error.why().contains("lower-case letters"), "{text}");
        }
    }

    #[test]
    fn what_others_need_is_refused() {
        for text in [
            "match",
            "std",
            "umari",
            "umari-testing",
            "nul",
            "com1",
            "proc-macro",
        ] {
            assert_eq!(refused(text).reason, Reason::Reserved, "{text}");
        }
        assert!("command".parse::<Name>().is_ok());
    }

    #[test]
    fn an_event_has_an_object_and_a_verb() {
        let name: EventName = "task-list-cleared".parse().expect("a name");
        assert_eq!(name.object(), "task_list");
        assert_eq!(name.event_type(), "task_list.cleared");
        assert_eq!(name.pascal(), "TaskListCleared");
        let error = "cleared".parse::<EventName>().expect_err("no object");
        assert!(error.help().contains("OBJECT-VERB"), "{}", error.help());
    }
}
