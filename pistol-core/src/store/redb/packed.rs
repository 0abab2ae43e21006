//! The table of full envelopes as it is read: rows that lie alone, and rows in packs, as if all lay alone.
//!
//! Architecture Invariant: no row lies between the first and the last of a pack but its own. Whoever writes there takes the pack
//! apart first.

use redb::{ReadTransaction, ReadableTable, TableDefinition, TableError};

use super::failure::from_redb;
use super::pack::{Pack, Resting};
use super::{Access, ReadTable, RedbStore, begin_write, check, definition};
use crate::store::{Page, Row, StoreError, Table};

/// Packs, by the key of their last row. It has no number of ours: nobody above knows of it.
pub(super) const PACKS: TableDefinition<'static, &'static [u8], &'static [u8]> = TableDefinition::new("packs");

type Key = Vec<u8>;

/// Opens the packs, if the file has any.
pub(super) fn reading(transaction: &ReadTransaction) -> Result<Option<ReadTable>, StoreError> {
    match transaction.open_table(PACKS) {
        Ok(packs) => Ok(Some(packs)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(from_redb(error)),
    }
}

/// The row at a key, if it lies in a pack.
pub(super) fn read(packs: &ReadTable, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let Some((pack_key, value)) = holding(packs, key)? else { return Ok(None) };
    Ok(unpacked(&pack_key, &value)?.find(key))
}

/// The pack that would hold a row at a key, as it rests.
fn holding(
    packs: &impl ReadableTable<&'static [u8], &'static [u8]>,
    key: &[u8],
) -> Result<Option<(Key, Vec<u8>)>, StoreError> {
    let next = packs.range::<&[u8]>(key..).map_err(from_redb)?.next();
    let Some((pack_key, value)) = next.transpose().map_err(from_redb)? else { return Ok(None) };
    let (pack_key, value) = (pack_key.value(), value.value());
    Ok(Pack::spans(pack_key, value, key).then(|| (pack_key.to_vec(), value.to_vec())))
}

fn unpacked(key: &[u8], resting: &[u8]) -> Result<Pack, StoreError> {
    let pack = check::of_pack_removed(key, resting).and_then(|value| Pack::read(key, value).ok());
    pack.ok_or_else(|| StoreError::DamagedRow { table: Table::Envelopes, key: key.to_vec() })
}

/// Takes the pack apart that holds a key, or would. What cannot be read of it is gone.
pub(super) fn take_apart(
    packs: &mut redb::Table<'_, &'static [u8], &'static [u8]>,
    alone: &mut redb::Table<'_, &'static [u8], &'static [u8]>,
    key: &[u8],
) -> Result<(), StoreError> {
    let Some((pack_key, value)) = holding(packs, key)? else { return Ok(()) };
    packs.remove(pack_key.as_slice()).map_err(from_redb)?;
    let Ok(pack) = unpacked(&pack_key, &value) else { return Ok(()) };
    for (key, value) in pack.rows() {
        let resting = check::added(Table::Envelopes, &key, &value);
        alone.insert(key.as_slice(), &*resting).map_err(from_redb)?;
    }
    Ok(())
}

/// Reads a range of rows, those that lie alone and those in packs, in the order of their keys.
pub(super) fn range(
    alone: Option<&ReadTable>,
    packs: &ReadTable,
    (from, to): (&[u8], &[u8]),
    page: &mut Page,
) -> Result<(), StoreError> {
    let mut alone = match alone {
        Some(rows) => Some(rows.range::<&[u8]>(from..to).map_err(from_redb)?.peekable()),
        None => None,
    };
    let mut packed = Packed::new(packs, from, to)?;
    loop {
        let first_alone = alone.as_mut().and_then(|rows| rows.peek());
        let is_packed = match (first_alone, packed.key()) {
            (None, None) => return Ok(()),
            (None, Some(_)) => true,
            (Some(_), None) | (Some(Err(_)), _) => false,
            (Some(Ok((key, _))), Some(packed)) => packed < key.value(),
        };
        let row = if is_packed {
            packed.take()
        } else if let Some((key, value)) = alone.as_mut().and_then(Iterator::next).transpose().map_err(from_redb)? {
            let content = check::removed(Table::Envelopes, key.value(), value.value());
            content.map(|content| (key.value().to_vec(), content.to_vec()))
        } else {
            return Ok(());
        };
        match row {
            Ok((key, value)) if page.push(&key, &value) => {}
            // What lies before a damaged row is given; it is told of when it comes first.
            Err(error) if page.is_empty() => return Err(error),
            _ => return Ok(()),
        }
    }
}

/// The rows of packs, one after the other.
struct Packed<'a> {
    packs: redb::Range<'a, &'static [u8], &'static [u8]>,
    from: &'a [u8],
    to: &'a [u8],
    next: Option<Next>,
}

/// What comes next: a row of a pack, or a pack that cannot be read, by the key of its last row.
enum Next {
    Row(Pack, usize, Key),
    Damaged(Key, StoreError),
}

impl<'a> Packed<'a> {
    fn new(packs: &'a ReadTable, from: &'a [u8], to: &'a [u8]) -> Result<Self, StoreError> {
        let packs = packs.range::<&[u8]>(from..).map_err(from_redb)?;
        let mut packed = Packed { packs, from, to, next: None };
        packed.next = packed.next_pack()?;
        Ok(packed)
    }

    /// The first wanted row of the next pack that has any.
    fn next_pack(&mut self) -> Result<Option<Next>, StoreError> {
        while let Some((key, value)) = self.packs.next().transpose().map_err(from_redb)? {
            let (key, value) = (key.value(), value.value());
            if key >= self.to && Pack::first_key(key, value).is_some_and(|first| first.as_slice() >= self.to) {
                return Ok(None);
            }
            match unpacked(key, value) {
                Ok(pack) => {
                    let first = self.first_row(pack);
                    if first.is_some() {
                        return Ok(first);
                    }
                }
                Err(error) => return Ok(Some(Next::Damaged(key.to_vec(), error))),
            }
        }
        Ok(None)
    }

    fn first_row(&self, pack: Pack) -> Option<Next> {
        let mut row = 0;
        while pack.key(row)?.as_slice() < self.from {
            row += 1;
        }
        self.row(pack, row)
    }

    fn row(&self, pack: Pack, row: usize) -> Option<Next> {
        let key = pack.key(row).filter(|key| key.as_slice() < self.to)?;
        Some(Next::Row(pack, row, key))
    }

    fn key(&self) -> Option<&[u8]> {
        self.next.as_ref().map(|next| match next {
            Next::Row(_, _, key) | Next::Damaged(key, _) => key.as_slice(),
        })
    }

    fn take(&mut self) -> Result<Row, StoreError> {
        let (pack, row, key) = match self.next.take() {
            Some(Next::Row(pack, row, key)) => (pack, row, key),
            Some(Next::Damaged(_, error)) => return Err(error),
            None => return Err(StoreError::Damaged { reason: "there is no row".to_owned() }),
        };
        let taken = pack.row(row);
        self.next = match self.row(pack, row + 1) {
            None => self.next_pack().unwrap_or_else(|error| Some(Next::Damaged(key.clone(), error))),
            next => next,
        };
        taken.ok_or(StoreError::DamagedRow { table: Table::Envelopes, key })
    }
}

impl RedbStore {
    /// Writes what a packer made, where nothing lies yet.
    pub(super) fn commit_packed(&mut self, resting: Vec<Resting>) -> Result<(), StoreError> {
        if resting.is_empty() {
            return Ok(());
        }
        self.with_database(Access::Write, |database| {
            let transaction = begin_write(database)?;
            for resting in &resting {
                match resting {
                    Resting::Pack(key, value) => {
                        let mut packs = transaction.open_table(PACKS).map_err(from_redb)?;
                        packs.insert(key.as_slice(), &*check::of_pack_added(key, value)).map_err(from_redb)?;
                    }
                    Resting::Row((key, value)) => {
                        let mut alone = transaction.open_table(definition(Table::Envelopes)).map_err(from_redb)?;
                        let value = check::added(Table::Envelopes, key, value);
                        alone.insert(key.as_slice(), &*value).map_err(from_redb)?;
                    }
                }
            }
            transaction.commit().map_err(from_redb)
        })
    }
}
