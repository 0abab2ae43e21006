//! `pistol log`: shows who changed a document, and when.

use pistol::{HistoryEntry, Node};
use serde::{Deserialize, Serialize};

use super::Context;
use crate::date::date;
use crate::execute::load;
use crate::failure::Failure;
use crate::request::Request;

/// Letters of an author that are shown to people.
const AUTHOR_LETTERS: usize = 16;

/// Shows the changes of a document, oldest first
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol log notes\n  pistol log notes --json")]
pub(crate) struct Log {
    /// The document's name, or the beginning of its id
    document: String,
}

/// A change of a document.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Change {
    id: String,
    author: String,
    seq: u64,
    time_ms: u64,
    operations: u32,
    message: Option<String>,
}

impl Log {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let changes: Vec<Change> = context.ask(Request::History { document: self.document }).await?;
        for change in &changes {
            context.output.record(change, change.words())?;
        }
        if changes.is_empty() {
            context.output.say("nobody has changed it yet");
        }
        Ok(())
    }
}

impl Change {
    fn words(&self) -> String {
        let author: String = self.author.chars().take(AUTHOR_LETTERS).collect();
        let (date, seq, operations) = (date(self.time_ms), self.seq, self.operations);
        // One line a change: a message's own lines are its author's.
        let message = self.message.as_deref().unwrap_or_default().replace(['\n', '\t'], " ");
        format!("{date}  {author} {seq:>6}  {operations:>6} operations  {message}").trim_end().to_owned()
    }
}

impl From<HistoryEntry> for Change {
    fn from(entry: HistoryEntry) -> Self {
        Change {
            id: entry.id.to_string(),
            author: entry.author.to_string(),
            seq: entry.seq,
            time_ms: entry.time_ms,
            operations: entry.operations,
            message: entry.message,
        }
    }
}

/// The changes of a document.
pub(crate) async fn execute(node: &Node, document: &str) -> Result<Vec<Change>, Failure> {
    let doc = load(node, document).await?;
    Ok(doc.history().into_iter().map(Change::from).collect())
}
