//! `pistol revoke`: ends somebody's part in a document or a space.

use pistol::{Doc, Node, Revocation};
use serde::{Deserialize, Serialize};

use super::Context;
use super::grant::Parted;
use super::identity::kept;
use super::ls::Listed;
use crate::confirm::confirm;
use crate::execute::load_with_members;
use crate::failure::Failure;
use crate::kind::KindName;
use crate::request::Request;
use crate::who::who;

/// Ends somebody's part in a document or a space; what is shown of their work stays
///
/// In a space their documents leave it, but for those that others have edited; what they wrote into documents of its members is
/// masked, unless others have built on it or --keep names the document.
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  pistol revoke plan bob\n  pistol revoke plan 5f1c…e2 --exact\n  pistol revoke club bob --keep plan"
)]
pub(crate) struct Revoke {
    /// The name of a document or a space, or the beginning of its id
    document: String,
    /// Whose: an author, or an identity or a group, as for `pistol grant`
    who: String,
    /// Take away everything they wrote as well, and what others built on it; how much that is is said before
    #[arg(long)]
    exact: bool,
    /// Of a space: a document in which all stays that is shown here; may be repeated
    #[arg(long, value_name = "DOC", conflicts_with = "exact")]
    keep: Vec<String>,
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
        let Revoke { document, who, exact, keep, .. } = self;
        if exact {
            let loss = Request::Loss { document: document.clone(), who: who.clone() };
            let lost: Lost = context.ask(loss).await?;
            let theirs = format!("{} changes of theirs", lost.theirs);
            context.output.say(format_args!("this takes away {theirs}, and {} of others, here", lost.others));
            confirm("yes", self.yes.then_some("yes"), "--yes")?;
        }
        let changed: Parted = context.ask(Request::Revoke { document, who, exact, keep }).await?;
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
    let doc = load_with_members(node, document).await?;
    check_exact(node, &doc, document)?;
    let loss = doc.loss(who(node, text)?, how(true)).map_err(Failure::of)?;
    Ok(Lost { theirs: loss.purged, others: loss.orphaned })
}

/// A space has no changes of its own to take away.
fn check_exact(node: &Node, doc: &Doc, name: &str) -> Result<(), Failure> {
    if Listed::of(node, doc.id())?.kind != KindName::Space {
        return Ok(());
    }
    let help = format!(
        "`pistol space ban {name} WHO` takes away all documents of theirs; leave --exact out to end their part"
    );
    Err(Failure::usage("--exact is for documents", help))
}

/// Revokes.
pub(crate) async fn execute(
    node: &Node,
    document: &str,
    text: &str,
    exact: bool,
    keep: &[String],
) -> Result<Parted, Failure> {
    let doc = load_with_members(node, document).await?;
    let subject = who(node, text)?;
    if Listed::of(node, doc.id())?.kind == KindName::Space {
        let kept = kept(node, keep).await?;
        let space = node.space(doc.id()).await.map_err(Failure::of)?;
        space.revoke(subject, &kept.iter().collect::<Vec<_>>()).map_err(Failure::of)?;
    } else if keep.is_empty() {
        doc.revoke(subject, how(exact)).map_err(Failure::of)?;
    } else {
        let help = "leave it out: what is shown here of their work in a document stays anyway";
        return Err(Failure::usage("--keep is for spaces", help));
    }
    doc.flush().await.map_err(Failure::of)?;
    Parted::of(node, doc.id(), &subject, None)
}
