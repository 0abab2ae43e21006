//! `pistol release`: opens a document to everybody, for ever.

use pistol::Node;

use super::Context;
use super::ls::Listed;
use crate::confirm::confirm;
use crate::execute::load;
use crate::failure::Failure;
use crate::request::Request;

/// Opens a document with members to everybody, for ever; nothing can take that back
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol release plan\n  pistol release plan --confirm plan")]
pub(crate) struct Release {
    /// The document's name, or the beginning of its id
    document: String,
    /// The same again, instead of typing it when asked
    #[arg(long, value_name = "DOCUMENT")]
    confirm: Option<String>,
}

impl Release {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        context.output.say("whoever can read it changes everything from then on, and no revocation counts");
        confirm(&self.document, self.confirm.as_deref(), "--confirm DOCUMENT")?;
        let changed: Listed = context.ask(Request::Release { document: self.document }).await?;
        context.output.changed(&changed)?;
        context.output.say("released");
        Ok(())
    }
}

/// Releases it.
pub(crate) async fn execute(node: &Node, document: &str) -> Result<Listed, Failure> {
    let doc = load(node, document).await?;
    doc.release().map_err(Failure::of)?;
    doc.flush().await.map_err(Failure::of)?;
    Listed::of(node, doc.id())
}
