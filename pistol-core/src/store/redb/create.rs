//! Creating a store. A crash while redb creates its file leaves one that does not open, so it gets its name last.

use std::fs::File;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError};

use super::failure::{contained, from_redb};
use super::{RedbOptions, write};
use crate::store::{Batch, StoreError, Table, files, schema};

/// Creates the file at `path` with the rows of `first`.
pub(super) fn create_file(path: &Path, options: RedbOptions, first: &Batch) -> Result<(), StoreError> {
    if files::exists(path)? {
        return Err(Error::new(ErrorKind::AlreadyExists, "there is a store already").into());
    }
    let unnamed = fill_beside(path, options, first)?;
    Ok(files::name(&unnamed, path)?)
}

/// Makes a file beside the place that it is to have, and syncs it; only the name is missing.
pub(super) fn fill_beside(path: &Path, options: RedbOptions, first: &Batch) -> Result<PathBuf, StoreError> {
    let (unnamed, file) = files::create_beside(path)?;
    let filled = fill(&unnamed, &file, options, first);
    if filled.is_err() {
        // It would take room for nothing.
        files::remove(&unnamed)?;
    }
    filled.map(|()| unnamed)
}

fn fill(unnamed: &Path, file: &File, options: RedbOptions, first: &Batch) -> Result<(), StoreError> {
    format(options, |builder| create(builder, unnamed), first)?;
    files::access(unnamed)?;
    Ok(file.sync_all()?)
}

fn create(builder: &Builder, path: &Path) -> Result<Database, DatabaseError> {
    #[cfg(feature = "faults")]
    if let Some(faulty) = super::faults::file(path).map_err(redb::StorageError::Io)? {
        return builder.create_with_backend(faulty);
    }
    builder.create(path)
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
