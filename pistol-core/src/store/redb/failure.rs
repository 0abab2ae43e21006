//! What redb reports, in the words of a store.

use std::any::Any;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::store::StoreError;

/// Runs `work` and makes a panic an error: redb panics on some damaged files.
///
/// What `work` shares with the caller may be left half done, so the caller uses it only to read, or closes it.
pub(super) fn contained<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(damaged(message(panic.as_ref()))))
}

/// Says what an error of redb's means to the owner of the store.
pub(super) fn from_redb(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Io(source) => from_system(source),
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => StoreError::InUse,
        redb::Error::ValueTooLarge(bytes) => StoreError::Io {
            source: std::io::Error::new(ErrorKind::InvalidInput, format!("{bytes} bytes in one value")),
        },
        // After these the file itself may be in order: the next commit reopens it.
        error @ (redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::LockPoisoned(_)) => {
            StoreError::Io { source: std::io::Error::other(error.to_string()) }
        }
        error => damaged(&error.to_string()),
    }
}

fn from_system(source: std::io::Error) -> StoreError {
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        // redb's words for a file that is not its own, and a page beyond the end of the file.
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => damaged(&source.to_string()),
        _ => StoreError::Io { source },
    }
}

fn damaged(reason: &str) -> StoreError {
    StoreError::Damaged { reason: reason.to_owned() }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("redb panicked")
}
