//! The store on disk: one redb file.
//!
//! Every commit is durable when it returns, and made in two phases with the allocator's state in it (`quick_repair`).
//! Two phases, because peers' bytes are stored and redb's one-phase checksum is not made for hostile ones; because
//! opening after a crash then takes milliseconds whatever the size; and because they make a failed sync harmless: the
//! header turns to new pages only after a sync that held them, and the next open writes the header again.
//!
//! redb stays read-only after a failed write and may panic on a damaged file. Both end here: the store reopens itself
//! on the next commit, and a panic becomes [`StoreError::Damaged`].
//!
//! redb does not check what it reads. So every row carries a check of its own, and one that is not what was written is
//! told of as [`StoreError::DamagedRow`]; the rows beside it are read.

mod check;
mod compact;
mod copy;
mod create;
mod failure;
#[cfg(feature = "faults")]
pub mod faults;
mod frozen;
mod pack;
mod packed;
mod salvage;
#[cfg(test)]
mod tests;
mod unwritten;

use std::cell::RefCell;
use std::path::Path;

use redb::{
    Builder, Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, StorageBackend, TableDefinition,
    TableError, WriteTransaction,
};

use super::{Batch, Page, Row, Store, StoreError, Table, files, schema};
pub use compact::compact;
pub use copy::{Copied, back_up};
use failure::{contained, from_redb};
pub use salvage::{Salvaged, salvage};

/// How a [`RedbStore`] uses memory and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedbOptions {
    /// Memory for pages of the file, in bytes; redb's own default is 1 GiB.
    pub cache_bytes: usize,
    /// Files up to this size are read whole and checked when they are opened: redb does not check what it reads later,
    /// and does not tell whether the last stop was clean.
    pub checked_bytes_max: u64,
}

impl Default for RedbOptions {
    fn default() -> RedbOptions {
        RedbOptions { cache_bytes: 32 << 20, checked_bytes_max: 64 << 20 }
    }
}

/// A store in one redb file.
pub struct RedbStore {
    opener: Opener,
    options: RedbOptions,
    // In a cell because a read, too, may have to reopen the file.
    state: RefCell<State>,
    /// Whether anything was written to it, and how many bytes of full envelopes.
    is_written: bool,
    full_bytes: u64,
}

/// How the file is reached; asked again whenever redb has to be reopened.
struct Opener {
    open: Box<OpenDatabase>,
    /// Gives the file the length that it has, durably.
    keep_length: Box<KeepLength>,
}

type KeepLength = dyn Fn(Locked) -> std::io::Result<()> + Send;

/// Whether redb has the file open here, and so locked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Locked {
    Yes,
    No,
}

type OpenDatabase = dyn Fn(&Builder) -> Result<Database, DatabaseError> + Send;

/// The open database. Without one, the next access opens it.
struct State {
    database: Option<Database>,
    /// False after a failed write: redb goes on reading, but writes only after a reopening.
    is_writable: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

impl RedbStore {
    /// Creates a store that holds the rows of `first` from the beginning. It is written beside `path` and renamed, so
    /// that a crash leaves either no store or a whole one.
    ///
    /// # Errors
    /// [`StoreError::Io`] of kind `AlreadyExists` if there is a file at `path`; otherwise as for a commit.
    pub fn create(path: &Path, options: RedbOptions, first: &Batch) -> Result<RedbStore, StoreError> {
        create::create_file(path, options, first)?;
        RedbStore::open(path, options)
    }

    /// Opens an existing store.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if it is open already, here or in another process; [`StoreError::Damaged`] if it is not
    /// what was written; [`StoreError::Newer`]; [`StoreError::Io`], of kind `NotFound` if there is no such file.
    pub fn open(path: &Path, options: RedbOptions) -> Result<RedbStore, StoreError> {
        files::access(path)?;
        let is_checked = std::fs::metadata(path)?.len() <= options.checked_bytes_max;
        let (path, again) = (path.to_path_buf(), path.to_path_buf());
        let open = Box::new(move |builder: &Builder| open_file(builder, &path));
        let keep_length = Box::new(move |locked| {
            let file = std::fs::File::options().write(true).open(&again)?;
            if locked == Locked::No && file.try_lock().is_err() {
                // Somebody else has it open by now, and may make it longer.
                return Ok(());
            }
            file.set_len(file.metadata()?.len())?;
            file.sync_all()
        });
        RedbStore::open_with(Opener { open, keep_length }, options, is_checked)
    }

    /// Opens an existing store on a storage backend of redb's, for tests that let it fail. `reach` is called to learn its
    /// length, for the first opening, and for each reopening.
    ///
    /// # Errors
    /// As for [`RedbStore::open`].
    pub fn open_on<B: StorageBackend>(
        reach: impl Fn() -> std::io::Result<B> + Clone + Send + 'static,
        options: RedbOptions,
    ) -> Result<RedbStore, StoreError> {
        let is_checked = reach()?.len()? <= options.checked_bytes_max;
        let again = reach.clone();
        let open = Box::new(move |builder: &Builder| {
            let backend = reach().map_err(redb::StorageError::Io)?;
            builder.create_with_backend(backend)
        });
        let keep_length = Box::new(move |_| {
            let backend = again()?;
            backend.set_len(backend.len()?)?;
            backend.sync_data()
        });
        RedbStore::open_with(Opener { open, keep_length }, options, is_checked)
    }

    /// Makes an empty storage backend of redb's a store that holds the rows of `first`.
    ///
    /// # Errors
    /// As for a commit.
    pub fn format(backend: impl StorageBackend, options: RedbOptions, first: &Batch) -> Result<(), StoreError> {
        create::format(options, |builder| builder.create_with_backend(backend), first)
    }

    /// Opens what may be damaged, to read what is left. The file is not written to, not even when the store is closed.
    ///
    /// # Errors
    /// As for [`RedbStore::open`].
    pub fn open_unwritten(path: &Path, options: RedbOptions) -> Result<RedbStore, StoreError> {
        let path = path.to_path_buf();
        let open = Box::new(move |builder: &Builder| {
            let file = unwritten::Unwritten::open(&path).map_err(redb::StorageError::Io)?;
            builder.create_with_backend(file)
        });
        let store = RedbStore::open_any(Opener { open, keep_length: Box::new(|_| Ok(())) }, options, false)?;
        match schema::check_format(store.read(Table::Meta, schema::FORMAT_KEY).unwrap_or_default().as_deref()) {
            // Then the checks of the rows tell whether they are of this format.
            Ok(()) | Err(StoreError::Damaged { .. }) => Ok(store),
            Err(error) => Err(error),
        }
    }

    fn open_with(opener: Opener, options: RedbOptions, is_checked: bool) -> Result<RedbStore, StoreError> {
        let store = RedbStore::open_any(opener, options, is_checked)?;
        schema::check_format(store.read(Table::Meta, schema::FORMAT_KEY)?.as_deref())?;
        Ok(store)
    }

    fn open_any(opener: Opener, options: RedbOptions, is_checked: bool) -> Result<RedbStore, StoreError> {
        let database = open_database(&opener, options, is_checked)?;
        let state = RefCell::new(State { database: Some(database), is_writable: true });
        Ok(RedbStore { opener, options, state, is_written: false, full_bytes: 0 })
    }

    /// Runs `work` on the database, reopening it first where that is needed.
    fn with_database<T>(
        &self,
        access: Access,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.state.borrow_mut();
        let must_reopen = access == Access::Write && !state.is_writable;
        if must_reopen && state.database.is_some() {
            self.keep_length(Locked::Yes)?;
        }
        let database = match state.database.take() {
            Some(database) if !must_reopen => database,
            unusable => {
                self.close(unusable);
                // Not checked: pages that this process wrote and read have not become worse by a failed write.
                let database = open_database(&self.opener, self.options, false)?;
                state.is_writable = true;
                database
            }
        };
        let result = contained(|| work(&database));
        match (&result, access) {
            (Err(_), Access::Read) if state.is_writable || self.keep_length(Locked::Yes).is_ok() => {
                self.close(Some(database));
            }
            (Err(_), Access::Write) => *state = State { database: Some(database), is_writable: false },
            // After an error a later access closes it.
            (Ok(_) | Err(_), _) => state.database = Some(database),
        }
        result
    }
}

impl RedbStore {
    /// Closes the store, and says whether all of it is on the disk, also what only makes the next opening faster.
    fn finish(mut self) -> Result<(), StoreError> {
        let database = self.state.get_mut().database.take();
        contained(|| database.map_or(Ok(()), |database| database.close().map_err(from_redb)))
    }
}

impl RedbStore {
    /// A sync that failed may have lost a change of the file's length, and redb trusts the length that it sees. So it is set
    /// again, and durable before redb writes of it.
    fn keep_length(&self, locked: Locked) -> Result<(), StoreError> {
        contained(|| Ok((self.opener.keep_length)(locked)?))
    }

    /// Closes a database. What closing saves only makes the next opening faster, so its failure is no failure; but it may let
    /// the file grow.
    fn close(&self, database: Option<Database>) {
        let Some(database) = database else { return };
        if contained(|| database.close().map_err(from_redb)).is_err() {
            // A fault that passes has passed by the second time.
            let _ = self.keep_length(Locked::No).or_else(|_| self.keep_length(Locked::No));
        }
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        let (is_writable, database) = {
            let state = self.state.get_mut();
            (state.is_writable, state.database.take())
        };
        if !is_writable {
            // The last chance; a fault that passes has passed by then.
            let _ = self.keep_length(Locked::Yes).or_else(|_| self.keep_length(Locked::Yes));
        }
        self.close(database);
    }
}

impl Store for RedbStore {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if batch.writes.is_empty() {
            return Ok(());
        }
        self.is_written = true;
        self.full_bytes += full_bytes(batch);
        self.with_database(Access::Write, |database| write(database, batch))
    }

    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.with_database(Access::Read, |database| read(&begin(database)?, table, key))
    }

    fn frozen(&self) -> Result<super::Frozen, StoreError> {
        self.with_database(Access::Read, |database| Ok(Box::new(frozen::FrozenRedb::of(database)?) as super::Frozen))
    }

    fn range(&self, table: Table, from: &[u8], to: &[u8], bytes_max: usize) -> Result<Vec<Row>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        self.with_database(Access::Read, |database| range(&begin(database)?, table, from, to, bytes_max))
    }
}

/// Bytes of full envelopes in a batch.
fn full_bytes(batch: &Batch) -> u64 {
    let full = batch.writes.iter().filter(|write| write.table == Table::Envelopes);
    full.filter_map(|write| write.value.as_ref()).map(|value| value.len() as u64).sum()
}

/// One redb table for each of ours, with plain bytes: redb may change how it encodes anything richer.
const fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(match table {
        Table::Meta => "meta",
        Table::Logs => "logs",
        Table::Envelopes => "envelopes",
        Table::Tail => "tail",
        Table::Names => "names",
        Table::Sessions => "sessions",
        Table::Peers => "peers",
        Table::Snapshots => "snapshots",
        Table::Owed => "owed",
        Table::Operations => "operations",
        Table::Ends => "ends",
        Table::Invites => "invites",
    })
}

fn open_database(opener: &Opener, options: RedbOptions, is_checked: bool) -> Result<Database, StoreError> {
    contained(|| {
        let mut builder = Builder::new();
        builder.set_cache_size(options.cache_bytes).set_check_integrity_on_open(is_checked);
        (opener.open)(&builder).map_err(from_redb)
    })
}

/// Opens the database in a file.
fn open_file(builder: &Builder, path: &Path) -> Result<Database, DatabaseError> {
    #[cfg(feature = "faults")]
    if let Some(faulty) = faults::file(path).map_err(redb::StorageError::Io)? {
        return builder.create_with_backend(faulty);
    }
    builder.open(path)
}

fn write(database: &Database, batch: &Batch) -> Result<(), StoreError> {
    let is_full = |write: &super::Write| write.table == Table::Envelopes;
    let has_packs = batch.writes.iter().any(is_full) && packed::reading(&begin(database)?)?.is_some();
    let transaction = begin_write(database)?;
    for table in Table::ALL {
        let mut writes = batch.writes.iter().filter(|write| write.table == table).peekable();
        if writes.peek().is_none() {
            continue;
        }
        let mut rows = transaction.open_table(definition(table)).map_err(from_redb)?;
        let has_packs = has_packs && table == Table::Envelopes;
        let mut packs = has_packs.then(|| transaction.open_table(packed::PACKS)).transpose().map_err(from_redb)?;
        for write in writes {
            if let Some(packs) = &mut packs {
                packed::take_apart(packs, &mut rows, &write.key)?;
            }
            match &write.value {
                Some(value) => rows.insert(write.key.as_slice(), &*check::added(table, &write.key, value)),
                None => rows.remove(write.key.as_slice()),
            }
            .map_err(from_redb)?;
        }
    }
    transaction.commit().map_err(from_redb)
}

fn begin_write(database: &Database) -> Result<WriteTransaction, StoreError> {
    let mut transaction = database.begin_write().map_err(from_redb)?;
    transaction.set_durability(Durability::Immediate).map_err(from_redb)?;
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    Ok(transaction)
}

type ReadTable = redb::ReadOnlyTable<&'static [u8], &'static [u8]>;

fn begin(database: &Database) -> Result<ReadTransaction, StoreError> {
    database.begin_read().map_err(from_redb)
}

/// Opens a table for reading; one that nothing was ever written to does not exist in the file.
fn reading(transaction: &ReadTransaction, table: Table) -> Result<Option<ReadTable>, StoreError> {
    match transaction.open_table(definition(table)) {
        Ok(rows) => Ok(Some(rows)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(from_redb(error)),
    }
}

fn read(transaction: &ReadTransaction, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let rows = reading(transaction, table)?;
    let value = rows.map(|rows| rows.get(key).map_err(from_redb)).transpose()?.flatten();
    if let Some(value) = value {
        return check::removed(table, key, value.value()).map(|content| Some(content.to_vec()));
    }
    packs_of(transaction, table)?.map_or(Ok(None), |packs| packed::read(&packs, key))
}

fn packs_of(transaction: &ReadTransaction, table: Table) -> Result<Option<ReadTable>, StoreError> {
    if table == Table::Envelopes { packed::reading(transaction) } else { Ok(None) }
}

fn range(
    transaction: &ReadTransaction,
    table: Table,
    from: &[u8],
    to: &[u8],
    bytes_max: usize,
) -> Result<Vec<Row>, StoreError> {
    let mut page = Page::new(bytes_max);
    let rows = reading(transaction, table)?;
    if let Some(packs) = packs_of(transaction, table)? {
        packed::range(rows.as_ref(), &packs, (from, to), &mut page)?;
        return Ok(page.into_rows());
    }
    let Some(rows) = rows else {
        return Ok(page.into_rows());
    };
    for row in rows.range::<&[u8]>(from..to).map_err(from_redb)? {
        let (key, value) = row.map_err(from_redb)?;
        match check::removed(table, key.value(), value.value()) {
            Ok(content) if page.push(key.value(), content) => {}
            // What lies before a damaged row is given; it is told of when it comes first.
            Err(error) if page.is_empty() => return Err(error),
            _ => break,
        }
    }
    Ok(page.into_rows())
}
