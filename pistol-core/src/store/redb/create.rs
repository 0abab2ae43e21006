//! Creating a store. A crash while redb creates its file leaves one that does not open, so it gets its name last.

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError};

use super::failure::{contained, from_redb};
use super::{RedbOptions, write};
use crate::store::{Batch, StoreError, Table, schema};

/// Creates the file at `path` with the rows of `first`.
pub(super) fn create_file(path: &Path, options: RedbOptions, first: &Batch) -> Result<(), StoreError> {
    if fs::exists(path)? {
        return Err(Error::new(ErrorKind::AlreadyExists, "there is a store already").into());
    }
    let unnamed = beside(path);
    // Empties what an earlier creation may have left.
    open_private(&unnamed)?;
    format(options, |builder| builder.create(&unnamed), first)?;
    File::open(&unnamed)?.sync_all()?;
    fs::rename(&unnamed, path)?;
    sync_folder_of(path)
}

/// Writes the format and the rows of `first` to an empty database and closes it.
pub(super) fn format(
    options: RedbOptions,
    create: impl FnOnce(&Builder) -> Result<Database, DatabaseError>,
    first: &Batch,
) -> Result<(), StoreError> {
    let mut batch = first.clone();
    batch.put(Table::Meta, schema::FORMAT_KEY, schema::format_value(schema::FORMAT));
    contained(|| {
        let mut builder = Builder::new();
        let database = create(builder.set_cache_size(options.cache_bytes)).map_err(from_redb)?;
        write(&database, &batch)?;
        database.close().map_err(from_redb)
    })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Makes an empty file that only its owner may read: documents rest in it.
fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A rename is durable once its folder is. Only Unix lets a folder be synced; elsewhere a rename is a journalled write.
fn sync_folder_of(path: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
