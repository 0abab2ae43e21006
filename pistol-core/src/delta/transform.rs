//! Moving a delta over a concurrent one.

use super::Delta;
use super::build::Builder;
use super::cursor::{Cursor, Piece};

/// Whose a delta is. It decides only whose insert comes first where two are at the same position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// One's own, typed on the screen: its inserts come first.
    Own,
    /// Others', not shown yet: its inserts follow one's own.
    Others,
}

pub(super) fn transform(delta: &Delta, over: &Delta, side: Side) -> Delta {
    let mut delta = Cursor::new(delta);
    let mut over = Cursor::new(over);
    let mut moved = Builder::default();
    while let Some(edit) = delta.head() {
        match (edit, over.head(), side) {
            (Piece::Insert(..), Some(Piece::Keep(_) | Piece::Delete(_)) | None, _)
            | (Piece::Insert(..), Some(Piece::Insert(..)), Side::Own)
            | (_, None, _) => {
                moved.push(edit);
                delta.skip();
            }
            (_, Some(Piece::Insert(_, length)), _) => {
                moved.push(Piece::Keep(length));
                over.skip();
            }
            (_, Some(there), _) => {
                let step = edit.length().min(there.length());
                let edit = delta.take(step);
                // What is gone can be neither kept nor deleted again.
                if let (Some(edit), Piece::Keep(_)) = (edit, there) {
                    moved.push(edit);
                }
                over.take(step);
            }
        }
    }
    moved.finish()
}
