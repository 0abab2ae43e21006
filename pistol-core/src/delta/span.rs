//! The parts that a delta is made of.

use super::cursor::Piece;

/// A part of a delta. Lengths are code points.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// So many code points stay.
    Keep(usize),
    /// Text appears here.
    Insert(Insertion),
    /// So many code points go.
    Delete(usize),
}

impl Span {
    pub(super) fn piece(&self) -> Piece<'_> {
        match self {
            Span::Keep(length) => Piece::Keep(*length),
            Span::Insert(insertion) => Piece::Insert(&insertion.text, insertion.length),
            Span::Delete(length) => Piece::Delete(*length),
        }
    }
}

/// Inserted text that knows its length, so that nobody counts it twice.
///
/// ```
/// use pistol_core::delta::Insertion;
///
/// assert_eq!(Insertion::from("né").length(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Insertion {
    text: String,
    length: usize,
}

impl Insertion {
    /// `length` is the number of code points in `text`.
    pub(super) fn counted(text: &str, length: usize) -> Insertion {
        Insertion { text: text.to_owned(), length }
    }

    pub(super) fn push(&mut self, text: &str, length: usize) {
        self.text.push_str(text);
        self.length += length;
    }

    /// What it says.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many code points it has.
    pub fn length(&self) -> usize {
        self.length
    }
}

impl From<&str> for Insertion {
    fn from(text: &str) -> Insertion {
        Insertion::counted(text, text.chars().count())
    }
}
