//! A long history to a peer that has nothing: until it is verified, durable and readable there.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use automerge::Automerge;
use pistol::{Doc, EditError, Policy};
use pistol_core::envelope::Envelope;
use pistol_core::id::DocumentId;
use pistol_core::store::redb::{RedbOptions, RedbStore};
use pistol_core::store::{Store, Table};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::{WITHIN, node, wire_bytes};
use crate::figure::Figure;
use crate::samples::milliseconds;
use crate::text::{self, BODY};
use crate::trace::{self, Keystroke, Trace};
use crate::{Outcome, process, raw};

/// Measures, if there is a trace.
pub(crate) async fn run(bench: &str, trace: Option<&Path>, keystrokes: Option<usize>) -> Outcome<()> {
    let usual = trace::usual_place();
    if trace.is_none() && !usual.is_file() {
        eprintln!("first-sync is left out: there is no {}; name an editing history with --trace", usual.display());
        return Ok(());
    }
    let mut trace = Trace::read(trace.unwrap_or(&usual))?;
    let count = keystrokes.unwrap_or(usize::MAX).min(trace.keystrokes.len());
    let is_whole = count == trace.keystrokes.len();
    trace.keystrokes.truncate(count);
    let folder = tempfile::tempdir()?;
    let sender = folder.path().join("sender");
    let node = node(&sender).await?;
    let doc = node.create(Policy::Owned, |doc| doc.text(BODY)).await?;
    write(&doc, &trace.keystrokes).await?;
    let end = text::of(&doc);
    if is_whole && end != trace.end {
        return Err("the trace was typed and its end is not what was recorded".into());
    }
    let received = send(&doc, &folder.path().join("receiver")).await?;
    if received.get("text").and_then(Value::as_str) != Some(&end) {
        return Err("the receiver's text is not the sender's".into());
    }
    let (id, saved) = (doc.id(), doc.to_automerge());
    node.shutdown().await?;
    drop(doc);
    let document = Automerge::load(&saved)?;
    let of_receiver = |name: &str| received.get(name).cloned().unwrap_or_default();
    Figure::new(bench, "first-sync")
        .with("keystrokes", count)
        .with("ms", of_receiver("ms"))
        .with("raw_sync_ms", milliseconds(raw::sync(&document)?))
        .with("raw_apply_ms", milliseconds(raw::apply(&document)?))
        .with("wire_bytes", of_receiver("wire_bytes"))
        .with("peak_mb", of_receiver("peak_mb"))
        .with("signatures", signatures(id, &sender)?)
        .with("save_bytes", saved.len())
        .print();
    Ok(())
}

/// Types a history, one change for each keystroke.
pub(crate) async fn write(doc: &Doc, keystrokes: &[Keystroke]) -> Outcome<()> {
    for Keystroke { at, deleted, text } in keystrokes {
        while let Err(error) = doc.edit(|doc| doc.text(BODY).splice(*at, *deleted, text)) {
            match error {
                EditError::Busy => doc.flush().await?,
                error => return Err(error.into()),
            }
        }
    }
    Ok(doc.flush().await?)
}

/// Has another process join the document; returns what it measured.
async fn send(doc: &Doc, folder: &Path) -> Outcome<Value> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("receive").arg(doc.ticket().to_string()).arg(folder).stderr(Stdio::inherit());
    let output = spawn_blocking(move || command.output()).await??;
    if !output.status.success() {
        return Err("the receiving process failed".into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The receiving process: joins, and says what it cost.
pub(crate) async fn receive(ticket: &str, folder: &Path) -> Outcome<()> {
    let node = node(folder).await?;
    let ticket = ticket.parse()?;
    let begun = Instant::now();
    let doc = node.join(&ticket).await?;
    doc.synced(WITHIN).await?;
    doc.flush().await?;
    let text = text::of(&doc);
    let ms = milliseconds(begun.elapsed());
    println!("{}", json!({ "ms": ms, "wire_bytes": wire_bytes(&node), "peak_mb": process::peak_mb(), "text": text }));
    Ok(node.shutdown().await?)
}

/// How many signatures the sender's envelopes carry: all of them travelled, as they rest.
fn signatures(document: DocumentId, sender: &Path) -> Outcome<usize> {
    let store = RedbStore::open(&sender.join("store.redb"), RedbOptions::default())?;
    let mut signatures = 0;
    for table in [Table::Envelopes, Table::Tail] {
        for (_, row) in store.range(table, &[], &[0xff; 64], usize::MAX)? {
            signatures += Envelope::from_bytes(document, &row)?.signatures();
        }
    }
    Ok(signatures)
}
