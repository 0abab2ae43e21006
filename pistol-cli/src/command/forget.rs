//! `pistol forget`: removes a document from the store.

use pistol::Node;

use super::Context;
use super::ls::Listed;
use crate::execute::find_any;
use crate::failure::Failure;
use crate::request::Request;

/// Removes a document from this store, or an identity or a group that nothing needs; peers keep theirs
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol forget notes\n  pistol forget 3mHx9 --quiet")]
pub(crate) struct Forget {
    /// The document's name, or the beginning of its id
    document: String,
}

impl Forget {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let forgotten: Listed = context.ask(Request::Forget { document: self.document }).await?;
        context.output.record(&forgotten, format_args!("{}  {}", forgotten.shown_name(), forgotten.id))?;
        context.output.say("removed here; who has a ticket can join it again");
        Ok(())
    }
}

/// Removes a document; its room is free when this returns.
pub(crate) async fn execute(node: &Node, document: &str) -> Result<Listed, Failure> {
    let id = find_any(node, document)?;
    let listed = Listed::of(node, id)?;
    node.forget(id).await.map_err(Failure::of)?;
    Ok(listed)
}
