//! Policies, as the command line spells them.

use std::fmt;

use pistol::{Policy, Preset};
use serde::{Deserialize, Serialize};

/// Who may change a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PolicyName {
    /// Its author only
    #[default]
    Owned,
    /// Everybody who can read it
    WorldWritable,
    /// Everybody who can read it adds, and nobody changes what others wrote
    FirstWriter,
    /// Whom `pistol grant` names
    Members,
    /// A rule that this version has no word for
    #[value(skip)]
    Other,
}

impl From<Policy> for PolicyName {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Owned => PolicyName::Owned,
            Policy::WorldWritable => PolicyName::WorldWritable,
            Policy::FirstWriter { .. } => PolicyName::FirstWriter,
            Policy::Members => PolicyName::Members,
            _ => PolicyName::Other,
        }
    }
}

impl PolicyName {
    /// The policy, if this version has it.
    pub(crate) fn policy(self) -> Option<Policy> {
        match self {
            PolicyName::Owned => Some(Policy::Owned),
            PolicyName::WorldWritable => Some(Policy::WorldWritable),
            PolicyName::FirstWriter => Some(Preset::Wall.policy()),
            PolicyName::Members => Some(Policy::Members),
            PolicyName::Other => None,
        }
    }

    /// What such a document is made for in a space.
    pub(crate) fn preset_in_space(self) -> Option<Preset> {
        match self {
            PolicyName::Owned => Some(Preset::Published),
            PolicyName::WorldWritable => Some(Preset::Open),
            PolicyName::FirstWriter => Some(Preset::Wall),
            PolicyName::Members => Some(Preset::Team),
            PolicyName::Other => None,
        }
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PolicyName::Owned => "owned",
            PolicyName::WorldWritable => "world-writable",
            PolicyName::FirstWriter => "first-writer",
            PolicyName::Members => "members",
            PolicyName::Other => "other",
        })
    }
}
