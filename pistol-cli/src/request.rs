//! What a command asks of a node: the same whether this process holds the store or another one does.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::command::export::Format;
use crate::command::grant::RoleName;
use crate::command::{group, identity, space};
use crate::failure::Failure;
use crate::preset::Making;

/// What a node is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Request {
    /// Who the node is.
    Identity,
    /// Something of an identity.
    Devices(identity::Asked),
    /// Something of a group.
    Groups(group::Asked),
    /// Something of a space.
    Spaces(space::Asked),
    /// What something is.
    Find {
        /// A name or the beginning of an id.
        name: String,
    },
    /// A new document with an empty text at `body`. It is named when it is complete.
    New(Making),
    /// Gives a document a name.
    Name {
        /// A name or the beginning of an id.
        document: String,
        /// The new name.
        name: String,
    },
    /// All documents, identities, groups and spaces.
    List,
    /// What a document says.
    Read {
        /// A name or the beginning of an id.
        document: String,
    },
    /// Puts a value at a path.
    Set {
        /// A name or the beginning of an id.
        document: String,
        /// A dotted path.
        path: String,
        /// The value.
        value: Value,
    },
    /// Adds to the end of the text.
    Append {
        /// A name or the beginning of an id.
        document: String,
        /// What to add.
        text: String,
    },
    /// Replaces the text, keeping what others changed since `base`.
    Rewrite {
        /// A name or the beginning of an id.
        document: String,
        /// What the text was when its editing began; none replaces whatever is there.
        base: Option<String>,
        /// What it shall be.
        text: String,
    },
    /// Copies the store.
    Backup {
        /// Where to.
        folder: String,
    },
    /// Writes a document to a file.
    Export {
        /// A name or the beginning of an id.
        document: String,
        /// How.
        format: Format,
        /// Where to.
        file: String,
    },
    /// Takes in a document that was exported.
    Import {
        /// From where.
        file: String,
        /// The name to give it, if it has none.
        name: String,
    },
    /// The changes of a document.
    History {
        /// A name or the beginning of an id.
        document: String,
    },
    /// Who may do what in a document or a space.
    Rules {
        /// A name or the beginning of an id.
        document: String,
    },
    /// What became of a change, and why.
    Why {
        /// A name or the beginning of an id.
        document: String,
        /// The beginning of the change's id, or all of it.
        change: String,
    },
    /// Gives somebody a part in a document or a space.
    Grant {
        /// A name or the beginning of an id.
        document: String,
        /// Whom: an author, an identity or a group.
        who: String,
        /// What they may.
        role: RoleName,
    },
    /// What would go if everything of somebody's went.
    Loss {
        /// A name or the beginning of an id.
        document: String,
        /// Whose.
        who: String,
    },
    /// Ends somebody's part in a document or a space.
    Revoke {
        /// A name or the beginning of an id.
        document: String,
        /// Whose.
        who: String,
        /// Whether everything of theirs goes.
        exact: bool,
        /// Of a space: the documents in which all stays.
        keep: Vec<String>,
    },
    /// Opens a document or a space to everybody, for ever.
    Release {
        /// A name or the beginning of an id.
        document: String,
    },
    /// Removes a document or a space from the store.
    Forget {
        /// A name or the beginning of an id.
        document: String,
    },
    /// A ticket for a document.
    Invite {
        /// A name or the beginning of an id.
        document: String,
    },
    /// Joins the document of a ticket.
    Join {
        /// The ticket.
        ticket: String,
        /// The name to give it.
        name: Option<String>,
        /// Whether to wait until the document is equal to a peer's.
        wait: bool,
        /// When to give up.
        timeout_ms: u64,
    },
    /// Brings documents up to date.
    Sync {
        /// A name or the beginning of an id; all documents that have a peer if there is none.
        document: Option<String>,
        /// Whether to go on when no peer can be reached.
        wait: bool,
        /// When to give up.
        timeout_ms: u64,
    },
    /// How the node and its documents are.
    Status {
        /// A name or the beginning of an id; all documents if there is none.
        document: Option<String>,
    },
}

impl Request {
    /// How long the node may take by the request's own terms, in milliseconds, if it waits for somebody else.
    pub(crate) fn waits_ms(&self) -> Option<u64> {
        match self {
            Request::Join { timeout_ms, .. } | Request::Sync { timeout_ms, .. } => Some(*timeout_ms),
            _ => None,
        }
    }
}

/// How far a request is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// What is done.
    pub(crate) done: u64,
    /// Of how much.
    pub(crate) total: u64,
    /// What is going on.
    pub(crate) doing: String,
}

/// What a request that succeeded returns: an object of the fields that its command shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reply(Value);

impl Reply {
    /// Makes a reply of what a command found.
    pub(crate) fn new(found: &impl Serialize) -> Result<Self, Failure> {
        let value = serde_json::to_value(found).map_err(|error| Failure::other_version(&error.to_string()))?;
        Ok(Reply(value))
    }

    /// What the command found.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, Failure> {
        serde_json::from_value(self.0).map_err(|error| Failure::other_version(&error.to_string()))
    }
}
