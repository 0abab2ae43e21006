//! A node's folder: `store.redb`, `author.key`, `fence`, `lock`, `reserve`.
//!
//! Opening it takes the lock, and decides whether the node's writing sessions continue.

mod author_key;
mod fence;
mod reserve;
mod salvage;
mod seal;

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use pistol_core::store::redb::{RedbOptions, RedbStore};
use pistol_core::store::schema::Fence;
use pistol_core::store::{Batch, Store, StoreError, Table, files, schema};
use zeroize::Zeroizing;

pub(crate) use fence::Sessions;
pub(crate) use reserve::{OnReserve, ReservedStore};
pub(crate) use salvage::salvaged;
pub(crate) use seal::Passphrase;

/// Fills a buffer with random bytes.
pub(crate) type Random<'a> = &'a mut dyn FnMut(&mut [u8]) -> io::Result<()>;

/// A node's folder, open for writing and closed to every other process.
pub(crate) struct StoreFolder {
    pub(crate) store: ReservedStore<RedbStore>,
    /// Secret seed of the ed25519 key that signs the node's changes.
    pub(crate) author_seed: Zeroizing<[u8; 32]>,
    /// Secret key under which the node is reached.
    pub(crate) node_secret: Zeroizing<[u8; 32]>,
    pub(crate) epoch: [u8; 16],
    pub(crate) sessions: Sessions,
    /// What was found wrong with the store's file, if it was saved into a new one.
    pub(crate) salvaged: Option<String>,
    /// To be kept until the store is closed.
    pub(crate) lock: FolderLock,
}

/// Keeps other processes out of a folder until it is dropped.
pub(crate) struct FolderLock {
    _file: File,
}

/// Why a folder could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum FolderError {
    #[error("{} is in use by another process; close it, or talk to the running node", folder.display())]
    InUse { folder: PathBuf },
    #[error(
        "{} is missing, and no new one is made for a store that exists; restore it from a backup or from its 24 words",
        path.display()
    )]
    KeyMissing { path: PathBuf },
    #[error(
        "{} is cut short, altered, or made by a newer Pistol; restore it from a backup or from its 24 words, or install \
         a newer Pistol",
        path.display()
    )]
    KeyDamaged { path: PathBuf },
    #[error(
        "{} may be read by other users (mode {mode:o}); run `chmod 600` on it, and give up the identity if one of them did",
        path.display()
    )]
    KeyExposed { path: PathBuf, mode: u32 },
    #[error("{} is sealed; give its passphrase", path.display())]
    KeySealed { path: PathBuf },
    #[error("this is not the passphrase of {}, or the file was altered; try again, or restore it from its 24 words", path.display())]
    WrongPassphrase { path: PathBuf },
    #[error("{} is not sealed, though a passphrase was given; open it without one, or seal it first", path.display())]
    KeyNotSealed { path: PathBuf },
    #[error("the key could not be sealed; free some memory, then try again")]
    Sealing,
    #[error("{} is the key of another identity; choose another folder", path.display())]
    KeyTaken { path: PathBuf },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no random bytes could be had: {source}; check the system's random source")]
    Random { source: io::Error },
    #[error("{} cannot be read or written: {source}; check the disk and the folder's permissions", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl StoreFolder {
    /// Opens a folder, and makes it and what is missing in it if there is no store.
    ///
    /// # Errors
    /// [`FolderError`]. What exists is never replaced.
    pub(crate) fn open(path: &Path, passphrase: Option<&Passphrase>) -> Result<StoreFolder, FolderError> {
        StoreFolder::open_with(path, passphrase, &mut system_random)
    }

    fn open_with(path: &Path, passphrase: Option<&Passphrase>, random: Random) -> Result<StoreFolder, FolderError> {
        files::create_folder(path).map_err(at(path))?;
        let lock = FolderLock::take(path)?;
        let store_path = path.join("store.redb");
        // A copy that was being made when the power went: nothing needs it, and what cannot be removed is in nobody's way.
        let _ = files::remove_unnamed(&store_path);
        let has_store = files::exists(&store_path).map_err(at(&store_path))?;
        // The key first: a store without one is a folder that lost it.
        let author_seed = author_key::open(&path.join("author.key"), has_store, passphrase, random)?;
        let (store, salvaged) = if has_store {
            salvage::open(&store_path, random)?
        } else {
            (RedbStore::create(&store_path, RedbOptions::default(), &first_rows(random)?)?, None)
        };
        let mut store = ReservedStore::new(store, path.join("reserve"));
        let sessions = fence::turn(&path.join("fence"), &mut store, random)?;
        let epoch = schema::epoch(&row(&store, schema::EPOCH_KEY)?)?;
        let node_secret = Zeroizing::new(schema::node_secret(&Zeroizing::new(row(&store, schema::NODE_SECRET_KEY)?))?);
        Ok(StoreFolder { store, author_seed, node_secret, epoch, sessions, salvaged, lock })
    }
}

impl FolderLock {
    pub(crate) fn take(folder: &Path) -> Result<FolderLock, FolderError> {
        let path = folder.join("lock");
        let file = files::open_private(&path).map_err(at(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse { folder: folder.to_path_buf() }),
            Err(TryLockError::Error(source)) => Err(FolderError::Io { path, source }),
        }
    }
}

/// The seed of the author key in a folder; none is made.
pub(crate) fn author_seed(folder: &Path, passphrase: Option<&Passphrase>) -> Result<Zeroizing<[u8; 32]>, FolderError> {
    author_key::open(&folder.join("author.key"), true, passphrase, &mut no_random)
}

/// Writes the author key of a folder, which is made if there is none. The key of another identity is never replaced.
pub(crate) fn write_author_seed(
    folder: &Path,
    seed: &[u8; 32],
    known: Option<&Passphrase>,
    passphrase: Option<&Passphrase>,
) -> Result<(), FolderError> {
    files::create_folder(folder).map_err(at(folder))?;
    let _lock = FolderLock::take(folder)?;
    match author_seed(folder, known) {
        Ok(there) if *there != *seed => return Err(FolderError::KeyTaken { path: folder.join("author.key") }),
        // What is damaged is no key any more; the words make it whole.
        Ok(_) | Err(FolderError::KeyMissing { .. } | FolderError::KeyDamaged { .. }) => {}
        Err(error) => return Err(error),
    }
    author_key::write(&folder.join("author.key"), seed, passphrase, &mut system_random)
}

/// Copies the author key into another folder, which is made if there is none. A key that is there is left alone.
pub(crate) fn copy_key(from: &Path, to: &Path) -> Result<(), FolderError> {
    files::create_folder(to).map_err(at(to))?;
    author_key::copy(&from.join("author.key"), &to.join("author.key"))
}

/// Keeps others from reading a file.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    files::make_private(path)
}

/// What takes the place of a row of the node's own that is lost.
pub(crate) fn replacement(key: &[u8]) -> Result<Batch, FolderError> {
    let mut batch = Batch::default();
    batch.remove(Table::Meta, key);
    batch.writes.extend(first_rows(&mut system_random)?.writes.into_iter().filter(|write| write.key == key));
    Ok(batch)
}

/// Whether a folder's fence is the one that its store knows.
pub(crate) fn is_own_fence(folder: &Path, known: &Fence) -> bool {
    fence::is_own_at(&folder.join("fence"), known)
}

fn system_random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(|error| io::Error::other(error.to_string()))
}

fn no_random(_: &mut [u8]) -> io::Result<()> {
    Err(io::Error::other("nothing is made here"))
}

/// What a store holds from the beginning.
fn first_rows(random: Random) -> Result<Batch, FolderError> {
    let node_secret = Zeroizing::new(random_bytes(random)?);
    let mut batch = Batch::default();
    batch.put(Table::Meta, schema::EPOCH_KEY, schema::epoch_value(random_bytes(random)?));
    batch.put(Table::Meta, schema::NODE_SECRET_KEY, schema::node_secret_value(&node_secret));
    Ok(batch)
}

fn row(store: &impl Store, key: &[u8]) -> Result<Vec<u8>, StoreError> {
    store.read(Table::Meta, key)?.ok_or_else(|| {
        let key = String::from_utf8_lossy(key);
        StoreError::Damaged { reason: format!("the row '{key}' is missing") }
    })
}

fn random_bytes<const N: usize>(random: Random) -> Result<[u8; N], FolderError> {
    let mut bytes = [0; N];
    random(&mut bytes).map_err(|source| FolderError::Random { source })?;
    Ok(bytes)
}

/// Says which file an error of the system is about.
fn at(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_path_buf();
    move |source| FolderError::Io { path, source }
}

#[cfg(test)]
mod tests;
