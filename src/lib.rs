//! Pistol: offline-first collaboration without servers.
//!
//! An application embeds a [`Node`]. Its documents live in one folder on disk, are edited locally, and become equal to
//! those of other nodes whenever there is a way to them. Every change is signed, and checked by everybody against the
//! document's [`Policy`].
//!
//! ```no_run
#![doc = include_str!("../examples/hello.rs")]
//! ```
//!
//! It is deliberately not: a server, an account, or a transport of anything but documents. No type of Automerge or iroh
//! is in a public signature.
//!
//! Architecture Invariant: an edit never waits for the disk or the network. What [`Doc::flush`] answered is durable.

mod builder;
mod changes;
mod compact;
mod doc;
mod doctor;
mod error;
mod explain;
mod export;
#[cfg(feature = "hostile")]
pub mod hostile;
pub mod identity;
mod invite;
mod json;
mod members;
mod node;
mod people;
mod preset;
mod release;
mod root_key;
mod runtime;
mod spaces;
mod status;
mod view;

pub use builder::NodeBuilder;
pub use changes::{ChangeEvent, Changes};
pub use compact::{Compacted, compact};
pub use doc::Doc;
pub use doctor::{Finding, Report, Severity, examine, repair};
pub use error::{
    BackupError, CreateError, Error, ErrorKind, ExportError, FindError, FlushError, ForgetError, IdentityError,
    ImportError, JoinError, NameError, NotOfARoot, OpenError, SyncError, ViewError,
};
pub use explain::Explanation;
pub use export::Backup;
pub use invite::InviteError;
pub use members::{Masked, Revocation};
pub use node::{DocumentInfo, Node, PeerInfo};
pub use people::{Group, Identity};
pub use preset::Preset;
pub use release::{ReleaseProof, ReleaseProofError};
pub use root_key::{Draft, NewIdentity, RootKey, Signed};
pub use spaces::{PathError, Space, SpaceChanges, SpaceDocument, SpaceNameError, Watch};
pub use status::{DocStatus, PeerStatus};
pub use view::View;

pub use pistol_acl::record::{Role, Subject};
pub use pistol_acl::{Claim, Claimant, Loss, Member, Naming, NotAName, Place};
pub use pistol_core::change::Kind;
pub use pistol_core::delta::{Splice, Units};
pub use pistol_core::document::{
    Candidate, Content, Cursor, Edit, EditError, Expand, ListContent, ListEdit, LogEntry as HistoryEntry, MapContent,
    MapEdit, Mark, NotACursor, Slot, TextContent, TextEdit, TextSpan, Value,
};
pub use pistol_core::genesis::{Insert, Kind as LogKind, Policy};
pub use pistol_core::id::{ChangeId, DocumentId};
pub use pistol_core::key::AuthorId as Author;
pub use pistol_engine::{OperateError as MembersError, PeerState as SyncState};
pub use pistol_sync::net::Profile;
pub use pistol_sync::node::NodeId;
pub use pistol_sync::ticket::{Ticket, TicketError};

/// A result of any operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(panic = "abort")]
compile_error!("Pistol contains panics of Automerge by unwinding: build with `panic = \"unwind\"`");
