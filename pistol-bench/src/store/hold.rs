//! How long making a snapshot keeps a document from its users. Saving the picture is another thread's.

use std::time::Instant;

use crate::Outcome;
use crate::figure::Figure;
use crate::hostile::typed::Typed;
use crate::samples::milliseconds;
use crate::trace::Trace;

pub(crate) fn run(trace: &Trace) -> Outcome<Figure> {
    let typed = Typed::by(1, trace)?;
    let begun = Instant::now();
    let picture = typed.document.picture().ok_or("there is no picture")?;
    let taken = begun.elapsed();
    let begun = Instant::now();
    let saved = picture.save().ok_or("Automerge did not save")?;
    let saving = begun.elapsed();
    Ok(Figure::new("store", "hold")
        .with("changes", trace.keystrokes.len())
        .with("picture_ms", milliseconds(taken))
        .with("save_ms_outside", milliseconds(saving))
        .with("save_bytes", saved.len()))
}
