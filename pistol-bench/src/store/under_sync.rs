//! Edits while a long history comes in: of another document, and of the one that it comes into.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pistol::{Doc, Policy};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::Outcome;
use crate::basics::{WITHIN, first_sync, node};
use crate::figure::Figure;
use crate::samples::Samples;
use crate::text::BODY;
use crate::trace::Trace;

/// How long is typed at most while the history comes in; then what was measured is told, and that it did not all come.
const TYPED: Duration = Duration::from_mins(1);
/// Between two edits: a fast typist's rest, and a tenth of it.
const REST: Duration = Duration::from_millis(5);

pub(crate) async fn run(trace: &Trace) -> Outcome<Figure> {
    let folder = tempfile::tempdir()?;
    let node = node(&folder.path().join("sender")).await?;
    let doc = node.create(Policy::WorldWritable, |doc| doc.text(BODY)).await?;
    first_sync::write(&doc, &trace.keystrokes).await?;
    let mut figure = Figure::new("store", "edit-under-sync").with("changes", trace.keystrokes.len());
    for (name, is_same) in [("another", false), ("same", true)] {
        let measured = receive_in_another_process(&doc, &folder.path().join(name), is_same).await?;
        for field in ["edits", "p50_us", "p99_us", "most_us", "sync_ms"] {
            figure = figure.with(&format!("{name}_{field}"), measured.get(field).cloned().unwrap_or_default());
        }
    }
    node.shutdown().await?;
    Ok(figure)
}

async fn receive_in_another_process(doc: &Doc, folder: &Path, is_same: bool) -> Outcome<Value> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("type-under-sync").arg(doc.ticket().to_string()).arg(folder).stderr(Stdio::inherit());
    if is_same {
        command.arg("--same");
    }
    let output = spawn_blocking(move || command.output()).await??;
    if !output.status.success() {
        return Err("the receiving process failed".into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The process that joins and types until it is equal with the sender, or has typed for long.
pub(crate) async fn receive(ticket: &str, folder: &Path, is_same: bool) -> Outcome<()> {
    let node = node(folder).await?;
    let other = node.create(Policy::Owned, |doc| doc.text(BODY)).await?;
    let begun = Instant::now();
    let joined = node.join(&ticket.parse()?).await?;
    let typed = if is_same { &joined } else { &other };
    let mut samples = Samples::default();
    let (synced, mut sync_ms) = (joined.synced(WITHIN), None);
    tokio::pin!(synced);
    while sync_ms.is_none() && begun.elapsed() < TYPED {
        let edited = Instant::now();
        typed.edit(|doc| doc.text(BODY).insert(0, "x"))?;
        samples.push(edited.elapsed());
        tokio::select! {
            done = &mut synced => {
                done?;
                sync_ms = Some(begun.elapsed().as_millis());
            }
            () = tokio::time::sleep(REST) => {}
        }
    }
    let (edits, sync_ms) = (samples.count(), sync_ms.and_then(|ms| u64::try_from(ms).ok()));
    let [p50, p99, most] = [50, 99, 100].map(|percent| samples.percentile_us(percent));
    println!("{}", json!({ "edits": edits, "p50_us": p50, "p99_us": p99, "most_us": most, "sync_ms": sync_ms }));
    Ok(node.shutdown().await?)
}
