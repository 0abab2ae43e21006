//! The index of operations: 12 bytes each, and 4 for its row number in its branch.

use std::collections::BTreeMap;

use super::Rule;

/// No object, or no element: the root map, or the head of a sequence.
pub(super) const NONE: u32 = u32::MAX;

/// What an operation made or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Map,
    List,
    Text,
    Value,
    Counter,
    Delete,
    Increment,
    MarkBegin,
    MarkEnd,
}

/// One operation, as later ones need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Row of the object it is in, or [`NONE`].
    pub(super) object: u32,
    /// Number of its key in a map; row of its element in a sequence; for a new element, row of the one before.
    pub(super) place: u32,
    pub(super) form: Form,
    pub(super) is_insert: bool,
    /// How deep the object it made lies.
    pub(super) depth: u8,
}

/// An element of a list or text, or a mark's end of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    /// Row of the list or text.
    pub(crate) object: u32,
    /// Row of the element that it was inserted after; `None` for the head.
    pub(crate) after: Option<u32>,
    pub(crate) is_mark: bool,
    pub(crate) is_mark_end: bool,
}

/// Rows checked but not yet added, and the keys they are the first to use.
#[derive(Debug, Default)]
pub(super) struct Addition {
    base: u32,
    pub(super) rows: Vec<Row>,
    keys: BTreeMap<String, u32>,
}

impl Addition {
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }
}

/// All rows, and the numbers of map keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    rows: Vec<Row>,
    keys: BTreeMap<String, u32>,
    sizes: Sizes,
}

/// How many operations each object holds, in the order in which they were counted: rows of one object mostly follow each
/// other.
#[derive(Clone, Debug, Default)]
struct Sizes {
    of: BTreeMap<u32, u32>,
    /// The object of the last row, whose count is not in the map yet.
    last: (u32, u32),
}

impl Sizes {
    fn count(&mut self, object: u32) {
        if self.last.0 != object {
            let (before, count) = std::mem::replace(&mut self.last, (object, 0));
            *self.of.entry(before).or_default() += count;
        }
        self.last.1 += 1;
    }

    fn of(&self, object: u32) -> u32 {
        let last = if self.last.0 == object { self.last.1 } else { 0 };
        self.of.get(&object).copied().unwrap_or(0) + last
    }
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Bytes that the rows take.
    pub(super) fn bytes(&self) -> usize {
        self.rows.len() * size_of::<Row>()
    }

    pub(super) fn begin(&self) -> Result<Addition, Rule> {
        let base = u32::try_from(self.rows.len()).map_err(|_| Rule::CountersUsedUp)?;
        Ok(Addition { base, ..Addition::default() })
    }

    /// A row that was added, or is about to be.
    pub(super) fn row(&self, addition: &Addition, row: u32) -> Option<Row> {
        match row.checked_sub(addition.base) {
            None => self.rows.get(usize::try_from(row).ok()?).copied(),
            Some(own) => addition.rows.get(usize::try_from(own).ok()?).copied(),
        }
    }

    /// The row of the n-th operation of the addition, if it comes before its end.
    pub(super) fn own_row(addition: &Addition, number: u32) -> Option<u32> {
        (number < addition.len()).then(|| addition.base + number)
    }

    /// The element that an operation inserted, if it did.
    pub(super) fn inserted(&self, row: u32) -> Option<Element> {
        let row = self.rows.get(usize::try_from(row).ok()?).filter(|row| row.is_insert)?;
        let after = (row.place != NONE).then_some(row.place);
        let is_mark_end = row.form == Form::MarkEnd;
        let is_mark = is_mark_end || row.form == Form::MarkBegin;
        Some(Element { object: row.object, after, is_mark, is_mark_end })
    }

    /// The number of a key, a new one if it is new.
    pub(super) fn key(&self, addition: &mut Addition, key: &str) -> u32 {
        if let Some(known) = self.keys.get(key).or_else(|| addition.keys.get(key)) {
            return *known;
        }
        let number = u32::try_from(self.keys.len() + addition.keys.len()).unwrap_or(NONE - 1);
        addition.keys.insert(key.to_owned(), number);
        number
    }

    /// Adds checked rows and returns the number of the first.
    pub(super) fn add(&mut self, addition: Addition) -> u32 {
        self.keys.extend(addition.keys);
        addition.rows.into_iter().for_each(|row| self.add_row(row));
        addition.base
    }

    /// The object that an operation is in.
    pub(super) fn object_of(&self, row: u32) -> Option<u32> {
        self.at(row).map(|row| row.object)
    }

    /// How many operations an object holds.
    pub(super) fn size(&self, object: u32) -> u32 {
        self.sizes.of(object)
    }

    fn at(&self, row: u32) -> Option<&Row> {
        self.rows.get(usize::try_from(row).ok()?)
    }

    fn add_row(&mut self, row: Row) {
        self.sizes.count(row.object);
        self.rows.push(row);
    }
}
