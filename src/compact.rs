//! Making a store's file as small as what it holds.

use std::path::Path;

use pistol_core::store::redb::{self, RedbOptions};

use crate::error::OpenError;
use crate::runtime::folder::FolderLock;

/// What compacting a store came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compacted {
    /// Bytes of the file before.
    pub bytes_before: u64,
    /// Bytes of the file after.
    pub bytes_after: u64,
}

/// Makes the file of a store as small as what it holds. Room that removed documents and older rows left is used again
/// anyway; this gives it back to the system. Nobody may have the store open meanwhile, and a power cut at any moment
/// leaves it whole.
///
/// # Errors
/// [`OpenError`], as for opening a node.
///
/// ```no_run
/// # async fn example() -> pistol::Result<()> {
/// let compacted = pistol::compact("notes.pistol").await?;
/// println!("it took {} bytes and takes {} now", compacted.bytes_before, compacted.bytes_after);
/// # Ok(())
/// # }
/// ```
pub async fn compact(path: impl AsRef<Path>) -> Result<Compacted, OpenError> {
    let path = path.as_ref().to_owned();
    let compacted = tokio::task::spawn_blocking(move || compact_now(&path)).await;
    compacted.map_err(|error| OpenError::Folder(error.to_string()))?
}

fn compact_now(path: &Path) -> Result<Compacted, OpenError> {
    let file = path.join("store.redb");
    let bytes =
        || std::fs::metadata(&file).map(|metadata| metadata.len()).map_err(|e| OpenError::Folder(e.to_string()));
    let bytes_before = bytes()?;
    let _lock = FolderLock::take(path)?;
    redb::compact(&file, RedbOptions::default())?;
    Ok(Compacted { bytes_before, bytes_after: bytes()? })
}
