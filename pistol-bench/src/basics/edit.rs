//! A keystroke into an open document. It waits for no disk, neither here nor in raw Automerge.

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
    let mut cursor = Cursor::in_text_of(characters);
    let mut samples = Samples::default();
    for _ in 0..KEYSTROKES {
        let at = cursor.advance();
        let begun = Instant::now();
        doc.edit(|doc| doc.text(BODY).insert(at, "x"))?;
        samples.push(begun.elapsed());
    }
    let mut raw = raw::edit(&mut document, &mut Cursor::in_text_of(characters), KEYSTROKES)?;
    node.shutdown().await?;
    let figure = Figure::new("edit").with("characters", characters);
    Ok(figure.with("p50_us", samples.percentile_us(50)).with("raw_p50_us", raw.percentile_us(50)))
}
