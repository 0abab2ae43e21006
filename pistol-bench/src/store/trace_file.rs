//! What a long history takes on disk, and how much was written for it, beside what Automerge saves of it.

use std::path::Path;

use pistol::Policy;
use pistol_core::store::redb::{RedbOptions, RedbStore};
use pistol_core::store::{Store, Table};

use crate::basics::{first_sync, node};
use crate::figure::Figure;
use crate::samples::ratio;
use crate::text::BODY;
use crate::trace::Trace;
use crate::{Outcome, process};

/// The bytes of the file are those of its pages. What is in them, by table, tells where they go.
pub(crate) async fn run(trace: &Trace) -> Outcome<Figure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("node");
    let node = node(&path).await?;
    let doc = node.create(Policy::Owned, |doc| doc.text(BODY)).await?;
    super::has_reserve(&path).await?;
    let before = process::written_bytes();
    first_sync::write(&doc, &trace.keystrokes).await?;
    let save_bytes = doc.to_automerge().len();
    drop(doc);
    node.shutdown().await?;
    let written = process::written_bytes().zip(before).and_then(|(now, then)| usize::try_from(now - then).ok());
    let store = path.join("store.redb");
    let bytes = usize::try_from(std::fs::metadata(&store)?.len())?;
    let mut figure = Figure::new("store", "trace-file")
        .with("changes", trace.keystrokes.len())
        .with("bytes", bytes)
        .with("save_bytes", save_bytes)
        .with("times_save", ratio(bytes, save_bytes));
    for (name, table) in TABLES {
        figure = figure.with(name, table_bytes(&store, table)?);
    }
    let typed: usize = trace.keystrokes.iter().map(|key| key.deleted + key.text.len()).sum();
    Ok(figure.with("written_bytes", written).with("typed_bytes", typed))
}

const TABLES: [(&str, Table); 3] =
    [("envelopes_bytes", Table::Envelopes), ("tail_bytes", Table::Tail), ("snapshot_bytes", Table::Snapshots)];

/// Bytes of a table's keys and values.
pub(crate) fn table_bytes(store: &Path, table: Table) -> Outcome<usize> {
    let rows = RedbStore::open(store, RedbOptions::default())?.range(table, &[], &[0xff; 64], usize::MAX)?;
    Ok(rows.iter().map(|(key, value)| key.len() + value.len()).sum())
}
