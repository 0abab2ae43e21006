//! `pistol new`: makes a document.

use std::path::PathBuf;

use pistol::{DocumentId, Node};

use super::Context;
use super::ls::Listed;
use crate::execute::load;
use crate::failure::Failure;
use crate::import::{check_name, import, name_taken, read_text};
use crate::policy::PolicyName;
use crate::preset::{Making, PresetName};
use crate::store::Network;

/// Makes a document with a text, and prints its id
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  pistol new notes\n  pistol new plan --policy world-writable --from plan.md\n  pistol new agenda --space club --preset team"
)]
pub(crate) struct New {
    /// What you call it; others have names of their own for it
    name: String,
    /// Who may change it
    #[arg(long, value_enum, default_value_t)]
    policy: PolicyName,
    /// What it is for, instead of a policy: that says who reads it too
    #[arg(long, value_enum, conflicts_with = "policy")]
    preset: Option<PresetName>,
    /// Makes it in a space: it comes to all who follow that. With the policy `members` the space's writers write in it
    #[arg(long, value_name = "SPACE")]
    space: Option<String>,
    /// A file with its first text
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

impl New {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let text = self.from.as_deref().map(read_text).transpose()?;
        let store = context.reach(&Network::Off).await?;
        let New { policy, preset, .. } = self;
        let making = Making { policy, preset, space: self.space };
        let made = import(&store, context, &self.name, making, &text.unwrap_or_default()).await;
        let closed = store.close().await;
        let made = made?;
        closed?;
        context.output.record(&made, &made.id)?;
        context.output.say(format_args!("made `{}`; `pistol edit {}` writes into it", self.name, self.name));
        Ok(())
    }
}

/// Makes a document.
pub(crate) async fn make(node: &Node, making: &Making) -> Result<Listed, Failure> {
    let doc = making.make(node).await?;
    doc.flush().await.map_err(Failure::of)?;
    Listed::of(node, doc.id())
}

/// Names a document.
pub(crate) async fn name(node: &Node, document: &str, name: &str) -> Result<Listed, Failure> {
    let id = load(node, document).await?.id();
    check_free(node, name, id)?;
    node.name(id, name).await.map_err(Failure::of)?;
    Listed::of(node, id)
}

/// Checks that a name can be given: that it names nothing yet, or the document that is meant.
pub(crate) fn check_free(node: &Node, name: &str, meant: DocumentId) -> Result<(), Failure> {
    check_name(name)?;
    let named = node.named(name).filter(|named| *named != meant);
    if named.is_some() { Err(name_taken(name)) } else { Ok(()) }
}
