//! Opening a document with a long history, from its snapshot and from its rows alone, beside Automerge's loading of it.

use std::path::Path;
use std::time::{Duration, Instant};

use automerge::Automerge;
use pistol::{DocumentId, Policy};
use pistol_core::store::redb::{RedbOptions, RedbStore};
use pistol_core::store::{Batch, Store, Table};

use super::trace_file::table_bytes;
use crate::Outcome;
use crate::basics::{first_sync, node};
use crate::figure::Figure;
use crate::samples::{Samples, milliseconds, ratio};
use crate::text::{self, BODY};
use crate::trace::Trace;

/// Times that each is opened; the median counts.
const ROUNDS: usize = 5;

pub(crate) async fn run(trace: &Trace) -> Outcome<Figure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("node");
    let (id, saved, end) = written(&path, trace).await?;
    let (mut fast, mut slow, mut raw) = (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        fast.push(opened(&path, id, &end).await?);
        let begun = Instant::now();
        let automerge = Automerge::load(&saved)?;
        raw.push(begun.elapsed());
        drop(automerge);
    }
    let store = path.join("store.redb");
    let snapshot_bytes = table_bytes(&store, Table::Snapshots)?;
    let row_bytes = table_bytes(&store, Table::Envelopes)? + table_bytes(&store, Table::Tail)?;
    for _ in 0..2 {
        forget_snapshots(&store)?;
        slow.push(opened(&path, id, &end).await?);
    }
    Ok(Figure::new("store", "open")
        .with("changes", trace.keystrokes.len())
        .with("ms", milliseconds(fast.median()))
        .with("raw_ms", milliseconds(raw.median()))
        .with("times_raw", ratio(whole_us(fast.median()), whole_us(raw.median())))
        .with("from_rows_ms", milliseconds(slow.median()))
        .with("snapshot_bytes", snapshot_bytes)
        .with("row_bytes", row_bytes)
        .with("save_bytes", saved.len()))
}

/// Types the history on a node of its own. Returns the document, what it saves and what it says.
async fn written(path: &Path, trace: &Trace) -> Outcome<(DocumentId, Vec<u8>, String)> {
    let node = node(path).await?;
    let doc = node.create(Policy::Owned, |doc| doc.text(BODY)).await?;
    first_sync::write(&doc, &trace.keystrokes).await?;
    let (id, saved, end) = (doc.id(), doc.to_automerge(), text::of(&doc));
    node.shutdown().await?;
    Ok((id, saved, end))
}

/// The time from a running node to the document's text.
async fn opened(path: &Path, id: DocumentId, end: &str) -> Outcome<Duration> {
    let node = node(path).await?;
    let begun = Instant::now();
    let doc = node.document(id).await?;
    let took = begun.elapsed();
    if text::of(&doc) != end {
        return Err("the document that was opened is not the one that was written".into());
    }
    node.shutdown().await?;
    Ok(took)
}

fn whole_us(duration: Duration) -> usize {
    usize::try_from(duration.as_micros()).unwrap_or(usize::MAX)
}

fn forget_snapshots(store: &Path) -> Outcome<()> {
    let mut store = RedbStore::open(store, RedbOptions::default())?;
    let mut batch = Batch::default();
    for (key, _) in store.range(Table::Snapshots, &[], &[0xff; 64], usize::MAX)? {
        batch.remove(Table::Snapshots, key);
    }
    Ok(store.commit(&batch)?)
}
