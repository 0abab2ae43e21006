//! Writing the rows of one store into the file of another.

use std::path::Path;

use super::create::fill_beside;
use super::pack::Packer;
use super::{RedbOptions, RedbStore};
use crate::store::scan::{END, scan};
use crate::store::{Batch, Row, Store, StoreError, Table, files, schema};

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Rows.
    pub rows: u64,
    /// Rows that were found and are not what was written there: they were left out.
    pub damaged: Vec<(Table, Vec<u8>)>,
    /// Tables of which a part could not be read at all.
    pub unreadable: Vec<Table>,
}

/// Copies every row that can be read and that `is_wanted`.
pub(super) fn copy_rows(
    from: &(impl Store + ?Sized),
    to: &mut RedbStore,
    is_wanted: &impl Fn(Table, &[u8]) -> bool,
    mut seen: impl FnMut(Table, &[u8]),
) -> Result<Copied, StoreError> {
    let mut copied = Copied::default();
    // The new file has a format of its own: who does not know of packs must not open it.
    let is_wanted =
        |table: Table, key: &[u8]| !(table == Table::Meta && key == schema::FORMAT_KEY) && is_wanted(table, key);
    // Pictures are the largest values, and redb puts each at a multiple of its size: later they would leave gaps.
    let (large, small): (Vec<Table>, Vec<Table>) = Table::ALL.iter().partition(|table| **table == Table::Snapshots);
    for table in large.into_iter().chain(small) {
        let mut packer = Packer::default();
        let found = scan(from, table, (&[], &END), &mut |rows| {
            let wanted: Vec<Row> = rows.into_iter().filter(|(key, _)| is_wanted(table, key)).collect();
            wanted.iter().for_each(|(key, _)| seen(table, key));
            copied.rows += wanted.len() as u64;
            write_rows(to, table, wanted, &mut packer)
        })?;
        let mut resting = Vec::new();
        packer.finish(&mut resting);
        to.commit_packed(resting)?;
        let damaged = found.damaged.into_iter().filter(|key| is_wanted(table, key));
        copied.damaged.extend(damaged.map(|key| (table, key)));
        copied.unreadable.extend(found.has_holes.then_some(table));
    }
    Ok(copied)
}

fn write_rows(to: &mut RedbStore, table: Table, rows: Vec<Row>, packer: &mut Packer) -> Result<(), StoreError> {
    if table == Table::Envelopes {
        let mut resting = Vec::new();
        rows.into_iter().for_each(|row| packer.add(row, &mut resting));
        return to.commit_packed(resting);
    }
    let mut batch = Batch::default();
    rows.into_iter().for_each(|(key, value)| batch.put(table, key, value));
    to.commit(&batch)
}

/// Makes a file at `path` that holds the rows of a store that `is_wanted`. It gets its name when it is complete.
///
/// # Errors
/// [`StoreError`]; of kind `AlreadyExists` if there is a file at `path`.
pub fn back_up(
    store: &dyn Store,
    path: &Path,
    options: RedbOptions,
    is_wanted: impl Fn(Table, &[u8]) -> bool,
) -> Result<Copied, StoreError> {
    if files::exists(path)? {
        return Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, "there is a store already").into());
    }
    let unnamed = fill_beside(path, options, &Batch::default())?;
    let copied = RedbStore::open(&unnamed, options).and_then(|mut to| {
        let copied = copy_rows(store, &mut to, &is_wanted, |_, _| ())?;
        to.squeeze()?;
        to.finish().map(|()| copied)
    });
    let named = copied.and_then(|copied| {
        files::name(&unnamed, path)?;
        Ok(copied)
    });
    if named.is_err() {
        // It would take room for nothing.
        files::remove(&unnamed)?;
    }
    named
}
