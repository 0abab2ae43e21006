//! Reading all rows of a range that can be read, past those that are damaged.

use super::{Row, Store, StoreError, Table};

/// Bytes of rows read at once.
const PAGE_BYTES: usize = 1 << 20;
/// The end of every table: no key begins with so many of these bytes.
pub const END: [u8; 64] = [0xff; 64];

/// What reading a range came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Keys of rows that are not what was written there.
    pub damaged: Vec<Vec<u8>>,
    /// Whether there was a place that could not be read at all: rows may have lain there.
    pub has_holes: bool,
}

/// Gives `take` every row of the range, from inclusive to exclusive, that can be read, in order. Where the tree is broken
/// it goes on behind the place, further each time.
///
/// # Errors
/// What `take` returns, and every error of the store but damage.
pub fn scan(
    store: &(impl Store + ?Sized),
    table: Table,
    (from, to): (&[u8], &[u8]),
    take: &mut impl FnMut(Vec<Row>) -> Result<(), StoreError>,
) -> Result<Found, StoreError> {
    let (mut found, mut from, mut step) = (Found::default(), from.to_vec(), 1u64);
    loop {
        let is_broken = match store.range(table, &from, to, PAGE_BYTES) {
            Ok(rows) if rows.is_empty() => return Ok(found),
            Ok(mut rows) => {
                let count = ascending(&rows, &from);
                let is_broken = count < rows.len();
                rows.truncate(count);
                if let Some((last, _)) = rows.last() {
                    (from, step) = (after(last), 1);
                    take(rows)?;
                }
                is_broken
            }
            Err(StoreError::DamagedRow { key, .. }) if key >= from => {
                (from, step) = (after(&key), 1);
                found.damaged.push(key);
                false
            }
            Err(StoreError::Damaged { .. } | StoreError::DamagedRow { .. }) => true,
            Err(error) => return Err(error),
        };
        if is_broken {
            found.has_holes = true;
            let Some(next) = behind(&from, step) else { return Ok(found) };
            (from, step) = (next, step.saturating_mul(2));
        }
    }
}

/// All rows of a table that can be read.
///
/// # Errors
/// Every error of the store but damage.
pub fn scan_table(store: &(impl Store + ?Sized), table: Table) -> Result<(Vec<Row>, Found), StoreError> {
    let mut all = Vec::new();
    let found = scan(store, table, (&[], &END), &mut |rows| {
        all.extend(rows);
        Ok(())
    })?;
    Ok((all, found))
}

/// How many rows come in order: a broken tree may give rows from elsewhere, or again.
fn ascending(rows: &[Row], from: &[u8]) -> usize {
    let mut last: Option<&[u8]> = None;
    let mut count = 0;
    for (key, _) in rows {
        if key.as_slice() < from || last.is_some_and(|last| last >= key.as_slice()) {
            break;
        }
        (last, count) = (Some(key.as_slice()), count + 1);
    }
    count
}

/// A key some way behind another; none after the last.
fn behind(key: &[u8], step: u64) -> Option<Vec<u8>> {
    let mut place = [0; 8];
    place.iter_mut().zip(key).for_each(|(place, byte)| *place = *byte);
    u64::from_be_bytes(place).checked_add(step).map(|next| next.to_be_bytes().to_vec())
}

/// The least key after another.
fn after(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}
