//! `pistol forget`: removes a document, or a space with its documents, from the store.

use pistol::Node;
use serde::{Deserialize, Serialize};

use super::Context;
use super::ls::Listed;
use crate::execute::find_any;
use crate::failure::Failure;
use crate::kind::KindName;
use crate::request::Request;

/// Removes a document from this store, a space with all its documents, or an identity or a group that nothing needs; peers keep theirs
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol forget notes\n  pistol forget 3mHx9 --quiet")]
pub(crate) struct Forget {
    /// The name of a document, a space, an identity or a group, or the beginning of its id
    document: String,
}

/// What was removed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Forgotten {
    #[serde(flatten)]
    listed: Listed,
    /// Of a space: how many documents went with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    documents: Option<usize>,
}

impl Forget {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let forgotten: Forgotten = context.ask(Request::Forget { document: self.document }).await?;
        let listed = &forgotten.listed;
        context.output.record(&forgotten, format_args!("{}  {}", listed.shown_name(), listed.id))?;
        let with_it = forgotten.documents.map(|count| format!(", with all {count} documents in it"));
        let with_it = with_it.unwrap_or_default();
        context.output.say(format_args!("removed here{with_it}; who has a ticket can join it again"));
        Ok(())
    }
}

/// Removes a document; its room is free when this returns.
pub(crate) async fn execute(node: &Node, document: &str) -> Result<Forgotten, Failure> {
    let id = find_any(node, document)?;
    let listed = Listed::of(node, id)?;
    let documents = match listed.kind {
        KindName::Space => Some(node.space(id).await.map_err(Failure::of)?.documents().len()),
        _ => None,
    };
    node.forget(id).await.map_err(Failure::of)?;
    Ok(Forgotten { listed, documents })
}
