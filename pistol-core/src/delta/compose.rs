//! Two deltas, one after the other, as one.

use super::Delta;
use super::build::Builder;
use super::cursor::{Cursor, Piece};

pub(super) fn compose(earlier: &Delta, later: &Delta) -> Delta {
    let mut earlier = Cursor::new(earlier);
    let mut later = Cursor::new(later);
    let mut both = Builder::default();
    loop {
        match (earlier.head(), later.head()) {
            (_, Some(insert @ Piece::Insert(..))) => {
                both.push(insert);
                later.skip();
            }
            (Some(delete @ Piece::Delete(_)), _) => {
                both.push(delete);
                earlier.skip();
            }
            (Some(there), Some(then)) => {
                let step = there.length().min(then.length());
                match (earlier.take(step), then) {
                    (Some(Piece::Keep(_)), Piece::Delete(_)) => both.push(Piece::Delete(step)),
                    (Some(there), Piece::Keep(_)) => both.push(there),
                    // What was inserted and then deleted was never there.
                    _ => {}
                }
                later.take(step);
            }
            (Some(there), None) => {
                both.push(there);
                earlier.skip();
            }
            (None, Some(then)) => {
                both.push(then);
                later.skip();
            }
            (None, None) => return both.finish(),
        }
    }
}
