//! A keystroke on one node, until the other node's editor has the splice. Each waits for the one before; a second typist
//! types at the same time, elsewhere in the text.

use std::time::Instant;

use futures_lite::StreamExt;
use pistol::{Changes, Doc, Policy, View};

use super::{WITHIN, node, wire_bytes};
use crate::figure::Figure;
use crate::samples::Samples;
use crate::text::{self, BODY, Cursor};
use crate::{Outcome, raw};

const KEYSTROKES: usize = 300;

/// One of the two nodes' editors.
struct Editor {
    doc: Doc,
    view: View,
    changes: Changes,
}

impl Editor {
    fn of(doc: Doc) -> Outcome<Editor> {
        Ok(Editor { view: doc.view(|doc| doc.text(BODY))?, changes: doc.changes(), doc })
    }

    fn insert(&self, at: usize) -> Outcome<()> {
        Ok(self.doc.edit(|doc| doc.text(BODY).insert(at, "x"))?)
    }

    /// Waits until the text has this many characters.
    async fn sees(&mut self, length: usize) -> Outcome<()> {
        while self.doc.read(|doc| doc.text(BODY).len()) < length {
            self.changes.next().await.ok_or("the node ended")?;
        }
        self.view.take();
        Ok(())
    }
}

pub(crate) async fn run(bench: &str, characters: usize, typists: usize) -> Outcome<Figure> {
    let folder = tempfile::tempdir()?;
    let (here, there) = (node(&folder.path().join("here")).await?, node(&folder.path().join("there")).await?);
    let writer = here.create(Policy::WorldWritable, |doc| doc.text(BODY)).await?;
    text::fill(&writer, characters)?;
    let reader = there.join(&writer.ticket()).await?;
    reader.synced(WITHIN).await?;
    writer.synced(WITHIN).await?;
    let (mut writer, mut reader) = (Editor::of(writer)?, Editor::of(reader)?);
    let (mut cursor, mut samples) = (Cursor::in_text_of(characters), Samples::default());
    let bytes_before = wire_bytes(&here);
    for keystroke in 1..=KEYSTROKES {
        let at = cursor.advance();
        let length = characters + keystroke * typists;
        if typists == 2 {
            reader.insert(characters - at.min(characters))?;
        }
        let begun = Instant::now();
        writer.insert(at)?;
        reader.sees(length).await?;
        samples.push(begun.elapsed());
        writer.sees(length).await?;
    }
    writer.doc.synced(WITHIN).await?;
    reader.doc.flush().await?;
    let bytes = (wire_bytes(&here) - bytes_before) / KEYSTROKES as u64;
    if text::of(&reader.doc) != text::of(&writer.doc) || reader.view.text() != text::of(&writer.doc) {
        return Err("the two nodes' texts differ".into());
    }
    let mut raw = raw::live(&writer.doc.to_automerge(), typists)?;
    here.shutdown().await?;
    there.shutdown().await?;
    Ok(Figure::new(bench, "live")
        .with("characters", characters)
        .with("typists", typists)
        .with("p50_us", samples.percentile_us(50))
        .with("p99_us", samples.percentile_us(99))
        .with("raw_p50_us", raw.percentile_us(50))
        .with("bytes", bytes))
}
