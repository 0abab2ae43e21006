//! The reserve: a file that is given up when the disk is full, so that the store can still be written, and what nobody
//! needs be removed. It is made again when there is room.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pistol_core::store::redb::{RedbOptions, RedbStore, compact};
use pistol_core::store::{Batch, Frozen, Row, Store, StoreError, Table, files};

/// Bytes kept on the disk: some thousand commits, or the removal of any document.
pub(crate) const RESERVE_BYTES: u64 = 4 << 20;
/// A reserve is made only where so much is free: one that took the last room would be given up at once, and be in the way
/// of other programs.
const ROOM_BYTES: u64 = 2 * RESERVE_BYTES;
/// Time between attempts to make it.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// What it is filled with, again and again; file systems that compress do so in pieces of this size.
const PATTERN_BYTES: usize = 128 << 10;

/// Whether a store writes into what was its reserve. A clone tells of the same store.
#[derive(Clone, Debug, Default)]
pub(crate) struct OnReserve(Arc<AtomicBool>);

impl OnReserve {
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, is_on_reserve: bool) {
        self.0.store(is_on_reserve, Ordering::Release);
    }
}

/// A store with a reserve beside it.
pub(crate) struct ReservedStore<S> {
    store: S,
    path: PathBuf,
    on_reserve: OnReserve,
    /// Whether the reserve is known to be there.
    is_made: bool,
    tried: Option<Instant>,
}

impl<S: Store> ReservedStore<S> {
    pub(crate) fn new(store: S, path: PathBuf) -> Self {
        ReservedStore { store, path, on_reserve: OnReserve::default(), is_made: false, tried: None }
    }

    pub(crate) fn on_reserve(&self) -> OnReserve {
        self.on_reserve.clone()
    }

    /// Whether the reserve is known to be there.
    pub(crate) fn has_reserve(&self) -> bool {
        self.is_made
    }

    /// Makes the reserve if it is missing and there is room. To be called when nobody waits for the disk.
    pub(crate) fn make_reserve(&mut self) {
        if self.is_made || self.tried.is_some_and(|tried| tried.elapsed() < TRY_AGAIN) {
            return;
        }
        self.tried = Some(Instant::now());
        // Without a reserve the store is as good as before; what is in its way is met by the next commit too.
        self.is_made = is_whole(&self.path) || (has_room(&self.path) && make(&self.path).is_ok());
        if self.is_made {
            self.on_reserve.set(false);
        }
    }

    /// Whether the disk has more room than a moment ago.
    fn give_up(&mut self) -> bool {
        let was_there = std::fs::metadata(&self.path).is_ok_and(|file| file.len() > 0);
        if !was_there || files::remove(&self.path).is_err() {
            return false;
        }
        self.is_made = false;
        self.tried = Some(Instant::now());
        self.on_reserve.set(true);
        true
    }
}

impl ReservedStore<RedbStore> {
    /// The last thing that is done with it: its file becomes about as small as what it holds.
    pub(crate) fn end(self) {
        let path = self.path.with_file_name("store.redb");
        let is_sparse = std::fs::metadata(&path).is_ok_and(|file| self.store.is_sparse(file.len()).unwrap_or(false));
        drop(self.store);
        if is_sparse {
            // What is not given back now is used again, or given back later.
            let _ = compact(&path, RedbOptions::default());
        }
    }
}

impl<S: Store> Store for ReservedStore<S> {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        match self.store.commit(batch) {
            Err(StoreError::Full) if self.give_up() => self.store.commit(batch),
            result => result,
        }
    }

    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.read(table, key)
    }

    fn frozen(&self) -> Result<Frozen, StoreError> {
        self.store.frozen()
    }

    fn range(&self, table: Table, from: &[u8], to: &[u8], bytes_max: usize) -> Result<Vec<Row>, StoreError> {
        self.store.range(table, from, to, bytes_max)
    }
}

fn is_whole(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.len() == RESERVE_BYTES)
}

/// Whether the disk has room for a reserve and as much again.
fn has_room(path: &Path) -> bool {
    path.parent().is_some_and(|folder| fs4::available_space(folder).is_ok_and(|bytes| bytes >= ROOM_BYTES))
}

/// Nothing is synced: what a power cut leaves of it is made again.
fn make(path: &Path) -> io::Result<()> {
    let (unnamed, file) = files::create_beside(path)?;
    let made = fill(&unnamed, file).and_then(|()| files::name(&unnamed, path));
    if made.is_err() {
        files::remove(&unnamed)?;
    }
    made
}

fn fill(path: &Path, mut file: std::fs::File) -> io::Result<()> {
    let mut pattern = Vec::with_capacity(PATTERN_BYTES);
    let mut word = 1_u64;
    while pattern.len() < PATTERN_BYTES {
        // Bytes that cannot be compressed, by Knuth's generator.
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        pattern.extend_from_slice(&word.to_le_bytes());
    }
    for _ in 0..RESERVE_BYTES / PATTERN_BYTES as u64 {
        files::access(path)?;
        file.write_all(&pattern)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
