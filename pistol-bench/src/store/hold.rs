//! How long making a snapshot keeps a document from its users: one stretch of the history with each commit, then a
//! picture. Saving the picture is another thread's.

use std::time::{Duration, Instant};

use pistol_core::validate::STRETCH_CHANGES_MAX;

use crate::Outcome;
use crate::figure::Figure;
use crate::hostile::typed::Typed;
use crate::samples::milliseconds;
use crate::trace::Trace;

pub(crate) fn run(trace: &Trace) -> Outcome<Figure> {
    let typed = Typed::by(1, trace)?;
    let history = typed.document.history();
    let (mut next, mut longest) = (1, Duration::ZERO);
    while next < history.next() {
        let begun = Instant::now();
        next = history.stretch(next, STRETCH_CHANGES_MAX).end;
        longest = longest.max(begun.elapsed());
    }
    let begun = Instant::now();
    let picture = typed.document.picture().ok_or("there is no picture")?;
    let taken = begun.elapsed();
    let begun = Instant::now();
    let saved = picture.save().ok_or("Automerge did not save")?;
    let saving = begun.elapsed();
    Ok(Figure::new("store", "hold")
        .with("changes", trace.keystrokes.len())
        .with("stretch_ms_most", milliseconds(longest))
        .with("picture_ms", milliseconds(taken))
        .with("save_ms_outside", milliseconds(saving))
        .with("save_bytes", saved.len()))
}
