//! `pistol init`: makes the store.

use pistol::Node;
use serde::{Deserialize, Serialize};

use super::Context;
use crate::failure::Failure;
use crate::request::Request;
use crate::store::Network;

/// Makes the store, or says whose it is if it is there
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol init\n  pistol --store ./work.pistol init")]
pub(crate) struct Init {}

/// Who a node is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Identity {
    author: String,
    node: String,
}

impl Identity {
    /// The author.
    pub(crate) fn author(&self) -> &str {
        &self.author
    }

    /// The author and the node.
    pub(crate) fn words(&self) -> String {
        format!("author  {}\nnode    {}", self.author, self.node)
    }
}

#[derive(Serialize)]
struct Shown {
    store: String,
    is_new: bool,
    #[serde(flatten)]
    identity: Identity,
}

impl Init {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let is_new = !context.folder.exists();
        let identity = context.ask_with(&Network::Off, Request::Identity).await?;
        let store = std::path::absolute(&context.folder).unwrap_or_else(|_| context.folder.clone());
        let shown = Shown { store: store.display().to_string(), is_new, identity };
        let words = format!("store   {}\n{}", shown.store, shown.identity.words());
        context.output.record(&shown, words)?;
        context.output.say(if is_new { "the store is new" } else { "the store was there already" });
        Ok(())
    }
}

/// Says who the node is.
pub(crate) fn execute(node: &Node) -> Identity {
    Identity { author: node.author().to_string(), node: node.id().to_string() }
}
