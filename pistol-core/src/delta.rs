//! What changed in a text: a delta that can be composed with a later one and moved over a concurrent one.
//!
//! Positions and lengths are Unicode code points; [`Units`] converts for editors that count otherwise.
//!
//! Two rules decide where concurrent edits meet, and nothing else does:
//! - An insert stays behind its left neighbour. Where one's own insert and others' insert are at the same position,
//!   one's own comes first and others' text follows it.
//! - A delete removes only what was there when it was made, never what others inserted in its midst.

mod build;
mod compose;
mod cursor;
mod replaced;
mod span;
mod splice;
#[cfg(test)]
mod tests;
mod transform;
mod units;

pub use span::{Insertion, Span};
pub use splice::{Splice, Splices};
pub use transform::Side;
pub use units::{Units, code_points, utf16};

use build::Builder;
use cursor::{Piece, split};

/// What turns one text into another, as spans from its start to its end. What follows the last span is kept.
///
/// It is always in normal form: no span is empty, neighbours of one kind are merged, an insert comes before the delete
/// at its place, and the last span is no [`Span::Keep`]. So two deltas that keep the same code points of a text and turn
/// it into the same text are equal.
///
/// # Examples
///
/// Two people change the same text at the same time, and both arrive at the same one:
///
/// ```
/// use pistol_core::delta::{Delta, Side};
///
/// let own = Delta::insert(5, ", dear");
/// let others = Delta::splice(0, 5, "Howdy").compose(&Delta::insert(11, "!"));
///
/// let mine = own.apply("Hello world").unwrap();
/// let theirs = others.apply("Hello world").unwrap();
/// let mine = others.transform(&own, Side::Others).apply(&mine).unwrap();
/// let theirs = own.transform(&others, Side::Own).apply(&theirs).unwrap();
/// assert_eq!(mine, "Howdy, dear world!");
/// assert_eq!(mine, theirs);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Delta {
    spans: Vec<Span>,
}

impl Delta {
    /// Inserts text at a position.
    pub fn insert(at: usize, text: &str) -> Delta {
        Delta::splice(at, 0, text)
    }

    /// Deletes `length` code points from a position on.
    pub fn delete(at: usize, length: usize) -> Delta {
        Delta::splice(at, length, "")
    }

    /// Replaces `length` code points from a position on.
    pub fn splice(at: usize, length: usize, text: &str) -> Delta {
        let mut builder = Builder::default();
        builder.push(Piece::Keep(at));
        builder.push(Piece::Insert(text, text.chars().count()));
        builder.push(Piece::Delete(length));
        builder.finish()
    }

    /// Turns `before` into `after` by replacing the one stretch in which they differ.
    pub fn replaced(before: &str, after: &str) -> Delta {
        replaced::replaced(before, after)
    }

    /// The one delta that does what this and then a later one do.
    ///
    /// `later` counts in the text after this delta.
    #[must_use]
    pub fn compose(&self, later: &Delta) -> Delta {
        compose::compose(self, later)
    }

    /// This delta, to be applied after the concurrent delta `over`. `side` says whose this one is; `over` is the other's.
    ///
    /// Both count in the same text before. For deltas `own` and `others` of a text, `own` and then
    /// `others.transform(&own, Side::Others)` give the same text as `others` and then `own.transform(&others, Side::Own)`.
    ///
    /// Where text next to an insert is gone, a delta moved over `b.compose(&c)` may come to lie on the other side of an
    /// insert of `c` than when it is moved over `b` and then over `c`. So both sides must be moved over the same deltas.
    #[must_use]
    pub fn transform(&self, over: &Delta, side: Side) -> Delta {
        transform::transform(self, over, side)
    }

    /// The text after this delta, or none if the text before is too short for it.
    pub fn apply(&self, text: &str) -> Option<String> {
        let mut rest = text;
        let mut after = String::with_capacity(text.len());
        for span in &self.spans {
            match span {
                Span::Keep(length) => {
                    let (kept, right) = split(rest, *length)?;
                    after.push_str(kept);
                    rest = right;
                }
                Span::Insert(insertion) => after.push_str(insertion.text()),
                Span::Delete(length) => rest = split(rest, *length)?.1,
            }
        }
        after.push_str(rest);
        Some(after)
    }

    /// Whether this changes nothing.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many code points a text must have for this to fit.
    pub fn length_before(&self) -> usize {
        let before = |span: &Span| match span {
            Span::Keep(length) | Span::Delete(length) => *length,
            Span::Insert(_) => 0,
        };
        self.spans.iter().map(before).fold(0, usize::saturating_add)
    }

    /// The spans, in normal form.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The edits that an editor makes one after another, from the start of the text to its end.
    ///
    /// Each counts in the text that the edits before it left.
    pub fn splices(&self) -> Splices<'_> {
        Splices::new(&self.spans)
    }

    /// The edits of [`Delta::splices`], for an editor that counts in `units` and still shows `text_before`.
    ///
    /// A code point that `text_before` is too short for counts as one unit.
    pub fn splices_in(&self, units: Units, text_before: &str) -> Vec<Splice> {
        Splices::measured(&self.spans, units, text_before).collect()
    }
}

impl FromIterator<Span> for Delta {
    /// Brings spans into normal form.
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Delta {
        let mut builder = Builder::default();
        for span in spans {
            builder.push(span.piece());
        }
        builder.finish()
    }
}
