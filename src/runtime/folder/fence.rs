//! The fence: how a store notices that it is a restored backup or a copied profile.
//!
//! Such a store may have forgotten changes that left the node, so its writing sessions must not continue. The file
//! `fence` holds a nonce that the store knows, with the file's inode and change time. Each opening turns it: announce
//! the next nonce in the store, write it to the file, settle it in the store. An older store does not know the file's
//! nonce, a copied file has another inode, and a restored one another change time.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use pistol_core::store::schema::{Fence, FileIdentity};
use pistol_core::store::{Batch, Store, StoreError, Table, files, schema};

use super::{FolderError, Random, at, random_bytes};

/// Whether the node goes on writing in the sessions that the store remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// They continue.
    Continue,
    /// The store is new, a restored backup, or a copy: it has a new epoch, and its sessions are forgotten.
    Fresh,
}

type Nonce = [u8; 16];

const FILE_VERSION: u8 = 1;
const FILE_BYTES: usize = 17;

/// Decides whether sessions continue, and turns the fence.
pub(super) fn turn(path: &Path, store: &mut impl Store, random: Random) -> Result<Sessions, FolderError> {
    let mut turn = Turn::begin(path, store, random)?;
    turn.announce(store)?;
    let file = turn.write().map_err(at(path))?;
    turn.settle(store, file)?;
    Ok(turn.sessions())
}

/// One turn. It may be cut short after any of its steps.
struct Turn<'a> {
    path: &'a Path,
    file: File,
    next: Nonce,
    /// The fence as found, if it is this store's own.
    own: Option<(Nonce, FileIdentity)>,
    /// For a store whose fence is not its own.
    epoch: [u8; 16],
}

impl<'a> Turn<'a> {
    fn begin(path: &'a Path, store: &impl Store, random: Random) -> Result<Turn<'a>, FolderError> {
        let mut file = files::open_private(path).map_err(at(path))?;
        files::access(path).map_err(at(path))?;
        let nonce = nonce_of(&mut file).map_err(at(path))?;
        let identity = identity(&file).map_err(at(path))?;
        let known = store.read(Table::Meta, schema::FENCE_KEY)?;
        let known = known.map(|value| Fence::from_value(&value)).transpose()?;
        let own = nonce.zip(known).filter(|(nonce, fence)| is_own(*nonce, identity, fence));
        Ok(Turn {
            path,
            file,
            next: random_bytes(random)?,
            own: own.map(|(nonce, _)| (nonce, identity)),
            epoch: random_bytes(random)?,
        })
    }

    fn sessions(&self) -> Sessions {
        if self.own.is_some() { Sessions::Continue } else { Sessions::Fresh }
    }

    /// Tells the store which nonce the file is about to hold. A store whose fence is not its own is told nothing:
    /// were the turn cut short after it, the next opening would take the fence for its own.
    fn announce(&self, store: &mut impl Store) -> Result<(), StoreError> {
        let Some((current, file)) = self.own else { return Ok(()) };
        let mut batch = Batch::default();
        batch.put(Table::Meta, schema::FENCE_KEY, Fence { current, next: Some(self.next), file }.to_value());
        store.commit(&batch)
    }

    /// Writes the file where it is: a new file would have another inode.
    fn write(&mut self) -> io::Result<FileIdentity> {
        let mut bytes = vec![FILE_VERSION];
        bytes.extend_from_slice(&self.next);
        self.file.rewind()?;
        files::access(self.path)?;
        self.file.write_all(&bytes)?;
        files::access(self.path)?;
        self.file.set_len(FILE_BYTES as u64)?;
        files::access(self.path)?;
        self.file.sync_all()?;
        files::sync_folder_of(self.path)?;
        identity(&self.file)
    }

    /// Tells the store that the file is written, and in the same commit forgets sessions that may not continue.
    fn settle(&self, store: &mut impl Store, file: FileIdentity) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.put(Table::Meta, schema::FENCE_KEY, Fence { current: self.next, next: None, file }.to_value());
        if self.sessions() == Sessions::Fresh {
            batch.put(Table::Meta, schema::EPOCH_KEY, schema::epoch_value(self.epoch));
            forget_sessions(store, &mut batch)?;
        }
        store.commit(&batch)
    }
}

/// Whether the fence in a file is the one that the store knows. It is not turned.
pub(super) fn is_own_at(path: &Path, known: &Fence) -> bool {
    let read = || {
        let mut file = File::open(path)?;
        Ok::<_, io::Error>((nonce_of(&mut file)?, identity(&file)?))
    };
    read().is_ok_and(|(nonce, file)| nonce.is_some_and(|nonce| is_own(nonce, file, known)))
}

/// A file with the next nonce was written by a turn that was cut short, so its change time is not known.
fn is_own(nonce: Nonce, file: FileIdentity, fence: &Fence) -> bool {
    let is_settled = nonce == fence.current && file == fence.file;
    let is_announced = Some(nonce) == fence.next && file.inode == fence.file.inode;
    is_settled || is_announced
}

fn forget_sessions(store: &impl Store, batch: &mut Batch) -> Result<(), StoreError> {
    const PAGE_BYTES: usize = 1 << 20;
    let (mut from, to) = (Vec::new(), [u8::MAX; 5]);
    loop {
        let rows = store.range(Table::Sessions, &from, &to, PAGE_BYTES)?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        // The least key after the last one.
        from = [last.as_slice(), &[0]].concat();
        for (key, _) in rows {
            batch.remove(Table::Sessions, key);
        }
    }
}

/// The nonce in the file, unless it is new, cut short, or of another version.
fn nonce_of(file: &mut File) -> io::Result<Option<Nonce>> {
    let mut bytes = Vec::new();
    file.take(FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes.strip_prefix(&[FILE_VERSION]).and_then(|nonce| nonce.try_into().ok()))
}

#[cfg(unix)]
fn identity(file: &File) -> io::Result<FileIdentity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata()?;
    let changed_nanoseconds = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
    Ok(FileIdentity { inode: metadata.ino(), changed_nanoseconds })
}

/// Without inodes, a copy is told by when the file was created, which stands in for its number.
#[cfg(not(unix))]
fn identity(file: &File) -> io::Result<FileIdentity> {
    use std::time::{SystemTime, UNIX_EPOCH};
    let nanoseconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let metadata = file.metadata()?;
    Ok(FileIdentity {
        inode: u64::try_from(nanoseconds(metadata.created()?)).unwrap_or(0),
        changed_nanoseconds: i128::try_from(nanoseconds(metadata.modified()?)).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests;
