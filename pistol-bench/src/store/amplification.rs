//! Bytes written to the disk for each byte that a user wrote: notes of a kilobyte, each an edit, without waiting for the
//! disk in between; and the same bytes as rows of raw redb, a hundred in a commit.

use pistol::{Node, Policy};

use super::raw_redb::RawRedb;
use crate::figure::Figure;
use crate::samples::ratio;
use crate::{Outcome, process};

const NOTES: usize = 5000;
const DOCUMENTS: usize = 50;
const NOTE_BYTES: usize = 1000;
const ROWS: usize = 100;

pub(crate) async fn run() -> Outcome<Option<Figure>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("node");
    let node = Node::builder(&path).offline().open().await?;
    let mut docs = Vec::with_capacity(DOCUMENTS);
    for _ in 0..DOCUMENTS {
        docs.push(node.create(Policy::Owned, |doc| doc.list("notes")).await?);
    }
    super::has_reserve(&path).await?;
    let notes: Vec<String> = (0..NOTES).map(note).collect();
    let Some(before) = process::written_bytes() else {
        eprintln!("amplification is left out: this system does not tell what was written");
        return Ok(None);
    };
    for (number, note) in notes.iter().enumerate() {
        if let Some(doc) = docs.get(number % DOCUMENTS) {
            doc.edit(|doc| doc.list("notes").push(note.as_str()))?;
        }
        if number % ROWS == ROWS - 1 {
            node.flush().await?;
        }
    }
    drop(docs);
    node.shutdown().await?;
    let written = process::written_bytes().unwrap_or(before) - before;
    let mut raw = RawRedb::create(&folder.path().join("raw"))?;
    let before = process::written_bytes().unwrap_or_default();
    for rows in notes.chunks(ROWS) {
        raw.commit(rows.iter().map(String::as_bytes))?;
    }
    drop(raw);
    let raw_written = process::written_bytes().unwrap_or_default() - before;
    let per_byte = |bytes: u64| usize::try_from(bytes).map(|bytes| ratio(bytes, NOTES * NOTE_BYTES));
    let figure = Figure::new("store", "amplification").with("user_bytes", NOTES * NOTE_BYTES);
    let figure = figure.with("written_per_user_byte", per_byte(written)?);
    Ok(Some(figure.with("raw_written_per_user_byte", per_byte(raw_written)?)))
}

/// A note that cannot be made much shorter.
fn note(number: usize) -> String {
    let mut state = number as u64 + 1;
    let letter = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap_or_default())
    };
    (0..NOTE_BYTES).map(letter).collect()
}
