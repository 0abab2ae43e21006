//! Where a node keeps what it holds: ordered tables of bytes, changed by atomic batches.
//!
//! The trait knows nothing of documents; [`schema`] says what the keys and values mean. Two stores implement it, and
//! one conformance suite holds both to it.

#[cfg(test)]
mod conformance;
#[cfg(feature = "redb")]
pub mod files;
pub mod memory;
mod page;
#[cfg(feature = "redb")]
pub mod redb;
pub mod scan;
pub mod schema;

use page::Page;

/// The tables of a store. The number is part of the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Table {
    /// Format version, epoch, fence, node secret: one row each.
    Meta = 0,
    /// Log number -> genesis and what is known of the log as a whole.
    Logs = 1,
    /// (log, ordinal of the first change) -> sealed envelope.
    Envelopes = 2,
    /// (log, ordinal of the first change) -> envelope of one commit, not yet sealed into a larger one.
    Tail = 3,
    /// Local petname -> document id.
    Names = 4,
    /// Log number -> the node's own writing session in that document.
    Sessions = 5,
    /// Node id -> addresses under which it was last reached.
    Peers = 6,
    /// Log number -> what the document looked like at some time. A cache. The number 7 is not used any more.
    Snapshots = 8,
    /// (log, node id) -> nothing: the peer sent what could not be kept, and is to be asked again.
    Owed = 9,
    /// Log number -> how far the log goes; (log, number) -> an envelope set aside while earlier ones are missing.
    Ends = 10,
    /// (log, number in the order of arrival) -> operation of an access log. Stores of before lack the table, which is as if it
    /// were empty.
    Operations = 11,
    /// (log, hash of a secret) -> what whoever shows the secret is granted, once. Stores of before lack it too.
    Invites = 12,
}

impl Table {
    /// Every table, in the order of their numbers.
    pub const ALL: [Table; 12] = [
        Table::Meta,
        Table::Logs,
        Table::Envelopes,
        Table::Tail,
        Table::Names,
        Table::Sessions,
        Table::Peers,
        Table::Snapshots,
        Table::Owed,
        Table::Ends,
        Table::Operations,
        Table::Invites,
    ];
}

/// One row to write, or to remove where `value` is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The table.
    pub table: Table,
    /// The key; tables are ordered by its bytes.
    pub key: Vec<u8>,
    /// The new value.
    pub value: Option<Vec<u8>>,
}

/// Rows that become durable together or not at all, written in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The writes.
    pub writes: Vec<Write>,
}

impl Batch {
    /// Adds a row to write.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.writes.push(Write { table, key: key.into(), value: Some(value.into()) });
    }

    /// Adds a row to remove.
    pub fn remove(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.writes.push(Write { table, key: key.into(), value: None });
    }
}

/// One row as read: key and value.
pub type Row = (Vec<u8>, Vec<u8>);

/// A store of ordered tables.
pub trait Store {
    /// Makes a batch durable. When this returns `Ok`, the batch survives kill -9 and power loss; on an error it is not
    /// acknowledged: nothing of it may be there, or, once the store was reopened, all of it, never a part. So a caller
    /// commits the same batch again, which changes nothing where it was there already.
    ///
    /// # Errors
    /// [`StoreError`], after which the store still answers reads, and a later commit may succeed.
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError>;

    /// The value of one key.
    ///
    /// # Errors
    /// [`StoreError`] if the storage cannot be read or is damaged.
    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The store as it is now. Later commits do not change it, nor wait for it; it is read on any thread and never written.
    /// When the store is closed it can no longer be read.
    ///
    /// # Errors
    /// [`StoreError`] if the storage cannot be read or is damaged.
    fn frozen(&self) -> Result<Frozen, StoreError>;

    /// The rows with `from <= key < to` in key order, as many as fit `bytes_max` of keys and values, but at least one
    /// if there is one.
    ///
    /// # Errors
    /// [`StoreError`] if the storage cannot be read or is damaged.
    fn range(&self, table: Table, from: &[u8], to: &[u8], bytes_max: usize) -> Result<Vec<Row>, StoreError>;
}

/// A store as it was at some time; commits to it are refused.
pub type Frozen = Box<dyn Store + Send>;

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds the file.
    #[error("the store is in use by another process; close it, or talk to the running node")]
    InUse,
    /// The disk has no room.
    #[error("the disk is full; free some space, then try again")]
    Full,
    /// The file is not what was written to it.
    #[error("the store is damaged ({reason}); restore a backup, or join its documents again from a peer")]
    Damaged {
        /// What was found.
        reason: String,
    },
    /// One row is not what was written there; the others can be read.
    #[error(
        "a row of the table {table:?} is not what was written there; `pistol doctor` says whose it is and repairs it"
    )]
    DamagedRow {
        /// The table.
        table: Table,
        /// The key.
        key: Vec<u8>,
    },
    /// The file was written before the first format that is still read.
    #[error(
        "the store has format {found}, which was never released; this Pistol reads from {least} on; make a new store"
    )]
    Older {
        /// Format of the file.
        found: u32,
        /// Oldest format known here.
        least: u32,
    },
    /// The file was written by a newer Pistol.
    #[error("the store has format {found}, this Pistol reads up to {known}; install a newer Pistol")]
    Newer {
        /// Format of the file.
        found: u32,
        /// Newest format known here.
        known: u32,
    },
    /// The operating system refused.
    #[error("the store cannot be read or written: {source}; check the disk and the folder's permissions")]
    Io {
        /// What the system said.
        #[from]
        source: std::io::Error,
    },
}
