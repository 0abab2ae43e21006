//! A keystroke into an open document. It waits for no disk, neither here nor in raw Automerge, which types in turn, so
//! that whatever else the machine does, also for Pistol in the background, meets both; and once more alone.

use std::time::Instant;

use automerge::Automerge;
use pistol::{Node, Policy};

use crate::figure::Figure;
use crate::samples::Samples;
use crate::text::{self, BODY, Cursor};
use crate::{Outcome, raw};

const KEYSTROKES: usize = 3000;

pub(crate) async fn run(characters: usize) -> Outcome<Figure> {
    let folder = tempfile::tempdir()?;
    let node = Node::builder(folder.path()).offline().open().await?;
    let doc = node.create(Policy::Owned, |doc| doc.text(BODY)).await?;
    text::fill(&doc, characters)?;
    doc.flush().await?;
    let mut document = Automerge::load(&doc.to_automerge())?.with_actor(automerge::ActorId::random());
    let body = raw::body(&document)?;
    let mut cursor = Cursor::in_text_of(characters);
    let (mut samples, mut raw) = (Samples::default(), Samples::default());
    for _ in 0..KEYSTROKES {
        let at = cursor.advance();
        let begun = Instant::now();
        doc.edit(|doc| doc.text(BODY).insert(at, "x"))?;
        samples.push(begun.elapsed());
        raw.push(raw::edit(&mut document, &body, at)?);
    }
    node.shutdown().await?;
    let mut alone = Samples::default();
    for _ in 0..KEYSTROKES {
        alone.push(raw::edit(&mut document, &body, cursor.advance())?);
    }
    let figure = Figure::new("basics", "edit").with("characters", characters);
    let figure = figure.with("p50_us", samples.percentile_us(50)).with("raw_p50_us", raw.percentile_us(50));
    Ok(figure.with("raw_alone_p50_us", alone.percentile_us(50)))
}
