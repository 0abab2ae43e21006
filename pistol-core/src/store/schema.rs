//! What the keys and values of a store mean: pure functions from and to bytes.
//!
//! Integers in keys are big-endian, so that rows lie in their order. Keys begin with the store's own number of the log,
//! so that no range read can leave its log and new rows are written at one place. Every value but the format begins
//! with a version byte.

mod ends;
mod fence;
mod fields;
mod log;
mod snapshot;

pub use ends::{Damage, EndRecord, aside_key, ends_range};
pub use fence::{Fence, FileIdentity};
pub use log::{LogNumber, LogRecord, SessionRecord};
pub use snapshot::Snapshot;

use super::{Row, StoreError};
use crate::hash::{Context, hash};
use fields::Fields;

/// The hash of a row's value, by which it is known again.
pub fn row_digest(value: &[u8]) -> [u8; 32] {
    hash(Context::Row, &[value])
}

/// The format of the store that this Pistol writes. In the one before, 2, no envelopes lay in packs; a store of that format keeps
/// it until its rows are written into a new file.
pub const FORMAT: u32 = 3;
/// The oldest format that is read. Before it no row had a check of its own, and no store was released.
pub const FORMAT_LEAST: u32 = 2;

/// Row of [`super::Table::Meta`]: the format of the whole store.
pub const FORMAT_KEY: &[u8] = b"format";
/// Row of [`super::Table::Meta`]: the store's epoch, which changes when sessions may not continue.
pub const EPOCH_KEY: &[u8] = b"epoch";
/// Row of [`super::Table::Meta`]: the secret key under which the node is reached.
pub const NODE_SECRET_KEY: &[u8] = b"node";
/// Row of [`super::Table::Meta`]: the port at which the node listened last.
pub const PORT_KEY: &[u8] = b"port";
/// Row of [`super::Table::Meta`]: the fence.
pub const FENCE_KEY: &[u8] = b"fence";

/// Row of [`super::Table::Meta`]: the least number of a new log, where rows of lost ones may have those before.
pub const NEXT_LOG_KEY: &[u8] = b"next log";

/// The version byte of every value of this format.
const VERSION: u8 = 1;

/// Writes the format: the number and its complement, so that a damaged one is not taken for a newer one. It has no version
/// byte and no check, for it is read before anything else is understood.
pub fn format_value(format: u32) -> Vec<u8> {
    [format.to_be_bytes(), (!format).to_be_bytes()].concat()
}

/// Checks the format row of a store.
///
/// # Errors
/// [`StoreError::Newer`] or [`StoreError::Older`], and [`StoreError::Damaged`] if the row is missing or no format of
/// Pistol's.
pub fn check_format(value: Option<&[u8]>) -> Result<(), StoreError> {
    let (number, complement) =
        value.and_then(|value| value.split_first_chunk()).ok_or_else(|| damaged("it has no format"))?;
    let number = u32::from_be_bytes(*number);
    // The first format was written without.
    if complement != (!number).to_be_bytes() && !(number == 1 && complement.is_empty()) {
        return Err(damaged("its format is no number"));
    }
    match number {
        0 => Err(damaged("it has format 0")),
        found if found < FORMAT_LEAST => Err(StoreError::Older { found, least: FORMAT_LEAST }),
        found if found > FORMAT => Err(StoreError::Newer { found, known: FORMAT }),
        _ => Ok(()),
    }
}

/// Writes the epoch.
pub fn epoch_value(epoch: [u8; 16]) -> Vec<u8> {
    [&[VERSION], epoch.as_slice()].concat()
}

/// Reads the epoch.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn epoch(value: &[u8]) -> Result<[u8; 16], StoreError> {
    Fields::parse("epoch", value, Fields::array)
}

/// Writes the node's secret key.
pub fn node_secret_value(secret: &[u8; 32]) -> Vec<u8> {
    [&[VERSION], secret.as_slice()].concat()
}

/// Reads the node's secret key.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn node_secret(value: &[u8]) -> Result<[u8; 32], StoreError> {
    Fields::parse("node secret", value, Fields::array)
}

/// Writes the port.
pub fn port_value(port: u16) -> Vec<u8> {
    let [high, low] = port.to_be_bytes();
    vec![VERSION, high, low]
}

/// Reads the port.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn port(value: &[u8]) -> Result<u16, StoreError> {
    Fields::parse("port", value, Fields::array).map(u16::from_be_bytes)
}

/// Writes the least number of a new log.
pub fn next_log_value(next: u32) -> Vec<u8> {
    [[VERSION].as_slice(), &next.to_be_bytes()].concat()
}

/// Reads the least number of a new log.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn next_log(value: &[u8]) -> Result<u32, StoreError> {
    Fields::parse("next log", value, Fields::u32)
}

/// The key of an envelope, in [`super::Table::Envelopes`] and [`super::Table::Tail`]: `ordinal` is the number of its first
/// change.
pub fn envelope_key(log: LogNumber, ordinal: u32) -> Vec<u8> {
    [log.0.to_be_bytes(), ordinal.to_be_bytes()].concat()
}

/// Reads the key of an envelope.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn envelope_position(key: &[u8]) -> Result<(LogNumber, u32), StoreError> {
    let (log, ordinal) = key.split_first_chunk().ok_or_else(|| damaged("key of an envelope"))?;
    let ordinal = ordinal.try_into().map_err(|_| damaged("key of an envelope"))?;
    Ok((LogNumber(u32::from_be_bytes(*log)), u32::from_be_bytes(ordinal)))
}

/// The range, from inclusive to exclusive, of a log's envelopes whose first change has this ordinal or a later one.
pub fn envelopes_from(log: LogNumber, ordinal: u32) -> (Vec<u8>, Vec<u8>) {
    let mut end = envelope_key(log, u32::MAX);
    end.push(0);
    (envelope_key(log, ordinal), end)
}

/// The key of an operation in [`super::Table::Operations`]: `number` counts those of its log in the order of arrival, from 0.
pub fn operation_key(log: LogNumber, number: u32) -> Vec<u8> {
    envelope_key(log, number)
}

/// From this number on lie operations that were set aside, while some that they follow on are missing.
pub const OPERATIONS_ASIDE: u32 = 1 << 31;

/// Reads the key of an operation.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn operation_position(key: &[u8]) -> Result<(LogNumber, u32), StoreError> {
    envelope_position(key).map_err(|_| damaged("key of an operation"))
}

/// The range, from inclusive to exclusive, of a log's operations from a number on.
pub fn operations_from(log: LogNumber, number: u32) -> (Vec<u8>, Vec<u8>) {
    envelopes_from(log, number)
}

/// The key of a petname in [`super::Table::Names`].
pub fn name_key(name: &str) -> Vec<u8> {
    name.as_bytes().to_vec()
}

/// Reads the key of a petname.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn name(key: &[u8]) -> Result<&str, StoreError> {
    std::str::from_utf8(key).map_err(|_| damaged("a name is no text"))
}

/// Writes the document that a petname stands for.
pub fn name_value(document: [u8; 32]) -> Vec<u8> {
    [&[VERSION], document.as_slice()].concat()
}

/// Reads the document that a petname stands for.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn named_document(value: &[u8]) -> Result<[u8; 32], StoreError> {
    Fields::parse("name", value, Fields::array)
}

/// Writes the addresses of a peer, in the network's own encoding. The key is the node id.
pub fn peer_value(addresses: &[u8]) -> Vec<u8> {
    [&[VERSION], addresses].concat()
}

/// Reads the addresses of a peer.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn peer_addresses(value: &[u8]) -> Result<Vec<u8>, StoreError> {
    Fields::parse("peer", value, |fields| Ok(fields.rest()))
}

/// The row that says that a peer is to be asked again for what could not be kept of a log.
pub fn owed_row(log: LogNumber, node: [u8; 32]) -> Row {
    ([log.key(), node.to_vec()].concat(), vec![VERSION])
}

/// Reads the row: the log and the peer.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn owed((key, value): &Row) -> Result<(LogNumber, [u8; 32]), StoreError> {
    Fields::parse("owed", value, |_| Ok(()))?;
    let (log, node) = key.split_first_chunk::<4>().ok_or_else(|| damaged("key of what is owed"))?;
    let node = node.try_into().map_err(|_| damaged("key of what is owed"))?;
    Ok((LogNumber(u32::from_be_bytes(*log)), node))
}

/// What whoever shows a secret is granted, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invite {
    /// The role, as an operation writes it.
    pub role: u8,
    /// Milliseconds since 1970 after which nobody is; 0 is never.
    pub not_after_ms: u64,
}

/// The key of an invitation into a log.
pub fn invite_key(log: LogNumber, secret: [u8; 32]) -> Vec<u8> {
    [log.key(), secret.to_vec()].concat()
}

impl Invite {
    /// Writes the row.
    pub fn to_value(self) -> Vec<u8> {
        [&[VERSION, self.role], self.not_after_ms.to_be_bytes().as_slice()].concat()
    }

    /// Reads the row: the log, the hash of the secret, and what it is worth.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn from_row((key, value): &Row) -> Result<(LogNumber, [u8; 32], Invite), StoreError> {
        let (log, secret) = key.split_first_chunk::<4>().ok_or_else(|| damaged("key of an invitation"))?;
        let secret = secret.try_into().map_err(|_| damaged("key of an invitation"))?;
        let invite = Fields::parse("invitation", value, |fields| {
            Ok(Invite { role: fields.byte()?, not_after_ms: fields.u64()? })
        })?;
        Ok((LogNumber(u32::from_be_bytes(*log)), secret, invite))
    }
}

fn damaged(reason: impl Into<String>) -> StoreError {
    StoreError::Damaged { reason: reason.into() }
}

#[cfg(test)]
mod tests;
