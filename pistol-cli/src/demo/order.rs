//! What the demo tells its node processes, and what they answer: JSON, one object a line, on stdin and stdout.

use serde::{Deserialize, Serialize};

use super::trace::Stroke;

/// The text that the history is typed into.
pub(super) const BODY: &str = "body";
/// The text that both write while they are apart.
pub(super) const MEETING: &str = "meeting";
/// The text that the stranger writes in.
pub(super) const GUEST: &str = "guest";

/// What a node process is told to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// Make a document. Answer: `Ticket`.
    Create {
        /// What to call it.
        name: String,
        /// Whether only this node may write in it.
        is_owned: bool,
    },
    /// Join a document, and wait until it is equal. Answer: `Done`.
    Join {
        /// What to call it.
        name: String,
        /// The invitation.
        ticket: String,
    },
    /// Invite to a document. Answer: `Ticket`.
    Invite {
        /// Its name.
        name: String,
    },
    /// Type into the shared document. Answer: `Typed`.
    Type {
        /// Which text.
        text: String,
        /// What.
        strokes: Vec<Stroke>,
        /// After how many strokes the node leaves the network.
        cut_after: Option<usize>,
        /// After how many strokes each the node flushes and says `Flushed`.
        flush_every: Option<usize>,
    },
    /// Wait until the shared document holds so many changes. Answer: `Done`.
    Await {
        /// How many.
        changes: u64,
    },
    /// Go back to the network, and wait until the shared document is equal. Answer: `Done`.
    Resume,
    /// Wait until the shared document is equal to a peer's. Answer: `Done`.
    Sync,
    /// Say what the texts are. Answer: `Texts`.
    Read,
    /// Say how a document stands. Answer: `Status`.
    Look {
        /// Its name.
        name: String,
    },
    /// Shut down. Answer: `Done`.
    Close,
}

/// What a node process says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// The node is open.
    Ready {
        /// Its author.
        author: String,
        /// Its name on the network.
        node: String,
    },
    /// An invitation.
    Ticket(String),
    /// It is done, since then, in microseconds since 1970.
    Done(u64),
    /// So many strokes of the present order are durable.
    Flushed(usize),
    /// All was typed, since then, in microseconds since 1970.
    Typed(u64),
    /// The texts of the shared document.
    Texts(Texts),
    /// How a document stands.
    Status(Status),
    /// It could not be done.
    Failed(String),
}

/// The texts of the shared document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Texts {
    pub(super) body: String,
    pub(super) meeting: String,
    pub(super) guest: String,
}

/// How a document stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Status {
    /// Accepted changes.
    pub(super) changes: u64,
    /// Their newest, sorted.
    pub(super) heads: Vec<String>,
    /// Reasons and counts of what was refused.
    pub(super) refusals: Vec<(String, u64)>,
    /// Authors who forked.
    pub(super) forks: Vec<String>,
    /// For each peer: its name on the network, and the bytes sent and received over its present connections.
    pub(super) traffic: Vec<(String, u64, u64)>,
    /// The store's files.
    pub(super) store_bytes: u64,
    /// The document as an Automerge file.
    pub(super) automerge_bytes: usize,
}

impl Status {
    /// How often something was refused for a reason that contains these words.
    pub(super) fn refused(&self, words: &str) -> u64 {
        self.refusals.iter().filter(|(reason, _)| reason.contains(words)).map(|(_, count)| count).sum()
    }

    /// The reason that contains these words.
    pub(super) fn reason(&self, words: &str) -> &str {
        let mut reasons = self.refusals.iter().map(|(reason, _)| reason.as_str());
        reasons.rfind(|reason| reason.contains(words)).unwrap_or("not refused")
    }

    /// Bytes sent to and received from a peer over its present connections.
    pub(super) fn wire_bytes(&self, peer: &str) -> u64 {
        self.traffic.iter().filter(|(node, ..)| node == peer).map(|(_, sent, received)| sent + received).sum()
    }
}
