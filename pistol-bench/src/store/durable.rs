//! Edits made durable: many at once, and each waited for; beside Automerge's changes written to redb by the same kind of
//! commit.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use automerge::{ActorId, Automerge};
use pistol::{Doc, EditError, Node, Policy};

use super::raw_redb::RawRedb;
use crate::figure::Figure;
use crate::text::{BODY, Cursor};
use crate::{Outcome, raw};

/// Edits made without waiting for the disk.
const MANY: usize = 50_000;
/// Rows in a commit of raw redb then.
const ROWS: usize = 1000;
/// Edits of which each is waited for, and how many are made in a row before the other side has its turn.
const EACH: usize = 1000;
const TURN: usize = 50;

/// Types as fast as it can, and waits for the disk at the end.
pub(crate) async fn batched() -> Outcome<Figure> {
    let folder = tempfile::tempdir()?;
    let (node, doc) = document(&folder.path().join("node")).await?;
    let mut automerge = Automerge::load(&doc.to_automerge())?.with_actor(ActorId::random());
    let mut cursor = Cursor::in_text_of(0);
    let begun = Instant::now();
    for _ in 0..MANY {
        let at = cursor.advance();
        while let Err(error) = doc.edit(|doc| doc.text(BODY).insert(at, "x")) {
            match error {
                EditError::Busy => doc.flush().await?,
                error => return Err(error.into()),
            }
        }
    }
    doc.flush().await?;
    let took = begun.elapsed();
    node.shutdown().await?;
    drop(doc);
    let raw = raw_batched(&mut automerge, &folder.path().join("raw"))?;
    Ok(Figure::new("store", "durable-batched")
        .with("edits", MANY)
        .with("per_s", per_second(MANY, took))
        .with("raw_per_s", per_second(MANY, raw)))
}

/// Types the same once more into Automerge alone, and keeps its changes.
fn raw_batched(document: &mut Automerge, path: &Path) -> Outcome<Duration> {
    let body = raw::body(document)?;
    let (mut cursor, mut store) = (Cursor::in_text_of(0), RawRedb::create(path)?);
    let begun = Instant::now();
    for _ in 0..MANY / ROWS {
        let mut changes = Vec::with_capacity(ROWS);
        for _ in 0..ROWS {
            raw::edit(document, &body, cursor.advance())?;
            changes.extend(document.get_last_local_change());
        }
        store.commit(changes.iter().map(automerge::Change::raw_bytes))?;
    }
    Ok(begun.elapsed())
}

/// Waits for the disk after each edit. Both sides take turns, so that whatever else the machine does meets both.
pub(crate) async fn alone() -> Outcome<Figure> {
    let folder = tempfile::tempdir()?;
    let (node, doc) = document(&folder.path().join("node")).await?;
    let mut automerge = Automerge::load(&doc.to_automerge())?.with_actor(ActorId::random());
    let body = raw::body(&automerge)?;
    let mut store = RawRedb::create(&folder.path().join("raw"))?;
    let (mut cursor, mut raw_cursor) = (Cursor::in_text_of(0), Cursor::in_text_of(0));
    let (mut took, mut raw) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..EACH / TURN {
        let begun = Instant::now();
        edit_alone(&doc, &mut cursor, TURN).await?;
        took += begun.elapsed();
        let begun = Instant::now();
        for _ in 0..TURN {
            raw::edit(&mut automerge, &body, raw_cursor.advance())?;
            let change = automerge.get_last_local_change().ok_or("Automerge made no change")?;
            store.commit([change.raw_bytes()].into_iter())?;
        }
        raw += begun.elapsed();
    }
    node.shutdown().await?;
    let figure = Figure::new("store", "durable-alone").with("edits", EACH);
    let figure = figure.with("per_s", per_second(EACH, took)).with("raw_per_s", per_second(EACH, raw));
    Ok(figure.with("fsyncs_per_edit", fsyncs_per_edit()?))
}

async fn document(path: &Path) -> Outcome<(Node, Doc)> {
    let node = Node::builder(path).offline().open().await?;
    let doc = node.create(Policy::Owned, |doc| doc.text(BODY)).await?;
    Ok((node, doc))
}

async fn edit_alone(doc: &Doc, cursor: &mut Cursor, edits: usize) -> Outcome<()> {
    for _ in 0..edits {
        let at = cursor.advance();
        doc.edit(|doc| doc.text(BODY).insert(at, "x"))?;
        doc.flush().await?;
    }
    Ok(())
}

/// The process in which syncs are counted: so many edits, each waited for.
pub(crate) async fn type_alone(folder: &Path, edits: usize) -> Outcome<()> {
    let (node, doc) = document(folder).await?;
    edit_alone(&doc, &mut Cursor::in_text_of(0), edits).await?;
    drop(doc);
    Ok(node.shutdown().await?)
}

/// Calls of fsync and fdatasync for each edit, as `strace` counts them in a process of its own; none without it.
fn fsyncs_per_edit() -> Outcome<Option<f64>> {
    const EDITS: u32 = 200;
    let counted = fsyncs(0)?.zip(fsyncs(EDITS)?);
    if counted.is_none() {
        eprintln!("fsyncs are not counted: there is no strace");
    }
    let each = |(none, all): (u32, u32)| f64::from(all.saturating_sub(none)) / f64::from(EDITS);
    Ok(counted.map(|counted| (each(counted) * 100.0).round() / 100.0))
}

fn fsyncs(edits: u32) -> Outcome<Option<u32>> {
    let folder = tempfile::tempdir()?;
    let calls = folder.path().join("calls");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=fsync,fdatasync", "-o"]).arg(&calls).arg(std::env::current_exe()?);
    strace.arg("type-alone").arg(folder.path().join("node")).arg(edits.to_string());
    let Ok(status) = strace.stdin(Stdio::null()).stdout(Stdio::null()).status() else { return Ok(None) };
    if !status.success() {
        return Err("the process whose syncs were counted failed".into());
    }
    // A call that others interrupt takes two lines, of which the second says that it goes on.
    let is_call = |line: &&str| line.contains("sync(");
    Ok(Some(u32::try_from(std::fs::read_to_string(&calls)?.lines().filter(is_call).count())?))
}

fn per_second(count: usize, took: Duration) -> u64 {
    let nanoseconds = took.as_nanos().max(1);
    u64::try_from(count as u128 * 1_000_000_000 / nanoseconds).unwrap_or(u64::MAX)
}
