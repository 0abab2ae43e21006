//! What one or two nodes do.

mod edit;
pub(crate) mod first_sync;
pub(crate) mod live;
mod share;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use pistol::Node;

use crate::Outcome;

/// Longer than anything here takes on a slow machine.
pub(crate) const WITHIN: Duration = Duration::from_mins(5);

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The editing history for first-sync [default: automerge-paper.json.gz in ../shared/traces, if it is there]
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Only the beginning of the editing history
    #[arg(long, value_name = "COUNT")]
    keystrokes: Option<usize>,
    /// Only this case
    #[arg(long, value_enum, value_name = "NAME")]
    case: Option<Case>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Case {
    FirstSync,
    Edit,
    Live,
    Share,
}

/// Measures what was asked for, one line for each figure.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    let is_wanted = |case| options.case.is_none_or(|only| only == case);
    if is_wanted(Case::FirstSync) {
        first_sync::run("basics", options.trace.as_deref(), options.keystrokes).await?;
    }
    if is_wanted(Case::Edit) {
        for characters in [1000, 100_000] {
            edit::run(characters).await?.print();
        }
    }
    if is_wanted(Case::Live) {
        for characters in [1000, 10_000, 100_000] {
            live::run("basics", characters, 1).await?.print();
        }
    }
    if is_wanted(Case::Share) {
        share::run().await?.print();
    }
    Ok(())
}

/// A node that listens on this machine only.
pub(crate) async fn node(folder: &Path) -> Outcome<Node> {
    Ok(Node::builder(folder).listen(([127, 0, 0, 1], 0).into()).open().await?)
}

/// Bytes that a node sent and received over its present connections, as the transport counts.
fn wire_bytes(node: &Node) -> u64 {
    node.peers().iter().map(|peer| peer.sent_bytes + peer.received_bytes).sum()
}
