//! A judge who knows nothing of how a node came to its verdicts: all operations and changes are given to it at once, the
//! youngest first.

use std::collections::BTreeSet;

use pistol_acl::{Access, Charter, Held, State, Summary};
use pistol_core::id::ChangeId;

use crate::reopened::Reopened;

/// What is part of a document with members.
pub(crate) fn accepted(rows: &Reopened) -> Result<BTreeSet<ChangeId>, String> {
    let access = judge(rows)?;
    Ok(access.accepted().copied().collect())
}

/// Judges everything that rows hold. All of it has its place: a node stores nothing else.
pub(crate) fn judge(rows: &Reopened) -> Result<Access, String> {
    let log = rows.genesis.id();
    let mut access = Access::new(log);
    for signed in rows.operations.iter().rev() {
        access.hold(signed.clone());
    }
    for change in rows.changes.iter().rev() {
        access.add(Summary::of(change));
    }
    access.found(Charter::of(&rows.genesis).ok_or("its genesis makes no document")?);
    // Of an author with very many forks there may have been no room for one before others had come.
    for signed in &rows.operations {
        if let held @ (Held::Refused(..) | Held::Waiting(_) | Held::Owed) = access.hold_needed(signed.clone()) {
            return Err(format!("a row holds operation {:?} that has no place in its log: {held:?}", signed.id()));
        }
    }
    access.settle();
    for change in &rows.changes {
        if !matches!(access.state(&change.id()), State::Accepted | State::Masked) {
            let state = access.state(&change.id());
            return Err(format!("a row holds change {:?}, and what it cites says {state:?}", change.id()));
        }
    }
    Ok(access)
}
