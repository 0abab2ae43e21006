//! A delta as edits that an editor makes one after another.

use std::iter::Peekable;
use std::slice;

use super::span::Span;
use super::units::{Ruler, Units};

/// One edit: `length` units from `at` on give way to `text`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Splice {
    /// Where, in the text that the edits before this one left.
    pub at: usize,
    /// How much goes.
    pub length: usize,
    /// What appears.
    pub text: String,
}

/// The edits of a delta, in the order in which they are made. See [`Delta::splices`](super::Delta::splices).
///
/// ```
/// use pistol_core::delta::{Delta, Splice};
///
/// let delta = Delta::insert(4, "!").compose(&Delta::splice(0, 1, "Th"));
/// let splices: Vec<Splice> = delta.splices().collect();
/// assert_eq!(splices[0], Splice { at: 0, length: 1, text: "Th".to_owned() });
/// assert_eq!(splices[1], Splice { at: 5, length: 0, text: "!".to_owned() });
/// ```
#[derive(Clone, Debug)]
pub struct Splices<'a> {
    spans: Peekable<slice::Iter<'a, Span>>,
    ruler: Ruler<'a>,
    at: usize,
}

impl<'a> Splices<'a> {
    pub(super) fn new(spans: &'a [Span]) -> Self {
        Splices::measured(spans, Units::CodePoints, "")
    }

    pub(super) fn measured(spans: &'a [Span], units: Units, text_before: &'a str) -> Self {
        Splices { spans: spans.iter().peekable(), ruler: Ruler::new(units, text_before), at: 0 }
    }

    fn deleted_next(&mut self) -> usize {
        match self.spans.next_if(|span| matches!(span, Span::Delete(_))) {
            Some(Span::Delete(length)) => self.ruler.pass(*length),
            _ => 0,
        }
    }
}

impl Iterator for Splices<'_> {
    type Item = Splice;

    fn next(&mut self) -> Option<Splice> {
        loop {
            let at = self.at;
            match self.spans.next()? {
                Span::Keep(length) => self.at = at.saturating_add(self.ruler.pass(*length)),
                Span::Insert(insertion) => {
                    self.at = at.saturating_add(self.ruler.length(insertion));
                    let (length, text) = (self.deleted_next(), insertion.text().to_owned());
                    return Some(Splice { at, length, text });
                }
                Span::Delete(length) => {
                    let (length, text) = (self.ruler.pass(*length), String::new());
                    return Some(Splice { at, length, text });
                }
            }
        }
    }
}
