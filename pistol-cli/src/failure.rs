//! Why a command failed: the cause, what to do about it, and the exit code that says so to scripts.

use pistol::{Error, ErrorKind, FindError, PathError, SpaceNameError};
use serde::{Deserialize, Serialize};

use crate::kind::KindName;

/// What an exit code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Anything that no other code says.
    Failure,
    /// The command line is wrong.
    Usage,
    /// No such document, value, file or store.
    NotFound,
    /// The document's policy forbids it.
    Refused,
    /// Nobody could be reached, or not in time.
    NoPeer,
    /// The store is in use, or damaged.
    Store,
    /// A ticket or signature is wrong.
    Ticket,
    /// Ctrl-C.
    Interrupted,
    /// Whoever read the output went away; nobody needs to be told.
    Unread,
    /// SIGTERM.
    Terminated,
}

impl Exit {
    /// The number the process ends with; signals as shells count them.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Failure => 1,
            Exit::Usage => 2,
            Exit::NotFound => 3,
            Exit::Refused => 4,
            Exit::NoPeer => 5,
            Exit::Store => 6,
            Exit::Ticket => 7,
            Exit::Interrupted => 130,
            Exit::Unread => 141,
            Exit::Terminated => 143,
        }
    }
}

/// Why a command failed. This is also how a failure passes the node's socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: u8,
    /// The cause, in lower case.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>, help: impl Into<String>) -> Self {
        Failure { code: exit.code(), message: message.into(), help: help.into() }
    }

    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Failure::new(Exit::Usage, message, help)
    }

    /// A failure of the SDK. Its messages end with what to do in a program; where this command line has a better way, that
    /// is said instead.
    pub(crate) fn of(error: impl Into<Error>) -> Self {
        let error = error.into();
        if let Error::Find(FindError::OtherKind { name, kind }) = &error {
            let kind = KindName::from(*kind);
            return Failure::new(Exit::NotFound, format!("`{name}` is {}", kind.one()), kind.advice(name));
        }
        let text = error.to_string();
        let (cause, remedy) = text.rsplit_once("; ").unwrap_or((&text, ""));
        let (exit, help) = if is_misspelt(&error) { (Exit::Usage, None) } else { advice(error.kind()) };
        let help = help.or(Some(remedy).filter(|remedy| !remedy.is_empty()));
        Failure::new(exit, cause, help.unwrap_or("run the command again with -v to see more"))
    }

    /// What is no identity, or no group.
    pub(crate) fn of_kind(what: &str, name: &str, error: FindError) -> Self {
        if matches!(error, FindError::NoLog(_)) {
            let help = format!("`pistol {what} ls` shows those of this store, `pistol {what} new` makes one");
            return Failure::new(Exit::NotFound, format!("there is no {what} `{name}` in this store"), help);
        }
        Failure::of(error)
    }

    /// Something the operating system refused.
    pub(crate) fn io(doing: &str, error: &std::io::Error) -> Self {
        let exit = match error.kind() {
            std::io::ErrorKind::NotFound => Exit::NotFound,
            _ => Exit::Failure,
        };
        let help = "check that the path is right and that you may use it";
        Failure::new(exit, format!("cannot {doing}: {error}"), help)
    }

    /// Both sides of the socket are Pistol, so words that do not fit come from another version.
    pub(crate) fn other_version(what: &str) -> Self {
        let help = "use the same version of pistol for both: stop the node that is running and start it again";
        Failure::new(Exit::Failure, format!("the node and this command do not understand each other: {what}"), help)
    }
}

/// Whether it is the command line that is wrong: a name of a space, or a path in one.
fn is_misspelt(error: &Error) -> bool {
    matches!(
        error,
        Error::NotAName(_)
            | Error::SpaceName(SpaceNameError::NotAName(_))
            | Error::Path(
                PathError::NotAPath(_) | PathError::NotAName(_) | PathError::Name(SpaceNameError::NotAName(_))
            )
    )
}

fn advice(kind: ErrorKind) -> (Exit, Option<&'static str>) {
    match kind {
        ErrorKind::NotFound => (Exit::NotFound, Some("`pistol ls` shows the documents of this store")),
        ErrorKind::Refused => {
            let help = "ask the document's owner, or make a document of your own with `pistol new`";
            (Exit::Refused, Some(help))
        }
        ErrorKind::NotYours | ErrorKind::NoPart => (Exit::Refused, None),
        ErrorKind::NoPeer => {
            let help = "check that `pistol share` runs on the other side and that this machine can reach it";
            (Exit::NoPeer, Some(help))
        }
        ErrorKind::StoreInUse => {
            let help = "end the program that uses it, or choose another store with --store DIR";
            (Exit::Store, Some(help))
        }
        ErrorKind::DocumentInUse => {
            let help = "end the commands that share, join or wait for it, then run this one again";
            (Exit::Failure, Some(help))
        }
        ErrorKind::StoreDamaged => (Exit::Store, None),
        ErrorKind::Sealed => (
            Exit::Store,
            Some("give the passphrase in the variable PISTOL_PASSPHRASE, or restore the key from its 24 words"),
        ),
        ErrorKind::BadTicket => {
            let help = "ask for the ticket again: it is the first line that `pistol share` prints, and copy all of it";
            (Exit::Ticket, Some(help))
        }
        _ => (Exit::Failure, None),
    }
}
