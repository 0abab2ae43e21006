//! The one place that hands changes to Automerge.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Automerge, AutomergeError, Change, PatchLog};

/// Changes given to Automerge at once: each time it walks the objects that they touch, and it takes two kilobytes a change.
pub(super) const BATCH: usize = 25_000;

/// Automerge did not take changes that the validator had passed.
#[derive(Debug)]
pub(super) struct ApplyError;

/// Applies changes, in causal order.
pub(super) fn apply(
    automerge: &mut Automerge,
    changes: Vec<Change>,
    mut log: Option<&mut PatchLog>,
) -> Result<(), AutomergeError> {
    let mut changes = changes.into_iter();
    loop {
        let batch: Vec<Change> = changes.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return Ok(());
        }
        match log.as_deref_mut() {
            Some(log) => automerge.apply_changes_log_patches(batch, log)?,
            None => automerge.apply_changes(batch)?,
        }
    }
}

/// Runs something in Automerge and survives its panic. What it touched must be thrown away then.
pub(super) fn contained<T, E>(run: impl FnOnce() -> Result<T, E>) -> Result<T, ApplyError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) | Err(_) => Err(ApplyError),
    }
}
