//! Checking everything that a store's folder holds, and putting in order what can be.
//!
//! Nothing readable is ever thrown away: what a repair removes is damaged, or a cache that is made again, and a damaged file
//! is kept beside the new one.

mod documents;
mod files;
mod report;
mod tables;

use std::path::{Path, PathBuf};

use pistol_core::key::AuthorKey;
use pistol_core::store::redb::{RedbOptions, RedbStore};
use pistol_core::store::{Batch, Store, StoreError};

use crate::error::OpenError;
use crate::runtime::folder::{self, FolderError, FolderLock};
pub use report::{Finding, Report, Severity};

/// Whether findings are acted upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    Examine,
    Repair,
}

/// Checks everything in a store's folder: the files, every row of every table, every hash, link and signature, every
/// snapshot. It changes nothing. No node may have the folder open meanwhile.
///
/// # Errors
/// [`OpenError`] if there is no such folder, another process has it, or it cannot be read.
///
/// ```no_run
/// # async fn example() -> pistol::Result<()> {
/// let report = pistol::examine("notes.pistol").await?;
/// assert!(report.is_healthy(), "{report}");
/// # Ok(())
/// # }
/// ```
pub async fn examine(folder: impl AsRef<Path>) -> Result<Report, OpenError> {
    run(folder.as_ref().to_owned(), Aim::Examine).await
}

/// Checks everything as [`examine`] does, and acts: drops damaged caches, and forgets the damaged rows of a document so that
/// peers send them again, keeping whatever can be read. The document then opens with what is left.
///
/// # Errors
/// [`OpenError`] as for [`examine`], or if the folder cannot be written.
pub async fn repair(folder: impl AsRef<Path>) -> Result<Report, OpenError> {
    run(folder.as_ref().to_owned(), Aim::Repair).await
}

async fn run(folder: PathBuf, aim: Aim) -> Result<Report, OpenError> {
    let done = tokio::task::spawn_blocking(move || doctor(&folder, aim)).await;
    done.map_err(|error| OpenError::Folder(error.to_string()))?
}

fn doctor(path: &Path, aim: Aim) -> Result<Report, OpenError> {
    if !path.is_dir() {
        return Err(OpenError::Folder(format!("there is no store in {}; say where it is", path.display())));
    }
    let _lock = FolderLock::take(path)?;
    let mut report = Report::default();
    let key = files::check_key(path, aim, &mut report);
    files::check_leftovers(path, &mut report);
    files::check_room(path, &mut report);
    if let Some(store) = open(path, aim, &mut report)? {
        Examination { folder: path, store, key, aim, report: &mut report }.run()?;
    }
    Ok(report)
}

/// Opens the store, checked as a whole whatever its size.
fn open(folder: &Path, aim: Aim, report: &mut Report) -> Result<Option<RedbStore>, OpenError> {
    let path = folder.join("store.redb");
    let options = |checked_bytes_max| RedbOptions { checked_bytes_max, ..RedbOptions::default() };
    let error = match RedbStore::open(&path, options(u64::MAX)) {
        Ok(store) => return Ok(Some(store)),
        Err(StoreError::Io { source }) if source.kind() == std::io::ErrorKind::NotFound => {
            report.find(Severity::Damage, "store.redb", "it is missing", files::RESTORE);
            return Ok(None);
        }
        Err(error @ (StoreError::Damaged { .. } | StoreError::DamagedRow { .. })) => error,
        Err(error) => return Err(error.into()),
    };
    let what = format!("the file is not what was written ({error})");
    if aim == Aim::Repair {
        return salvage(&path, &what, report);
    }
    // Not checked as a whole, it may still open; each row has a check of its own.
    let opened = RedbStore::open_unwritten(&path, options(0)).ok();
    let help = if opened.is_some() {
        "run `pistol doctor --repair`: what can be read goes into a new file"
    } else {
        files::BEGIN_ANEW
    };
    report.find(Severity::Damage, "store.redb", what, help);
    Ok(opened)
}

/// Writes what can be read of a damaged file into a new one.
fn salvage(path: &Path, what: &str, report: &mut Report) -> Result<Option<RedbStore>, OpenError> {
    match folder::salvaged(path) {
        Ok((store, words)) => {
            let help = "delete the damaged file when nothing is missing";
            report.repaired("store.redb", format!("{what}: {words}"), help);
            Ok(Some(store))
        }
        Err(FolderError::Store(StoreError::Damaged { .. } | StoreError::DamagedRow { .. })) => {
            let what = format!("{what}, and nothing in it can be read");
            report.find(Severity::Damage, "store.redb", what, files::BEGIN_ANEW);
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// A store that is being examined.
struct Examination<'a> {
    folder: &'a Path,
    store: RedbStore,
    key: Option<AuthorKey>,
    aim: Aim,
    report: &'a mut Report,
}

impl Examination<'_> {
    fn run(mut self) -> Result<(), OpenError> {
        self.check_meta()?;
        let (logs, removed) = self.check_logs()?;
        self.check_lost_logs(&logs, &removed)?;
        self.check_names(&logs)?;
        self.check_small_tables(&logs)?;
        Ok(())
    }

    /// Notes a finding, and removes or writes rows for it if that is wanted.
    fn settle(&mut self, about: &str, what: String, help: &str, batch: &Batch) -> Result<(), StoreError> {
        if self.aim == Aim::Examine || batch.writes.is_empty() {
            self.report.find(Severity::Damage, about, what, help);
            return Ok(());
        }
        self.store.commit(batch)?;
        self.report.repaired(about, what, help);
        Ok(())
    }
}
