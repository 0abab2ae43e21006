//! Folders of the real system in which the n-th access fails.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;
use redb::backends::FileBackend;

/// Folders that some test has under its hands. The rest of the program does not know of it, so it is nobody's argument.
static FAULTY: Mutex<BTreeMap<PathBuf, State>> = Mutex::new(BTreeMap::new());

#[derive(Default)]
struct State {
    accesses: u64,
    /// From which access on it fails, with what, and whether more than once.
    planned: Option<(u64, ErrorKind, bool)>,
    has_failed: bool,
}

fn faulty() -> MutexGuard<'static, BTreeMap<PathBuf, State>> {
    FAULTY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder in which accesses fail when this says so, until it is dropped. A store must be opened after it was made.
#[derive(Debug)]
pub struct FaultyFolder(PathBuf);

impl FaultyFolder {
    /// A folder in which nothing fails yet.
    pub fn new(path: &Path) -> FaultyFolder {
        faulty().insert(path.to_owned(), State::default());
        FaultyFolder(path.to_owned())
    }

    /// One access fails after so many more.
    pub fn fail_once(&self, accesses: u64, error: ErrorKind) {
        self.plan(accesses, error, false);
    }

    /// All accesses fail after so many more.
    pub fn fail_from(&self, accesses: u64, error: ErrorKind) {
        self.plan(accesses, error, true);
    }

    fn plan(&self, accesses: u64, error: ErrorKind, is_lasting: bool) {
        if let Some(state) = faulty().get_mut(&self.0) {
            state.planned = Some((state.accesses.saturating_add(accesses), error, is_lasting));
            state.has_failed = false;
        }
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        if let Some(state) = faulty().get_mut(&self.0) {
            state.planned = None;
        }
    }

    /// Whether something failed since that was planned.
    pub fn has_failed(&self) -> bool {
        faulty().get(&self.0).is_some_and(|state| state.has_failed)
    }
}

impl Drop for FaultyFolder {
    fn drop(&mut self) {
        faulty().remove(&self.0);
    }
}

/// Counts an access, and fails it if its time has come.
///
/// # Errors
/// If its time has come.
pub fn access(path: &Path) -> io::Result<()> {
    let mut folders = faulty();
    let Some((_, state)) = folders.iter_mut().find(|(folder, _)| path.starts_with(folder)) else { return Ok(()) };
    let number = state.accesses;
    state.accesses += 1;
    match state.planned {
        Some((from, error, is_lasting)) if number == from || (is_lasting && number > from) => {
            state.has_failed = true;
            Err(Error::new(error, "an access failed on purpose"))
        }
        _ => Ok(()),
    }
}

/// A file in such a folder; none if the folder is not one.
pub(in super::super) fn file(path: &Path) -> io::Result<Option<FaultyFile>> {
    if !faulty().keys().any(|folder| path.starts_with(folder)) {
        return Ok(None);
    }
    access(path)?;
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let file = FileBackend::new(file).map_err(|error| Error::other(error.to_string()))?;
    Ok(Some(FaultyFile { path: path.to_owned(), file }))
}

/// A real file, each access to which is counted.
#[derive(Debug)]
pub(in super::super) struct FaultyFile {
    path: PathBuf,
    file: FileBackend,
}

impl FaultyFile {
    fn access(&self) -> io::Result<&FileBackend> {
        access(&self.path)?;
        Ok(&self.file)
    }
}

impl StorageBackend for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        self.access()?.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.access()?.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.access()?.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.access()?.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.access()?.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}
