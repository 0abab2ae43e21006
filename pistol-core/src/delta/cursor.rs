//! Walking along a delta in steps that another delta dictates.

use std::iter::once;
use std::slice;

use super::Delta;
use super::span::Span;

/// A span or the start or end of one. An insert has its length in code points beside it.
#[derive(Clone, Copy)]
pub(super) enum Piece<'a> {
    Keep(usize),
    Insert(&'a str, usize),
    Delete(usize),
}

impl<'a> Piece<'a> {
    pub(super) fn length(self) -> usize {
        match self {
            Piece::Keep(length) | Piece::Insert(_, length) | Piece::Delete(length) => length,
        }
    }

    /// The first `length` code points, and what is left if anything is.
    fn split(self, length: usize) -> (Piece<'a>, Option<Piece<'a>>) {
        let Some(left) = self.length().checked_sub(length).filter(|left| *left > 0) else {
            return (self, None);
        };
        match self {
            Piece::Keep(_) => (Piece::Keep(length), Some(Piece::Keep(left))),
            Piece::Delete(_) => (Piece::Delete(length), Some(Piece::Delete(left))),
            Piece::Insert(text, whole) => {
                let is_ascii = text.len() == whole;
                let halves = if is_ascii { text.split_at_checked(length) } else { split(text, length) };
                let (start, end) = halves.unwrap_or((text, ""));
                (Piece::Insert(start, length), Some(Piece::Insert(end, left)))
            }
        }
    }
}

/// A place in a delta. After its last span it has no head: from there on the text is kept.
pub(super) struct Cursor<'a> {
    head: Option<Piece<'a>>,
    spans: slice::Iter<'a, Span>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(delta: &'a Delta) -> Self {
        let mut spans = delta.spans.iter();
        Cursor { head: spans.next().map(Span::piece), spans }
    }

    /// What comes next, up to the end of its span.
    pub(super) fn head(&self) -> Option<Piece<'a>> {
        self.head
    }

    /// Goes to the next span.
    pub(super) fn skip(&mut self) {
        self.head = self.spans.next().map(Span::piece);
    }

    /// Goes on by `length` code points, at most to the end of the span, and gives what it passed.
    pub(super) fn take(&mut self, length: usize) -> Option<Piece<'a>> {
        let (taken, left) = self.head?.split(length);
        match left {
            Some(left) => self.head = Some(left),
            None => self.skip(),
        }
        Some(taken)
    }
}

/// A text before and after a position in code points, or none if the text is shorter.
pub(super) fn split(text: &str, at: usize) -> Option<(&str, &str)> {
    let starts = text.char_indices().map(|(start, _)| start);
    text.split_at_checked(starts.chain(once(text.len())).nth(at)?)
}
