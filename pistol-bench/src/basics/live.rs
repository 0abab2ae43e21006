//! A keystroke on one node, until the other node's editor has the splice. Each waits for the one before.

use std::time::Instant;

use futures_lite::StreamExt;
use pistol::Policy;

use super::{WITHIN, node, wire_bytes};
use crate::Outcome;
use crate::figure::Figure;
use crate::samples::Samples;
use crate::text::{self, BODY, Cursor};

const KEYSTROKES: usize = 300;

pub(crate) async fn run(characters: usize) -> Outcome<Figure> {
    let folder = tempfile::tempdir()?;
    let (here, there) = (node(&folder.path().join("here")).await?, node(&folder.path().join("there")).await?);
    let writer = here.create(Policy::Owned, |doc| doc.text(BODY)).await?;
    text::fill(&writer, characters)?;
    let reader = there.join(&writer.ticket()).await?;
    reader.synced(WITHIN).await?;
    writer.synced(WITHIN).await?;
    let (view, mut changes) = (reader.view(|doc| doc.text(BODY))?, reader.changes());
    let (mut cursor, mut samples) = (Cursor::in_text_of(characters), Samples::default());
    let bytes_before = wire_bytes(&here);
    for _ in 0..KEYSTROKES {
        let at = cursor.advance();
        let begun = Instant::now();
        writer.edit(|doc| doc.text(BODY).insert(at, "x"))?;
        while view.take().is_empty() {
            changes.next().await.ok_or("the node ended")?;
        }
        samples.push(begun.elapsed());
    }
    writer.synced(WITHIN).await?;
    reader.flush().await?;
    let bytes = (wire_bytes(&here) - bytes_before) / KEYSTROKES as u64;
    if view.text() != text::of(&writer) {
        return Err("the two nodes' texts differ".into());
    }
    here.shutdown().await?;
    there.shutdown().await?;
    let figure = Figure::new("live").with("characters", characters).with("p50_us", samples.percentile_us(50));
    Ok(figure.with("p99_us", samples.percentile_us(99)).with("bytes", bytes))
}
