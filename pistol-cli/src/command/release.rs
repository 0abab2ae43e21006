//! `pistol release`: opens a document or a space to everybody, for ever.

use pistol::Node;

use super::Context;
use super::ls::Listed;
use crate::confirm::confirm;
use crate::execute::load_with_members;
use crate::failure::Failure;
use crate::kind::KindName;
use crate::request::Request;

/// Opens a document with members, or a space, to everybody, for ever; nothing can take that back
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol release plan\n  pistol release club --confirm club")]
pub(crate) struct Release {
    /// The name of a document or a space, or the beginning of its id
    document: String,
    /// The same again, instead of typing it when asked
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
}

impl Release {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let found: Listed = context.ask(Request::Find { name: self.document.clone() }).await?;
        context.output.say(match found.kind {
            KindName::Space => {
                "revocations, bans and removals in it count no more from then on, and nobody can make any"
            }
            _ => "whoever can read it changes everything from then on, and no revocation counts",
        });
        confirm(&self.document, self.confirm.as_deref(), "--confirm NAME")?;
        let changed: Listed = context.ask(Request::Release { document: self.document }).await?;
        context.output.changed(&changed)?;
        context.output.say("released");
        Ok(())
    }
}

/// Releases it.
pub(crate) async fn execute(node: &Node, document: &str) -> Result<Listed, Failure> {
    let doc = load_with_members(node, document).await?;
    doc.release().map_err(Failure::of)?;
    doc.flush().await.map_err(Failure::of)?;
    Listed::of(node, doc.id())
}
