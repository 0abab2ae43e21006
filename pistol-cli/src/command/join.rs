//! `pistol join`: takes a document from a ticket.

use std::time::Duration;

use pistol::{Doc, Error, ErrorKind, Node, Ticket};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::Context;
use super::ls::Listed;
use super::new::check_free;
use super::space::documents;
use crate::equal::{Outcome, Terms, milliseconds, nobody, wait_until_equal};
use crate::failure::{Exit, Failure};
use crate::kind::KindName;
use crate::request::{Progress, Request};
use crate::span::parse_span;
use crate::store::Network;

/// How long to rest before trying again.
const REST: Duration = Duration::from_millis(200);

/// Joins the document of a ticket, or follows its space, identity or group, and prints its id
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol join TICKET\n  pistol join TICKET --as notes --wait --timeout 1m")]
pub(crate) struct Join {
    /// The first line that `pistol share` printed
    ticket: String,
    /// What you call it
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// Waits until the document is equal to the other side's; of a space, until all its documents are
    #[arg(long)]
    wait: bool,
    /// When to give up
    #[arg(long, value_name = "TIME", value_parser = parse_span, default_value = "10s")]
    timeout: Duration,
}

impl Join {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        // Checked before anything is made or waited for.
        self.ticket.parse::<Ticket>().map_err(Failure::of)?;
        let (wait, timeout_ms) = (self.wait, milliseconds(self.timeout));
        let request = Request::Join { ticket: self.ticket, name: self.name, wait, timeout_ms };
        let joined: Listed = context.ask_with(&Network::On(Vec::new()), request).await?;
        context.output.record(&joined, &joined.id)?;
        let (name, kind) = (joined.name.as_ref().unwrap_or(&joined.id), joined.kind);
        let advice = kind.advice(name);
        let with_it = match kind {
            KindName::Space => "its documents come with it, those made later too; ",
            _ => "",
        };
        context
            .output
            .say(format_args!("joined the {kind}; {with_it}{advice}, `pistol sync {name}` brings it up to date"));
        Ok(())
    }
}

/// Joins the document of a ticket and names it.
pub(crate) async fn execute(
    node: &Node,
    ticket: &str,
    name: Option<&str>,
    terms: Terms,
    progress: &watch::Sender<Progress>,
) -> Result<Listed, Failure> {
    let deadline = terms.deadline();
    let ticket: Ticket = ticket.parse().map_err(Failure::of)?;
    if let Some(name) = name {
        check_free(node, name, ticket.document)?;
    }
    progress.send_replace(Progress { doing: "looking for the other side".into(), ..Progress::default() });
    let doc = join(node, &ticket, deadline).await?;
    if let Some(name) = name {
        node.name(doc.id(), name).await.map_err(Failure::of)?;
    }
    doc.flush().await.map_err(Failure::of)?;
    let listed = Listed::of(node, doc.id())?;
    if terms.wait {
        let tell = |doing| {
            progress.send_replace(Progress { doing, ..Progress::default() });
        };
        if let Outcome::Alone = wait_until_equal(node, &doc, true, deadline, tell).await? {
            return Err(nobody());
        }
        if listed.kind == KindName::Space {
            for doc in documents(node, doc.id()).await? {
                wait_until_equal(node, &doc, true, deadline, tell).await?;
            }
        }
    }
    Ok(listed)
}

/// The SDK gives up after a time of its own; the user's time counts.
async fn join(node: &Node, ticket: &Ticket, deadline: Instant) -> Result<Doc, Failure> {
    let mut last = None;
    loop {
        match timeout_at(deadline, node.join(ticket)).await {
            Ok(Ok(doc)) => return Ok(doc),
            Ok(Err(error)) => match Error::from(error) {
                error if error.kind() != ErrorKind::NoPeer => return Err(Failure::of(error)),
                error => last = Some(error),
            },
            Err(_) => return Err(last.map_or_else(timed_out, Failure::of)),
        }
        if timeout_at(deadline, sleep(REST)).await.is_err() {
            return Err(last.map_or_else(timed_out, Failure::of));
        }
    }
}

fn timed_out() -> Failure {
    Failure::new(
        Exit::NoPeer,
        "the node of the ticket did not answer in time",
        "check that `pistol share` still runs there and that this machine can reach it, or wait longer with --timeout",
    )
}
