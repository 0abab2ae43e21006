//! The check of a row: eight bytes after its value, of a hash over table, key and value.
//!
//! It finds damage, not malice: what a hostile file could do is held off by signatures and stamps, as for what peers send.

use std::borrow::Cow;

use crate::hash::{Context, hash};
use crate::store::{StoreError, Table, schema};

const CHECK_BYTES: usize = 8;
/// The number of the table of packs.
const PACKS: u8 = 12;

/// A value as it rests in the file.
pub(super) fn added<'a>(table: Table, key: &[u8], value: &'a [u8]) -> Cow<'a, [u8]> {
    if is_bare(table, key) {
        return Cow::Borrowed(value);
    }
    Cow::Owned([value, &check(table as u8, key, value)].concat())
}

/// A pack as it rests in the file.
pub(super) fn of_pack_added(key: &[u8], value: &[u8]) -> Vec<u8> {
    [value, &check(PACKS, key, value)].concat()
}

/// The value of what rests in the file.
pub(super) fn removed<'a>(table: Table, key: &[u8], resting: &'a [u8]) -> Result<&'a [u8], StoreError> {
    if is_bare(table, key) {
        return Ok(resting);
    }
    right(table as u8, key, resting).ok_or_else(|| StoreError::DamagedRow { table, key: key.to_vec() })
}

/// A pack of what rests in the file; `None` if it is not what was written there.
pub(super) fn of_pack_removed<'a>(key: &[u8], resting: &'a [u8]) -> Option<&'a [u8]> {
    right(PACKS, key, resting)
}

fn right<'a>(table: u8, key: &[u8], resting: &'a [u8]) -> Option<&'a [u8]> {
    let parts = resting.split_last_chunk::<CHECK_BYTES>();
    parts.filter(|(value, found)| **found == check(table, key, value)).map(|(value, _)| value)
}

/// The format is read before it is known what a row looks like.
fn is_bare(table: Table, key: &[u8]) -> bool {
    table == Table::Meta && key == schema::FORMAT_KEY
}

fn check(table: u8, key: &[u8], value: &[u8]) -> [u8; CHECK_BYTES] {
    let length = u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes();
    let hash = hash(Context::RowCheck, &[&[table], &length, key, value]);
    hash.first_chunk().copied().unwrap_or_default()
}
