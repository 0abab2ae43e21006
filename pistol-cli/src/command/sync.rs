//! `pistol sync`: brings documents up to date with those who have them too.

use std::time::Duration;

use pistol::{Doc, Node};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Context;
use super::ls::{Listed, everything};
use crate::equal::{Outcome, Terms, milliseconds, nobody, wait_until_equal};
use crate::execute::load_any;
use crate::failure::Failure;
use crate::request::{Progress, Request};
use crate::span::parse_span;
use crate::store::{Network, check_exists};

/// Connects to known peers and returns when the documents are equal to theirs
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol sync\n  pistol sync notes --wait --timeout 1m")]
pub(crate) struct Sync {
    /// The document's name, or the beginning of its id [default: every document that somebody shares]
    document: Option<String>,
    /// Goes on trying peers that cannot be reached
    #[arg(long)]
    wait: bool,
    /// When to give up
    #[arg(long, value_name = "TIME", value_parser = parse_span, default_value = "10s")]
    timeout: Duration,
}

/// What is equal now.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Synced {
    documents: Vec<Listed>,
}

impl Sync {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        check_exists(&context.folder)?;
        let (wait, timeout_ms) = (self.wait, milliseconds(self.timeout));
        let request = Request::Sync { document: self.document, wait, timeout_ms };
        let synced: Synced = context.ask_with(&Network::On(Vec::new()), request).await?;
        for listed in &synced.documents {
            context.output.record(listed, format_args!("{}  {}  equal", listed.shown_name(), listed.id))?;
        }
        Ok(())
    }
}

/// Waits until the documents are equal to a peer's. All that can be are; the first that cannot is the failure.
pub(crate) async fn execute(
    node: &Node,
    document: Option<&str>,
    terms: Terms,
    progress: &watch::Sender<Progress>,
) -> Result<Synced, Failure> {
    let deadline = terms.deadline();
    // All are held at once, so that all of them sync while one is waited for.
    let docs = match document {
        Some(document) => vec![load_any(node, document).await?],
        None => load_all(node).await?,
    };
    let total = docs.len() as u64;
    let mut documents = Vec::new();
    let mut failure = None;
    for (doc, done) in docs.iter().zip(0..) {
        let listed = Listed::of(node, doc.id())?;
        let name = listed.name.clone().unwrap_or_else(|| listed.id.clone());
        let tell = |doing| {
            progress.send_replace(Progress { done, total, doing: format!("{name}: {doing}") });
        };
        match wait_until_equal(node, doc, terms.wait, deadline, tell).await {
            Ok(Outcome::Equal) => documents.push(listed),
            Ok(Outcome::Alone) => {}
            Err(cause) => failure = failure.or(Some(of_document(&name, cause))),
        }
    }
    match failure {
        Some(failure) => Err(failure),
        None if documents.is_empty() => Err(nobody()),
        None => Ok(Synced { documents }),
    }
}

async fn load_all(node: &Node) -> Result<Vec<Doc>, Failure> {
    let mut docs = Vec::new();
    for listed in everything(node) {
        docs.push(node.held(listed.id).await.map_err(Failure::of)?);
    }
    Ok(docs)
}

fn of_document(name: &str, failure: Failure) -> Failure {
    let message = format!("`{name}` is not equal yet: {}", failure.message);
    Failure { message, ..failure }
}
