//! The same work done by Automerge alone.

use std::time::{Duration, Instant};

use automerge::sync::{State, SyncDoc};
use automerge::transaction::Transactable;
use automerge::{ActorId, Automerge, AutomergeError, ObjId, ROOT, ReadDoc};

use crate::Outcome;
use crate::samples::Samples;
use crate::text::BODY;

/// Changes applied at once: Automerge's best.
const BATCH: usize = 10_000;

/// Applies all changes of a document to an empty one.
pub(crate) fn apply(document: &Automerge) -> Outcome<Duration> {
    let mut changes = document.get_changes(&[]).into_iter();
    let mut empty = Automerge::new();
    let begun = Instant::now();
    loop {
        let batch: Vec<_> = changes.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        empty.apply_changes(batch)?;
    }
    let took = begun.elapsed();
    check_equal(document, &empty)?;
    Ok(took)
}

/// Brings an empty document up to date by Automerge's own protocol, in memory.
pub(crate) fn sync(document: &Automerge) -> Outcome<Duration> {
    let (mut full, mut empty) = (document.clone(), Automerge::new());
    let (mut of_full, mut of_empty) = (State::new(), State::new());
    let begun = Instant::now();
    loop {
        let asked = empty.generate_sync_message(&mut of_empty);
        let is_asked = asked.is_some();
        if let Some(message) = asked {
            full.receive_sync_message(&mut of_full, message)?;
        }
        match full.generate_sync_message(&mut of_full) {
            Some(message) => empty.receive_sync_message(&mut of_empty, message)?,
            None if is_asked => {}
            None => break,
        }
    }
    let took = begun.elapsed();
    check_equal(document, &empty)?;
    Ok(took)
}

/// Types into the text of a document: transaction, commit, and the change read back.
pub(crate) fn edit(document: &mut Automerge, body: &ObjId, at: usize) -> Outcome<Duration> {
    let begun = Instant::now();
    let mut transaction = document.transaction();
    transaction.splice_text(body, at, 0, "x")?;
    transaction.commit();
    let change = document.get_last_local_change();
    let took = begun.elapsed();
    change.ok_or("Automerge made no change")?;
    Ok(took)
}

/// Keystrokes that are measured on their way to another document.
const KEYSTROKES: usize = 60;

/// A keystroke in one document until it is applied to another, in memory; a second typist types at the same time.
pub(crate) fn live(saved: &[u8], typists: usize) -> Outcome<Samples> {
    let load = || Ok::<_, AutomergeError>(Automerge::load(saved)?.with_actor(ActorId::random()));
    let (mut here, mut there) = (load()?, load()?);
    let body = body(&here)?;
    let mut samples = Samples::default();
    for at in 0..KEYSTROKES {
        if typists == 2 {
            edit(&mut there, &body, at)?;
        }
        let begun = Instant::now();
        edit(&mut here, &body, 0)?;
        there.apply_changes(here.get_last_local_change())?;
        samples.push(begun.elapsed());
        if typists == 2 {
            here.merge(&mut there)?;
        }
    }
    Ok(samples)
}

pub(crate) fn body(document: &Automerge) -> Outcome<ObjId> {
    let (_, body) = document.get(ROOT, BODY)?.ok_or("there is no text")?;
    Ok(body)
}

fn check_equal(document: &Automerge, other: &Automerge) -> Outcome<()> {
    let is_equal = document.text(body(document)?)? == other.text(body(other)?)?;
    if is_equal { Ok(()) } else { Err("Automerge's documents differ".into()) }
}
