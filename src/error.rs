//! What can go wrong, one small enum for each operation. Every message says the cause and what to do.

use std::fmt;

use pistol_core::document::EditError;
use pistol_core::genesis::Kind as LogKind;
use pistol_core::store::StoreError;
use pistol_core::validate::Rule;
use pistol_engine::{OperateError, ReplyError};
use pistol_sync::net::BindError;
use pistol_sync::ticket::TicketError;

use crate::invite::InviteError;
use crate::release::ReleaseProofError;
use crate::runtime::folder::FolderError;
use crate::spaces::{PathError, SpaceNameError};

/// A node could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has the folder.
    #[error("{0}")]
    InUse(String),
    /// The folder's files are not what was written to them.
    #[error("{0}")]
    Damaged(String),
    /// The author key is sealed with a passphrase, and no passphrase or another one was given.
    #[error("{0}")]
    Sealed(String),
    /// The folder cannot be read or written.
    #[error("{0}")]
    Folder(String),
    /// The network could not be started.
    #[error("{}", with_sources(.0))]
    Network(#[from] BindError),
    /// The system refused a thread.
    #[error("the system refused a thread ({0}); end other programs")]
    Thread(std::io::Error),
}

impl From<FolderError> for OpenError {
    fn from(error: FolderError) -> Self {
        let text = error.to_string();
        match error {
            FolderError::InUse { .. } | FolderError::Store(StoreError::InUse) => OpenError::InUse(text),
            FolderError::Store(
                StoreError::Damaged { .. }
                | StoreError::DamagedRow { .. }
                | StoreError::Newer { .. }
                | StoreError::Older { .. },
            )
            | FolderError::KeyDamaged { .. }
            | FolderError::KeyMissing { .. } => OpenError::Damaged(text),
            FolderError::KeySealed { .. } | FolderError::WrongPassphrase { .. } => OpenError::Sealed(text),
            _ => OpenError::Folder(text),
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        FolderError::Store(error).into()
    }
}

/// An identity could not be backed up, restored or sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The folder does not allow it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There are more words or fewer.
    #[error("an identity is 24 words, and these are {0}; write all of them, with spaces between")]
    Count(usize),
    /// A word is none of the list. It is not shown.
    #[error("word {0} is none of the list; look at how it is spelt")]
    Word(usize),
    /// The words do not belong together.
    #[error("these words do not belong together; look whether one is missing, doubled or in another place")]
    Checksum,
}

/// The message of an error with those of its sources.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

macro_rules! replied {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, thiserror::Error)]
        #[non_exhaustive]
        pub enum $name {
            /// The node said why.
            #[error(transparent)]
            Refused(#[from] ReplyError),
            /// The node was shut down.
            #[error("the node was shut down; open it again")]
            Stopped,
        }

        impl From<crate::runtime::Stopped> for $name {
            fn from(_: crate::runtime::Stopped) -> Self {
                $name::Stopped
            }
        }
    };
}

replied! {
    /// A document could not be joined.
    JoinError
}
replied! {
    /// What was edited is not known to be durable.
    FlushError
}
replied! {
    /// A document is not known to be equal with a peer's.
    SyncError
}
replied! {
    /// A document could not be named.
    NameError
}
replied! {
    /// A document could not be removed.
    ForgetError
}

/// A document could not be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// What it should start with is refused.
    #[error(transparent)]
    Content(#[from] EditError),
    /// The node said why.
    #[error(transparent)]
    Refused(#[from] ReplyError),
    /// No part in the space allows it.
    #[error("you may not add documents to this space as things stand; ask an admin of it to make you a writer")]
    NoPart,
    /// Its genesis is refused.
    #[error("the document's terms are refused: {0}")]
    Terms(#[from] pistol_core::genesis::GenesisError),
    /// The node was shut down.
    #[error("the node was shut down; open it again")]
    Stopped,
}

impl From<crate::runtime::Stopped> for CreateError {
    fn from(_: crate::runtime::Stopped) -> Self {
        CreateError::Stopped
    }
}

/// A document could not be written to a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The disk did not take the last edits.
    #[error(transparent)]
    Flush(#[from] FlushError),
    /// The document cannot be written.
    #[error(transparent)]
    Refused(#[from] pistol_engine::export::ExportError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was cut short.
    #[error("the export was cut short ({0}); try again")]
    Thread(String),
    /// The node was shut down.
    #[error("the node was shut down; open it again")]
    Stopped,
}

/// A document could not be taken in from a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file is refused.
    #[error(transparent)]
    File(#[from] pistol_engine::export::ExportError),
    /// The store holds the document and cannot open it.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The node said why.
    #[error(transparent)]
    Refused(#[from] ReplyError),
    /// The work was cut short.
    #[error("the import was cut short ({0}); try again")]
    Thread(String),
    /// The node was shut down.
    #[error("the node was shut down; open it again")]
    Stopped,
}

/// A store could not be backed up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The disk did not take the last edits.
    #[error(transparent)]
    Flush(#[from] FlushError),
    /// There is something already.
    #[error("the folder holds a store already; choose an empty one")]
    Taken,
    /// The copy cannot be written, or the store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder cannot be written.
    #[error("{0}")]
    Folder(String),
    /// The node was shut down.
    #[error("the node was shut down; open it again")]
    Stopped,
}

impl From<FolderError> for BackupError {
    fn from(error: FolderError) -> Self {
        BackupError::Folder(error.to_string())
    }
}

macro_rules! stopped {
    ($($name:ident)*) => {
        $(impl From<crate::runtime::Stopped> for $name {
            fn from(_: crate::runtime::Stopped) -> Self {
                $name::Stopped
            }
        })*
    };
}

stopped!(ExportError ImportError BackupError);

/// A document was not found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// There is none.
    #[error("there is no document `{0}` in this store; list them, or join it with a ticket")]
    NotFound(String),
    /// There is no identity, group or space.
    #[error("there is no identity, group or space `{0}` in this store; list what there is, or join it with a ticket")]
    NoLog(String),
    /// There are several.
    #[error("several ids begin with `{0}`; write more of it")]
    Ambiguous(String),
    /// It is something else.
    #[error("`{name}` is {}; open it as that", a(*.kind))]
    OtherKind {
        /// What was looked for.
        name: String,
        /// What it is.
        kind: LogKind,
    },
    /// The node said why.
    #[error(transparent)]
    Refused(#[from] ReplyError),
    /// The node was shut down.
    #[error("the node was shut down; open it again")]
    Stopped,
}

impl From<crate::runtime::Stopped> for FindError {
    fn from(_: crate::runtime::Stopped) -> Self {
        FindError::Stopped
    }
}

/// A kind in words.
pub(crate) fn a(kind: LogKind) -> &'static str {
    match kind {
        LogKind::Document => "a document",
        LogKind::Identity => "an identity",
        LogKind::Group => "a group",
        LogKind::Space => "a space",
        _ => "something else",
    }
}

/// A text is not what a root key signs or signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not what a root key signs; copy all of it, and use the same version of Pistol on both sides")]
pub struct NotOfARoot;

/// A text cannot be viewed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// There is no such text.
    #[error("there is no such text in the document; create it first")]
    NoText,
}

/// Any error of this crate. `Debug` shows the cause and the remedy, since that is what `main` prints.
#[derive(thiserror::Error)]
#[non_exhaustive]
#[error(transparent)]
pub enum Error {
    /// From [`crate::Node::open`].
    Open(#[from] OpenError),
    /// From [`crate::identity`].
    Identity(#[from] IdentityError),
    /// From [`crate::Node::create`].
    Create(#[from] CreateError),
    /// From [`crate::Node::join`].
    Join(#[from] JoinError),
    /// From [`crate::Doc::to_pistol`].
    Export(#[from] ExportError),
    /// From [`crate::Node::import`].
    Import(#[from] ImportError),
    /// From [`crate::Node::backup`].
    Backup(#[from] BackupError),
    /// From [`crate::Doc::edit`].
    Edit(#[from] EditError),
    /// From [`crate::Doc::grant`] and its like.
    Members(#[from] OperateError),
    /// From [`crate::ReleaseProof::verify`].
    Release(#[from] ReleaseProofError),
    /// From [`crate::Doc::flush`].
    Flush(#[from] FlushError),
    /// From [`crate::Doc::synced`].
    Sync(#[from] SyncError),
    /// From [`crate::Node::find`] and [`crate::Node::document`].
    Find(#[from] FindError),
    /// From [`crate::Node::name`].
    Name(#[from] NameError),
    /// From [`crate::Node::forget`].
    Forget(#[from] ForgetError),
    /// From [`crate::Doc::view`].
    View(#[from] ViewError),
    /// From [`crate::Doc::invite`] and its like.
    Invite(#[from] InviteError),
    /// From [`crate::Space::put`] and its like.
    Path(#[from] PathError),
    /// From [`crate::Space::claim`] and its like.
    SpaceName(#[from] SpaceNameError),
    /// From reading a name of a space.
    NotAName(#[from] pistol_acl::NotAName),
    /// From reading a ticket.
    Ticket(#[from] TicketError),
    /// From reading what a root key signed or is to sign.
    Root(#[from] NotOfARoot),
    /// From reading an id.
    Id(#[from] pistol_core::id::NotAnId),
}

/// The causes that programs tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such document, name or text.
    NotFound,
    /// It is there, and something else than was asked for.
    OtherKind,
    /// The policy refuses it.
    Refused,
    /// It is somebody else's.
    NotYours,
    /// No part in the document allows it: none was granted, or it was ended.
    NoPart,
    /// No peer could be reached, or none answered in time.
    NoPeer,
    /// Another process has the store.
    StoreInUse,
    /// The application itself still holds the document.
    DocumentInUse,
    /// The store is damaged, full, or cannot be written.
    StoreDamaged,
    /// The author key is sealed: its passphrase is needed.
    Sealed,
    /// A ticket or a signature is not good.
    BadTicket,
    /// Anything else.
    Other,
}

impl Error {
    /// The cause, as far as programs tell causes apart.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Open(OpenError::InUse(_)) => ErrorKind::StoreInUse,
            Error::Open(OpenError::Sealed(_)) => ErrorKind::Sealed,
            Error::Open(OpenError::Damaged(_) | OpenError::Folder(_)) => ErrorKind::StoreDamaged,
            Error::Path(error) => kind_of_path(error),
            Error::Edit(EditError::Refused(Rule::Policy)) => ErrorKind::Refused,
            Error::Create(CreateError::NoPart)
            | Error::SpaceName(SpaceNameError::Operate(OperateError::Power(_)))
            | Error::Invite(InviteError::Operate(OperateError::Power(_) | OperateError::NoMembers))
            | Error::Edit(EditError::NotAMember | EditError::Revoked)
            | Error::Members(OperateError::Power(_) | OperateError::NoMembers | OperateError::Refused(_)) => {
                ErrorKind::NoPart
            }
            Error::Edit(EditError::NotYours { .. }) => ErrorKind::NotYours,
            Error::Edit(EditError::Missing { .. })
            | Error::Find(FindError::NotFound(_) | FindError::NoLog(_) | FindError::Ambiguous(_))
            | Error::View(ViewError::NoText)
            | Error::Id(_)
            | Error::Export(ExportError::Refused(pistol_engine::export::ExportError::NotFound)) => ErrorKind::NotFound,
            Error::Find(FindError::OtherKind { .. }) => ErrorKind::OtherKind,
            Error::Ticket(_) | Error::Import(ImportError::File(_)) => ErrorKind::BadTicket,
            Error::Export(ExportError::Refused(_) | ExportError::Store(_)) | Error::Backup(BackupError::Store(_)) => {
                ErrorKind::StoreDamaged
            }
            Error::Create(CreateError::Refused(reply))
            | Error::Find(FindError::Refused(reply))
            | Error::Join(JoinError::Refused(reply))
            | Error::Flush(FlushError::Refused(reply))
            | Error::Sync(SyncError::Refused(reply))
            | Error::Name(NameError::Refused(reply))
            | Error::Forget(ForgetError::Refused(reply)) => kind_of(reply),
            _ => ErrorKind::Other,
        }
    }
}

fn kind_of_path(error: &PathError) -> ErrorKind {
    match error {
        PathError::Edit(EditError::NotYours { .. }) => ErrorKind::NotYours,
        PathError::Create(CreateError::NoPart)
        | PathError::Name(SpaceNameError::Operate(OperateError::Power(_)))
        | PathError::Edit(EditError::NotAMember | EditError::Revoked) => ErrorKind::NoPart,
        PathError::NotHere(_) | PathError::Find(FindError::NotFound(_)) => ErrorKind::NotFound,
        PathError::Create(CreateError::Refused(reply)) | PathError::Find(FindError::Refused(reply)) => kind_of(reply),
        _ => ErrorKind::Other,
    }
}

fn kind_of(reply: &ReplyError) -> ErrorKind {
    match reply {
        ReplyError::NotFound => ErrorKind::NotFound,
        ReplyError::NoPeer { .. } => ErrorKind::NoPeer,
        ReplyError::InUse => ErrorKind::DocumentInUse,
        ReplyError::Refused(_) | ReplyError::BadTicket(_) => ErrorKind::BadTicket,
        ReplyError::Damaged(_) | ReplyError::Unread(_) | ReplyError::Store(_) => ErrorKind::StoreDamaged,
        _ => ErrorKind::Other,
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
