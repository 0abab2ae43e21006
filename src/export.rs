//! Documents as files, and copies of the whole store while it runs.

use std::path::Path;

use pistol_core::store::redb::{Copied, RedbOptions, back_up};
use pistol_core::store::{Frozen, StoreError, Table, schema};
use pistol_engine::Command;
use pistol_engine::export::{Exported, export};

use crate::doc::Doc;
use crate::error::{BackupError, ExportError, ImportError};
use crate::node::Node;
use crate::runtime::folder;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backup {
    /// Rows of the store.
    pub rows: u64,
    /// Rows that are damaged in the store, and so are not in the backup.
    pub damaged: u64,
    /// Tables of the store of which a part cannot be read at all: what lay there is not in the backup.
    pub unreadable: u64,
}

impl Doc {
    /// The document as a file of Pistol's own: its whole history with all signatures, as it is durable here, for
    /// [`Node::import`]. It holds no key: whoever has the file can read the document, and needs a ticket to sync it.
    ///
    /// # Errors
    /// [`ExportError`] if the disk did not take the last edits, or something of the document is lost here.
    pub async fn to_pistol(&self) -> Result<Vec<u8>, ExportError> {
        self.flush().await?;
        let (frozen, id) = (self.runtime().frozen().await??, self.id());
        let written = tokio::task::spawn_blocking(move || export(frozen.as_ref(), &id)).await;
        Ok(written.map_err(|error| ExportError::Thread(error.to_string()))??)
    }
}

impl Node {
    /// Takes in a document from a file that [`Doc::to_pistol`] wrote, checked as strictly as what peers send. It is the same
    /// document, with the same id: what the store holds of it already is kept, and both are merged.
    ///
    /// # Errors
    /// [`ImportError`] if the file is no such file, or anything in it is refused; then nothing is taken in.
    pub async fn import(&self, file: &[u8]) -> Result<Doc, ImportError> {
        let bytes = file.to_vec();
        let read = tokio::task::spawn_blocking(move || Exported::read(&bytes)).await;
        let exported = read.map_err(|error| ImportError::Thread(error.to_string()))??;
        let id = exported.document();
        let known = match self.runtime().catalog.entry(&id) {
            Some(_) => Some(self.held(id).await?),
            None => None,
        };
        let mut logs = Vec::new();
        for log in exported.logs() {
            if self.runtime().catalog.entry(&log).is_some() {
                logs.push(self.held(log).await?);
            }
        }
        self.runtime().ask(Command::Import(exported)).await??;
        let imported = self.held(id).await?;
        drop(known);
        Ok(imported)
    }

    /// Copies the store and the author key into a folder, as they are now, while everything goes on. The copy opens like
    /// any store; its writing sessions begin anew, so what it writes merges with what was written here later.
    ///
    /// # Errors
    /// [`BackupError`] if the folder holds a store already or cannot be written, or the disk did not take the last edits.
    pub async fn backup(&self, folder: impl AsRef<Path>) -> Result<Backup, BackupError> {
        self.flush().await?;
        let frozen = self.runtime().frozen().await??;
        let (from, to) = (self.runtime().path.clone(), folder.as_ref().to_owned());
        let copied = tokio::task::spawn_blocking(move || copy(&frozen, &from, &to)).await;
        let Copied { rows, damaged, unreadable } = copied.map_err(|error| BackupError::Folder(error.to_string()))??;
        Ok(Backup { rows, damaged: damaged.len() as u64, unreadable: unreadable.len() as u64 })
    }
}

fn copy(frozen: &Frozen, from: &Path, to: &Path) -> Result<Copied, BackupError> {
    folder::copy_key(from, to)?;
    let copied = back_up(frozen.as_ref(), &to.join("store.redb"), RedbOptions::default(), is_wanted);
    copied.map_err(|error| match error {
        StoreError::Io { source } if source.kind() == std::io::ErrorKind::AlreadyExists => BackupError::Taken,
        error => BackupError::Store(error),
    })
}

/// A new file has a format of its own. Without a fence the copy is known as one.
fn is_wanted(table: Table, key: &[u8]) -> bool {
    !(table == Table::Meta && [schema::FORMAT_KEY, schema::FENCE_KEY].contains(&key))
}
