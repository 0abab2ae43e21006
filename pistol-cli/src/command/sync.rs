//! `pistol sync`: brings documents up to date with those who have them too.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use pistol::{Doc, DocumentId, Node};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Context;
use super::ls::{Listed, everything};
use super::space;
use crate::equal::{Outcome, Terms, milliseconds, nobody, wait_until_equal};
use crate::execute::load_any;
use crate::failure::Failure;
use crate::kind::KindName;
use crate::request::{Progress, Request};
use crate::span::parse_span;
use crate::store::{Network, check_exists};

/// Connects to known peers and returns when the documents are equal to theirs
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol sync\n  pistol sync notes --wait --timeout 1m")]
pub(crate) struct Sync {
    /// The name of a document, a space, an identity or a group, or the beginning of its id; a space's documents are synced with it
    /// [default: everything that somebody shares]
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
    let mut docs = match document {
        Some(document) => VecDeque::from([load_any(node, document).await?]),
        None => load_all(node).await?,
    };
    let mut seen: BTreeSet<DocumentId> = docs.iter().map(Doc::id).collect();
    let (mut documents, mut failure, mut done) = (Vec::new(), None, 0);
    while let Some(doc) = docs.pop_front() {
        let (listed, total) = (Listed::of(node, doc.id())?, seen.len() as u64);
        let (name, kind) = (listed.name.clone().unwrap_or_else(|| listed.id.clone()), listed.kind);
        let tell = |doing| {
            progress.send_replace(Progress { done, total, doing: format!("{name}: {doing}") });
        };
        match wait_until_equal(node, &doc, terms.wait, deadline, tell).await {
            Ok(Outcome::Equal) => documents.push(listed),
            Ok(Outcome::Alone) => {}
            Err(cause) => failure = failure.or(Some(of_document(&name, cause))),
        }
        done += 1;
        // Its documents came with it, or were here and are asked for with it.
        if kind == KindName::Space {
            docs.extend(space::documents(node, doc.id()).await?.into_iter().filter(|doc| seen.insert(doc.id())));
        }
    }
    match failure {
        Some(failure) => Err(failure),
        None if documents.is_empty() => Err(nobody()),
        None => Ok(Synced { documents }),
    }
}

async fn load_all(node: &Node) -> Result<VecDeque<Doc>, Failure> {
    let mut docs = VecDeque::new();
    for listed in everything(node) {
        docs.push_back(node.held(listed.id).await.map_err(Failure::of)?);
    }
    Ok(docs)
}

fn of_document(name: &str, failure: Failure) -> Failure {
    let message = format!("`{name}` is not equal yet: {}", failure.message);
    Failure { message, ..failure }
}
