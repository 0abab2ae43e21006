//! What a store knows of a log as a whole, and of its own writing in it.

use super::fields::{Fields, put_optional};
use super::{StoreError, VERSION, damaged};

/// The store's own number of a log. It never leaves the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogNumber(pub u32);

impl LogNumber {
    /// The key of the log's row in [`crate::store::Table::Logs`] and [`crate::store::Table::Sessions`].
    pub fn key(self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }

    /// The range, from inclusive to exclusive, of that one key.
    pub fn range(self) -> (Vec<u8>, Vec<u8>) {
        let mut end = self.key();
        end.push(0);
        (self.key(), end)
    }

    /// Reads the key.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn from_key(key: &[u8]) -> Result<LogNumber, StoreError> {
        let bytes = key.try_into().map_err(|_| damaged("number of a log"))?;
        Ok(LogNumber(u32::from_be_bytes(bytes)))
    }
}

/// Row of [`crate::store::Table::Logs`].
#[derive(Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// Id of the document.
    pub document: [u8; 32],
    /// The genesis, as received.
    pub genesis: Vec<u8>,
    /// The key that lets this node read and serve the document, unless it is public or the node only stores it.
    pub read_key: Option<[u8; 32]>,
    /// Facts of one bit each.
    pub flags: u32,
}

/// Flag of a log whose rows are being removed.
const REMOVED: u32 = 1;

impl LogRecord {
    /// A mark in the place of a log whose rows are being removed.
    pub fn removed(document: [u8; 32]) -> LogRecord {
        LogRecord { document, genesis: Vec::new(), read_key: None, flags: REMOVED }
    }

    /// Whether it is such a mark.
    pub fn is_removed(&self) -> bool {
        self.flags & REMOVED != 0
    }

    /// Writes the row.
    pub fn to_value(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.document);
        bytes.extend_from_slice(&self.flags.to_be_bytes());
        put_optional(&mut bytes, self.read_key.as_ref().map(<[u8; 32]>::as_slice));
        bytes.extend_from_slice(&self.genesis);
        bytes
    }

    /// Reads the row.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn from_value(value: &[u8]) -> Result<LogRecord, StoreError> {
        Fields::parse("log", value, |fields| {
            Ok(LogRecord {
                document: fields.array()?,
                flags: fields.u32()?,
                read_key: fields.optional()?,
                genesis: fields.rest(),
            })
        })
    }
}

// The read key is a secret.
impl std::fmt::Debug for LogRecord {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LogRecord").field("document", &self.document).finish_non_exhaustive()
    }
}

/// Row of [`crate::store::Table::Sessions`]: the node's own writing session in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// The random number of the session.
    pub session: u64,
    /// Whether a change was written in it.
    pub is_started: bool,
}

impl SessionRecord {
    /// Writes the row.
    pub fn to_value(self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.session.to_be_bytes());
        bytes.push(u8::from(self.is_started));
        bytes
    }

    /// Reads the row.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn from_value(value: &[u8]) -> Result<SessionRecord, StoreError> {
        Fields::parse("session", value, |fields| {
            Ok(SessionRecord { session: fields.u64()?, is_started: fields.bool()? })
        })
    }
}
