//! A pack: full envelopes of one log that lie beside each other, compressed together, for two pages of the file. Alone each
//! takes more, and leaves room at the end of its page. `docs/storage.md` gives the bytes.

mod fit;

use std::ops::Range;

use crate::codec::{Malformed, Reader, Writer};
use crate::deflate::{deflate, inflate};
use crate::envelope::{loosened, tightened};
use crate::store::Row;

/// The version of these bytes.
const VERSION: u8 = 1;
/// Bytes of a pack at most: two pages, without what redb keeps there beside it.
const PACK_BYTES: usize = 2 * 4096 - 64;
/// Bytes that a pack inflates to at most.
const INFLATED_BYTES_MAX: usize = 256 << 10;
/// Stands where the place of an envelope's columns would, one more: the value follows as it is.
const AS_IT_IS: u64 = 0;

/// The log of a row, and its place there: what its key says.
fn place(key: &[u8]) -> Option<([u8; 4], [u8; 4])> {
    let (log, place) = key.split_first_chunk()?;
    Some((*log, place.try_into().ok()?))
}

/// A pack as it was read. Its key is that of its last row.
#[derive(Debug)]
pub(super) struct Pack {
    log: [u8; 4],
    inflated: Vec<u8>,
    rows: Vec<Packed>,
}

/// Where a row lies in a pack.
#[derive(Debug)]
struct Packed {
    place: [u8; 4],
    /// Where the columns of an inflated envelope begin.
    columns: Option<usize>,
    value: Range<usize>,
}

impl Pack {
    /// The key of the first row of a pack as it rests, for which its value need not be right; `None` if it is too short.
    pub(super) fn first_key(key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        let (log, _) = place(key)?;
        let first: [u8; 4] = *value.get(1..)?.first_chunk()?;
        Some([log, first].concat())
    }

    /// Whether a row at `key` would lie in the pack at `pack_key`, which is the first that does not end before it.
    pub(super) fn spans(pack_key: &[u8], value: &[u8], key: &[u8]) -> bool {
        let is_of_log = pack_key.first_chunk::<4>().is_some_and(|log| key.starts_with(log));
        // One that cannot be read might begin anywhere; one that says that it begins behind its end cannot be read.
        let first = Pack::first_key(pack_key, value).filter(|first| first.as_slice() <= pack_key);
        is_of_log && first.is_none_or(|first| first.as_slice() <= key)
    }

    pub(super) fn read(key: &[u8], value: &[u8]) -> Result<Pack, Malformed> {
        let (log, last) = place(key).ok_or(Malformed::Key)?;
        let mut reader = Reader::new(value);
        if reader.byte()? != VERSION {
            return Err(Malformed::Version);
        }
        let first: [u8; 4] = reader.array()?;
        let length = reader.number_to(INFLATED_BYTES_MAX as u64)?;
        let inflated =
            inflate(reader.raw(reader.remaining())?, usize::try_from(length).map_err(|_| Malformed::Limit)?)?;
        let rows = read_rows(&inflated)?;
        let is_ascending = rows.is_sorted_by(|row, next| row.place < next.place);
        let is_between =
            rows.first().map(|row| row.place) == Some(first) && rows.last().map(|row| row.place) == Some(last);
        if is_ascending && is_between { Ok(Pack { log, inflated, rows }) } else { Err(Malformed::Order) }
    }

    pub(super) fn key(&self, row: usize) -> Option<Vec<u8>> {
        self.rows.get(row).map(|row| [self.log, row.place].concat())
    }

    /// A row as it was before it was packed.
    pub(super) fn row(&self, row: usize) -> Option<Row> {
        let packed = self.rows.get(row)?;
        let bytes = self.inflated.get(packed.value.clone())?;
        let value = packed.columns.map_or(Some(bytes.to_vec()), |columns| tightened(bytes, columns))?;
        Some((self.key(row)?, value))
    }

    /// What a row holds, if there is one at the key.
    pub(super) fn find(&self, key: &[u8]) -> Option<Vec<u8>> {
        let found = (0..self.rows.len()).find(|row| self.key(*row).as_deref() == Some(key))?;
        self.row(found).map(|(_, value)| value)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.rows.len()).filter_map(|row| self.row(row))
    }
}

fn read_rows(inflated: &[u8]) -> Result<Vec<Packed>, Malformed> {
    let mut reader = Reader::new(inflated);
    let mut rows = Vec::new();
    while reader.remaining() > 0 {
        let place = reader.array()?;
        let columns = usize::try_from(reader.number()?).map_err(|_| Malformed::Limit)?.checked_sub(1);
        let value = reader.bytes(INFLATED_BYTES_MAX)?;
        let end = inflated.len() - reader.remaining();
        if columns.is_some_and(|columns| columns > value.len()) {
            return Err(Malformed::Limit);
        }
        rows.push(Packed { place, columns, value: end - value.len()..end });
    }
    Ok(rows)
}

/// What packing came to: a pack, by the key of its last row, or a row that is better off alone.
#[derive(Debug)]
pub(super) enum Resting {
    Pack(Vec<u8>, Vec<u8>),
    Row(Row),
}

/// Puts rows, which come in the order of their keys, into packs that are as full as they can be.
#[derive(Debug, Default)]
pub(super) struct Packer {
    /// The next pack's.
    rows: Vec<Loose>,
    bytes: usize,
    /// How many of them fit, and the pack that they make.
    fitting: Option<(usize, Vec<u8>)>,
    /// Bytes of rows that are likely to be too many.
    likely: usize,
}

#[derive(Debug)]
struct Loose {
    row: Row,
    place: [u8; 4],
    bytes: Vec<u8>,
}

impl Packer {
    /// Adds a row.
    pub(super) fn add(&mut self, row: Row, resting: &mut Vec<Resting>) {
        let Some((log, place)) = place(&row.0) else {
            self.finish(resting);
            return resting.push(Resting::Row(row));
        };
        let bytes = loose(place, &row.1);
        let is_of_log = self.rows.last().is_none_or(|last| last.row.0.starts_with(&log));
        if !is_of_log || self.bytes + bytes.len() > INFLATED_BYTES_MAX {
            self.finish(resting);
        }
        self.bytes += bytes.len();
        self.rows.push(Loose { row, place, bytes });
        if self.bytes > INFLATED_BYTES_MAX {
            // Too long for a pack, and alone.
            resting.extend(self.rows.drain(..).map(|loose| Resting::Row(loose.row)));
            self.bytes = 0;
        } else if self.bytes >= self.likely.max(PACK_BYTES) {
            self.look(resting);
        }
    }

    /// No more rows come.
    pub(super) fn finish(&mut self, resting: &mut Vec<Resting>) {
        while !self.rows.is_empty() {
            if !self.look(resting) {
                let all = self.rows.len();
                self.put(all, resting);
            }
        }
    }

    /// Compresses what is there. If it is too much, what fits becomes a pack. Returns whether it was.
    fn look(&mut self, resting: &mut Vec<Resting>) -> bool {
        let known = self.fitting.as_ref().map_or(0, |(count, _)| *count);
        let likely = self.rows_of(self.likely.max(PACK_BYTES));
        let first_rows = |count| self.rows.get(..count).unwrap_or_default();
        let mut count = known;
        if let Some((most, made)) = fit::most((known, self.rows.len()), likely, |count| pack(first_rows(count))) {
            let bytes: usize = first_rows(most).iter().map(|loose| loose.bytes.len()).sum();
            self.likely = bytes * PACK_BYTES / made.len().max(1);
            count = most;
            self.fitting = Some((most, made));
        }
        let is_too_much = count < self.rows.len();
        if is_too_much {
            self.put(count.max(1), resting);
        }
        is_too_much
    }

    /// How many rows it takes to come to so many bytes.
    fn rows_of(&self, bytes: usize) -> usize {
        let mut sum = 0;
        let is_less = |loose: &&Loose| {
            sum += loose.bytes.len();
            sum < bytes
        };
        self.rows.iter().take_while(is_less).count() + 1
    }

    /// Lets the first rows rest, together if that is worth it.
    fn put(&mut self, count: usize, resting: &mut Vec<Resting>) {
        let rows: Vec<Loose> = self.rows.drain(..count.min(self.rows.len())).collect();
        self.bytes = self.rows.iter().map(|loose| loose.bytes.len()).sum();
        let alone: usize = rows.iter().map(|loose| loose.row.1.len()).sum();
        let pack = self.fitting.take().filter(|(fitting, pack)| *fitting == rows.len() && pack.len() < alone);
        match (pack, rows.last().map(|last| last.row.0.clone())) {
            (Some((_, pack)), Some(key)) if rows.len() > 1 => resting.push(Resting::Pack(key, pack)),
            _ => resting.extend(rows.into_iter().map(|loose| Resting::Row(loose.row))),
        }
    }
}

/// A row as it lies in a pack before that is compressed.
fn loose(place: [u8; 4], value: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.raw(&place);
    if let Some((bytes, columns)) = loosened(value) {
        writer.length(columns + 1);
        writer.bytes(&bytes);
    } else {
        writer.number(AS_IT_IS);
        writer.bytes(value);
    }
    writer.into_bytes()
}

fn pack(rows: &[Loose]) -> Vec<u8> {
    let inflated: Vec<u8> = rows.iter().flat_map(|row| row.bytes.iter().copied()).collect();
    let mut writer = Writer::new();
    writer.byte(VERSION);
    writer.raw(&rows.first().map(|row| row.place).unwrap_or_default());
    writer.length(inflated.len());
    writer.raw(&deflate(&inflated));
    writer.into_bytes()
}

#[cfg(test)]
pub(super) mod tests;
