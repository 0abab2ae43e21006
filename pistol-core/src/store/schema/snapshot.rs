//! What makes a document open fast: the validator's history in stretches, and a picture of the projection. All of it
//! can be made again from the envelopes. It is stamped, since Automerge must never load a byte that this node did not
//! write: what has no right stamp is as good as not there.

use super::VERSION;
use crate::codec::{Malformed, Reader, Writer};
use crate::id::DocumentId;
use crate::stamp::{Stamp, StampKey};
use crate::validate::Ordinal;

/// Sealed rows that a snapshot may tell of.
const ROWS_MAX: usize = 1 << 24;
/// What a stamp is for: the first byte under it.
const STRETCH: &[u8] = &[1];
const PICTURE: &[u8] = &[2];

/// A sealed row: how many changes it holds, and the hash of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedRow {
    /// How many changes.
    pub count: u32,
    /// The hash of the value.
    pub digest: [u8; 32],
}

/// Row of [`crate::store::Table::Snapshots`]; the key is the log's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The number after the last change that it speaks of.
    pub end: Ordinal,
    /// The heads among those changes.
    pub heads: Vec<Ordinal>,
    /// The stamp of the last stretch; zeros if there is none.
    pub stretch: Stamp,
    /// The sealed rows that hold these changes, from the first on, without a gap. The last changes may lie in rows that are not
    /// sealed, of which nothing is told.
    pub rows: Vec<SealedRow>,
    /// The projection as Automerge saves it.
    pub save: Vec<u8>,
}

/// The hash of a row's value, by which it is known again.
pub fn row_digest(value: &[u8]) -> [u8; 32] {
    crate::hash::hash(crate::hash::Context::Row, &[value])
}

impl Snapshot {
    /// Writes the row.
    pub fn to_value(&self, document: &DocumentId, key: &StampKey) -> Vec<u8> {
        let mut content = Writer::new();
        content.number(u64::from(self.end));
        content.length(self.heads.len());
        self.heads.iter().for_each(|head| content.number(u64::from(self.end.saturating_sub(*head))));
        content.raw(&self.stretch);
        content.length(self.rows.len());
        for row in &self.rows {
            content.number(u64::from(row.count));
            content.raw(&row.digest);
        }
        content.raw(&self.save);
        stamped(key, &[PICTURE, document.as_bytes()], content.as_bytes()).1
    }

    /// Reads the row; `None` if it is not one that this node wrote for this document.
    pub fn from_value(value: &[u8], document: &DocumentId, key: &StampKey) -> Option<Snapshot> {
        let (_, content) = unstamped(key, &[PICTURE, document.as_bytes()], value)?;
        read(content).ok()
    }
}

fn read(content: &[u8]) -> Result<Snapshot, Malformed> {
    let mut reader = Reader::new(content);
    let end = reader.number32()?;
    let count = reader.count(usize::MAX, 1)?;
    let mut heads = Vec::with_capacity(count);
    for _ in 0..count {
        heads.push(end.checked_sub(reader.number32()?).ok_or(Malformed::Number)?);
    }
    let stretch = reader.array()?;
    let count = reader.count(ROWS_MAX, 33)?;
    let (mut rows, mut next) = (Vec::with_capacity(count), 1u32);
    for _ in 0..count {
        let row = SealedRow { count: reader.number32()?, digest: reader.array()? };
        next = next.checked_add(row.count).filter(|_| row.count > 0).ok_or(Malformed::Number)?;
        rows.push(row);
    }
    if next > end {
        return Err(Malformed::Order);
    }
    let save = reader.raw(reader.remaining())?.to_vec();
    Ok(Snapshot { end, heads, stretch, rows, save })
}

/// Writes a row of [`crate::store::Table::Index`]: a stretch of the history, after the one that has the stamp `before`.
/// Returns its own stamp too.
pub fn stretch_value(stretch: &[u8], before: &Stamp, document: &DocumentId, key: &StampKey) -> (Stamp, Vec<u8>) {
    stamped(key, &[STRETCH, document.as_bytes(), before], stretch)
}

/// Reads a stretch and its stamp; `None` if it is not the one that this node wrote there.
pub fn stretch<'a>(
    value: &'a [u8],
    before: &Stamp,
    document: &DocumentId,
    key: &StampKey,
) -> Option<(Stamp, &'a [u8])> {
    unstamped(key, &[STRETCH, document.as_bytes(), before], value)
}

fn stamped(key: &StampKey, about: &[&[u8]], content: &[u8]) -> (Stamp, Vec<u8>) {
    let version: &[u8] = &[VERSION];
    let stamp = key.stamp(&[&[version], about, &[content]].concat());
    (stamp, [version, &stamp, content].concat())
}

fn unstamped<'a>(key: &StampKey, about: &[&[u8]], value: &'a [u8]) -> Option<(Stamp, &'a [u8])> {
    let (version, rest) = value.split_at_checked(1).filter(|(version, _)| *version == [VERSION])?;
    let (stamp, content) = rest.split_first_chunk()?;
    let is_right = key.is_right(stamp, &[&[version], about, &[content]].concat());
    is_right.then_some((*stamp, content))
}
