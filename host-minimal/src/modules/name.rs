//! What modules are called, and what kinds there are.

use std::fmt;
use std::str::FromStr;

use crate::limits;

/// A module's name: 1 to 64 lower-case letters, digits and hyphens, the first not a hyphen.
///
/// Names become file names, so this is also what keeps a data directory's files inside of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleName(String);

/// A text that is not a module's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a module name: a name has 1 to {} lower-case letters, digits and hyphens and \
     does not begin with a hyphen",
    limits::MODULE_NAME_BYTES
)]
#[non_exhaustive]
pub struct InvalidModuleName {
    /// How the text begins.
    pub text: String,
}

impl ModuleName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ModuleName {
    type Err = InvalidModuleName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=limits::MODULE_NAME_BYTES).contains(&text.len())
            && text.bytes().all(allowed)
            && !text.starts_with('-')
        {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidModuleName {
            text: text.chars().take(limits::MODULE_NAME_BYTES).collect(),
        })
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for ModuleName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The three kinds of modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModuleKind {
    /// Decides, and appends what it decided.
    Command,
    /// Turns events into a read model.
    Projector,
    /// Turns events into calls to the outside.
    Effect,
}

/// A text that is not a kind of modules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a kind of modules: the kinds are command, projector and effect")]
#[non_exhaustive]
pub struct InvalidModuleKind {
    /// How the text begins.
    pub text: String,
}

impl ModuleKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Command, Self::Projector, Self::Effect];

    /// The kind in the singular, as [`Display`](fmt::Display) writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Projector => "projector",
            Self::Effect => "effect",
        }
    }

    /// The kind in the plural, as URLs and the command line have it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Command => "commands",
            Self::Projector => "projectors",
            Self::Effect => "effects",
        }
    }
}

impl FromStr for ModuleKind {
    type Err = InvalidModuleKind;

    /// Singular and plural are the same kind.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| text == kind.as_str() || text == kind.plural())
            .ok_or_else(|| InvalidModuleKind {
                text: text.chars().take(32).collect(),
            })
    }
}

impl fmt::Display for ModuleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_a_directory_or_confuse_a_reader_are_refused() {
        let bad = [
            "", "-", "-a", "A", "aB", "a_b", "a.b", ".", "..", "../a", "a/b", "a\\b", "a b", " a",
            "a\n", "a\0", "é", "a:b", "%2e%2e",
        ];
        for text in bad {
            let error = text.parse::<ModuleName>().expect_err(text);
            assert!(
                error
                    .to_string()
                    .contains("lower-case letters, digits and hyphens"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_name_may_be_as_long_as_the_limit_and_no_longer() {
        let longest = "a".repeat(limits::MODULE_NAME_BYTES);
        assert_eq!(
            longest
                .parse::<ModuleName>()
                .expect("at the limit")
                .as_str(),
            longest
        );
        let error = format!("{longest}a")
            .parse::<ModuleName>()
            .expect_err("one past");
        assert!(error.to_string().contains("1 to 64"), "{error}");
        for text in ["a", "0", "a-", "connect-shop", "7-eleven"] {
            assert_eq!(text.parse::<ModuleName>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn kinds_are_read_in_both_numbers() {
        for kind in ModuleKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert_eq!(kind.plural().parse(), Ok(kind));
        }
        let error = "Command"
            .parse::<ModuleKind>()
            .expect_err("kinds are lower-case");
        assert!(
            error.to_string().contains("command, projector and effect"),
            "{error}"
        );
    }
}
