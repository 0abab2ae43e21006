//! The one place where deltas are made, so that each is in normal form.

use super::Delta;
use super::cursor::Piece;
use super::span::{Insertion, Span};

/// Takes pieces from the start of the text to its end.
#[derive(Default)]
pub(super) struct Builder {
    spans: Vec<Span>,
}

impl Builder {
    pub(super) fn push(&mut self, piece: Piece<'_>) {
        match piece {
            _ if piece.length() == 0 => {}
            Piece::Keep(length) => self.keep(length),
            Piece::Insert(text, length) => self.insert(text, length),
            Piece::Delete(length) => self.delete(length),
        }
    }

    pub(super) fn finish(mut self) -> Delta {
        self.spans.pop_if(|last| matches!(last, Span::Keep(_)));
        Delta { spans: self.spans }
    }

    fn keep(&mut self, length: usize) {
        match self.spans.last_mut() {
            Some(Span::Keep(kept)) => *kept = kept.saturating_add(length),
            _ => self.spans.push(Span::Keep(length)),
        }
    }

    fn insert(&mut self, text: &str, length: usize) {
        let delete = self.spans.pop_if(|last| matches!(last, Span::Delete(_)));
        match self.spans.last_mut() {
            Some(Span::Insert(insertion)) => insertion.push(text, length),
            _ => self.spans.push(Span::Insert(Insertion::counted(text, length))),
        }
        self.spans.extend(delete);
    }

    fn delete(&mut self, length: usize) {
        match self.spans.last_mut() {
            Some(Span::Delete(deleted)) => *deleted = deleted.saturating_add(length),
            _ => self.spans.push(Span::Delete(length)),
        }
    }
}
