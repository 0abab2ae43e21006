//! `pistol revoke`: ends somebody's part in a document.

use pistol::{Node, Revocation};
use serde::{Deserialize, Serialize};

use super::Context;
use super::grant::Parted;
use crate::confirm::confirm;
use crate::execute::load;
use crate::failure::Failure;
use crate::request::Request;
use crate::who::who;

/// Ends somebody's part in a document; what is shown of their work stays
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol revoke plan bob\n  pistol revoke plan 5f1c…e2 --exact")]
pub(crate) struct Revoke {
    /// The document's name, or the beginning of its id
    document: String,
    /// Whose: an author, or an identity or a group, as for `pistol grant`
    who: String,
    /// Take away everything they wrote as well, and what others built on it; how much that is is said before
    #[arg(long)]
    exact: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What a revocation would take away.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Lost {
    theirs: usize,
    others: usize,
}

impl Revoke {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let Revoke { document, who, exact, .. } = self;
        if exact {
            let loss = Request::Loss { document: document.clone(), who: who.clone() };
            let lost: Lost = context.ask(loss).await?;
            let theirs = format!("{} changes of theirs", lost.theirs);
            context.output.say(format_args!("this takes away {theirs}, and {} of others, here", lost.others));
            confirm("yes", self.yes.then_some("yes"), "--yes")?;
        }
        let changed: Parted = context.ask(Request::Revoke { document, who, exact }).await?;
        changed.print(context)?;
        context.output.say("revoked; it ends their part as others learn of it");
        Ok(())
    }
}

fn how(exact: bool) -> Revocation {
    if exact { Revocation::Exact } else { Revocation::Endorsed }
}

/// Counts what would go.
pub(crate) async fn loss(node: &Node, document: &str, text: &str) -> Result<Lost, Failure> {
    let doc = load(node, document).await?;
    let loss = doc.loss(who(node, text)?, how(true)).map_err(Failure::of)?;
    Ok(Lost { theirs: loss.purged, others: loss.orphaned })
}

/// Revokes.
pub(crate) async fn execute(node: &Node, document: &str, text: &str, exact: bool) -> Result<Parted, Failure> {
    let doc = load(node, document).await?;
    let subject = who(node, text)?;
    doc.revoke(subject, how(exact)).map_err(Failure::of)?;
    doc.flush().await.map_err(Failure::of)?;
    Parted::of(node, &doc, &subject, None)
}
