//! The three kinds of module.

use serde::{Deserialize, Serialize};

/// What a module is. The plural names the collection in the HTTP API and on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModuleKind {
    /// Writes events.
    #[serde(alias = "commands")]
    Command,
    /// Keeps a read model.
    #[serde(alias = "projectors")]
    Projector,
    /// Acts on the outside world.
    #[serde(alias = "effects")]
    Effect,
}

impl ModuleKind {
    /// All kinds, in the order in which they are listed and deployed: an effect may call commands
    /// and should find the read models there, so it comes last.
    pub(crate) const ALL: [Self; 3] = [Self::Command, Self::Projector, Self::Effect];

    /// The name of one.
    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Projector => "projector",
            Self::Effect => "effect",
        }
    }

    /// The name of the collection.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Command => "commands",
            Self::Projector => "projectors",
            Self::Effect => "effects",
        }
    }
}

impl From<ModuleKind> for host_minimal::modules::ModuleKind {
    fn from(kind: ModuleKind) -> Self {
        match kind {
            ModuleKind::Command => Self::Command,
            ModuleKind::Projector => Self::Projector,
            ModuleKind::Effect => Self::Effect,
        }
    }
}

impl std::fmt::Display for ModuleKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.singular())
    }
}
