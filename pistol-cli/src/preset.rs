//! What documents and spaces are made for, as the command line spells it.

use pistol::{Doc, Node, Preset};
use serde::{Deserialize, Serialize};

use crate::command::space;
use crate::failure::Failure;
use crate::policy::PolicyName;

/// What a document or a space is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PresetName {
    /// Its author alone writes; who holds a ticket of it reads
    Private,
    /// Its author alone writes; anybody reads who knows its id, or in a space its readers
    Published,
    /// Who can read it adds, and nobody changes what others wrote
    Wall,
    /// Who can read it changes everything
    Open,
    /// Whom `pistol grant` names, or in a space its writers
    Team,
}

impl From<PresetName> for Preset {
    fn from(preset: PresetName) -> Self {
        match preset {
            PresetName::Private => Preset::Private,
            PresetName::Published => Preset::Published,
            PresetName::Wall => Preset::Wall,
            PresetName::Open => Preset::Open,
            PresetName::Team => Preset::Team,
        }
    }
}

/// What a new document shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Making {
    /// Who may change it.
    pub(crate) policy: PolicyName,
    /// What it is for, if that is said instead.
    pub(crate) preset: Option<PresetName>,
    /// The name of its space, or the beginning of its id.
    pub(crate) space: Option<String>,
}

impl Making {
    /// A document that stands by itself.
    pub(crate) fn of(policy: PolicyName) -> Self {
        Making { policy, preset: None, space: None }
    }

    /// Makes it, with an empty text at `body`.
    pub(crate) async fn make(&self, node: &Node) -> Result<Doc, Failure> {
        let other = || Failure::other_version("there is no such policy");
        let preset = self.preset.map(Preset::from);
        let made = match (&self.space, preset) {
            (Some(space), preset) => {
                let preset = preset.or_else(|| self.policy.preset_in_space()).ok_or_else(other)?;
                space::find(node, space).await?.create(preset, |edit| edit.text("body")).await
            }
            (None, Some(preset)) => node.create_for(preset, |edit| edit.text("body")).await,
            (None, None) => node.create(self.policy.policy().ok_or_else(other)?, |edit| edit.text("body")).await,
        };
        made.map_err(Failure::of)
    }
}
