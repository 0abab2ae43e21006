//! What is promised of documents with members, read from the operations alone: no judge is asked.

use std::collections::{BTreeMap, BTreeSet};

use pistol_acl::SignedOp;
use pistol_acl::record::{Action, Heads, Mode, Subject};
use pistol_core::change::Change;
use pistol_core::id::{AuthorityId, ChangeId};
use pistol_core::key::AuthorId;

use crate::reopened::Reopened;

/// How often the theorems said something, so that worlds in which they say nothing are noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Proved {
    /// Changes that had to be part of the document although somebody was revoked.
    pub(crate) spared: u64,
    /// Changes that had to be masked, as nobody else built on them or named them.
    pub(crate) ended: u64,
}

/// Whether the theorems hold of what is part of a document.
pub(crate) fn hold(rows: &Reopened, accepted: &BTreeSet<ChangeId>) -> Result<Proved, String> {
    let log = Log::of(rows);
    let changes: BTreeMap<ChangeId, &Change> =
        rows.changes.iter().map(|change| (change.id(), &**change.change())).collect();
    for id in accepted {
        let change = changes.get(id).ok_or("something is shown that is not held")?;
        if let Some(dep) = change.deps.iter().find(|dep| !accepted.contains(dep)) {
            return Err(format!("T2: {id:?} is part of the document without {dep:?}, on which it builds"));
        }
        if !log.may_have_written(change) {
            return Err(format!("T5: {id:?} is part of the document, and its author never had a part"));
        }
    }
    if log.is_released {
        let masked = changes.keys().find(|id| !accepted.contains(id));
        return masked.map_or(Ok(Proved::default()), |id| Err(format!("T8: {id:?} is masked after a release")));
    }
    let spared = log.spared(rows);
    if let Some(id) = spared.iter().find(|id| !accepted.contains(id)) {
        return Err(format!("T6: {id:?} is masked, and nobody revoked its author or whoever gave it a part"));
    }
    let ended = log.ended(rows);
    if let Some(id) = ended.iter().find(|id| accepted.contains(id)) {
        return Err(format!("T7: {id:?} is part of the document, its author was revoked, and nobody built on it"));
    }
    let spared = if log.revoked.is_empty() { 0 } else { spared.len() as u64 };
    Ok(Proved { spared, ended: ended.len() as u64 })
}

/// What a log says without being judged.
struct Log<'a> {
    roots: &'a [AuthorId],
    operations: BTreeMap<AuthorityId, &'a SignedOp>,
    /// Everybody whom any revocation names, whoever wrote it, and everybody who gave up being a root.
    revoked: BTreeSet<AuthorId>,
    purged: BTreeSet<AuthorId>,
    is_released: bool,
}

impl<'a> Log<'a> {
    fn of(rows: &'a Reopened) -> Log<'a> {
        let operations: BTreeMap<_, _> = rows.operations.iter().map(|signed| (signed.id(), signed)).collect();
        let (mut revoked, mut purged) = (BTreeSet::new(), BTreeSet::new());
        for signed in operations.values() {
            match &signed.op().action {
                Action::Revoke { who: Subject::Key(who), mode, .. } => {
                    revoked.insert(*who);
                    if *mode == Mode::Exact {
                        purged.insert(*who);
                    }
                }
                Action::Relinquish => {
                    revoked.insert(signed.op().author);
                }
                _ => {}
            }
        }
        let is_released = operations.values().any(|signed| signed.op().action == Action::Release);
        Log { roots: &rows.genesis.terms().roots, operations, revoked, purged, is_released }
    }

    fn names(&self, cited: &AuthorityId) -> Option<AuthorId> {
        match &self.operations.get(cited)?.op().action {
            Action::Grant { to: Subject::Key(key), .. } | Action::AddRoot { key } => Some(*key),
            _ => None,
        }
    }

    fn may_have_written(&self, change: &Change) -> bool {
        let is_release =
            |id: &AuthorityId| self.operations.get(id).is_some_and(|signed| signed.op().action == Action::Release);
        match change.authority.last() {
            None => self.roots.contains(&change.author),
            Some(cited) => self.names(cited) == Some(change.author) || is_release(cited),
        }
    }

    /// Whether nothing was ever written against an author, nor against anybody from whom the part that it cites comes.
    fn is_untouched(&self, author: &AuthorId, cited: &[AuthorityId]) -> bool {
        let is_so = !self.revoked.contains(author);
        match cited {
            [] => is_so && self.roots.contains(author),
            [cited] => {
                let granted = self.operations.get(cited).map(|signed| signed.op());
                is_so
                    && self.names(cited) == Some(*author)
                    && granted.is_some_and(|op| self.is_untouched(&op.author, &op.proof))
            }
            _ => false,
        }
    }

    /// T6: what somebody wrote whose part nobody ever touched stays, with all that it builds on, unless there is something in its
    /// past that may have been purged.
    fn spared(&self, rows: &Reopened) -> BTreeSet<ChangeId> {
        let mut purged = BTreeSet::new();
        let mut spared = BTreeSet::new();
        for change in &rows.changes {
            let (id, change) = (change.id(), change.change());
            if self.purged.contains(&change.author) || change.deps.iter().any(|dep| purged.contains(dep)) {
                purged.insert(id);
            } else if self.is_untouched(&change.author, &change.authority) {
                spared.insert(id);
            }
        }
        with_past(rows, spared)
    }

    /// T7: what was written by virtue of a part that a root ended is not shown, unless it is in the past of something that was
    /// written by virtue of another part, or that an operation names.
    fn ended(&self, rows: &Reopened) -> BTreeSet<ChangeId> {
        let is_lasting_root = |signed: &&&SignedOp| {
            let op = signed.op();
            op.proof.is_empty() && self.roots.contains(&op.author) && !self.revoked.contains(&op.author)
        };
        let by_roots: Vec<&SignedOp> = self.operations.values().filter(is_lasting_root).copied().collect();
        let ends = |change: &Change, revocation: &SignedOp| match (&revocation.op().action, change.authority.as_slice())
        {
            (Action::Revoke { who: Subject::Key(who), .. }, [cited]) => {
                *who == change.author
                    && self.names(cited) == Some(*who)
                    && matches!(
                        self.operations.get(cited).map(|signed| &signed.op().action),
                        Some(Action::Grant { .. })
                    )
                    && !self.past(cited).contains(&revocation.id())
            }
            _ => false,
        };
        let is_ended = |change: &Change| by_roots.iter().any(|revocation| ends(change, revocation));
        let others = rows.changes.iter().filter(|change| !is_ended(change.change())).map(|change| change.id());
        let named = self.operations.values().flat_map(|signed| match &signed.op().action {
            Action::Checkpoint(heads) => heads_in(std::slice::from_ref(heads)),
            Action::Revoke { keep, .. } => heads_in(&keep.changes),
            _ => Vec::new(),
        });
        let kept = with_past(rows, others.chain(named).collect());
        rows.changes.iter().map(|change| change.id()).filter(|id| !kept.contains(id)).collect()
    }

    fn past(&self, of: &AuthorityId) -> BTreeSet<AuthorityId> {
        let (mut past, mut next) = (BTreeSet::new(), vec![*of]);
        while let Some(signed) = next.pop().and_then(|id| self.operations.get(&id)) {
            next.extend(signed.op().prev.iter().filter(|id| past.insert(**id)));
        }
        past
    }
}

fn heads_in(heads: &[Heads]) -> Vec<ChangeId> {
    heads.iter().flat_map(|heads| heads.heads.clone()).collect()
}

/// Changes, and all that they build on.
fn with_past(rows: &Reopened, mut of: BTreeSet<ChangeId>) -> BTreeSet<ChangeId> {
    // Each row comes after those that it depends on.
    for change in rows.changes.iter().rev() {
        if of.contains(&change.id()) {
            of.extend(change.change().deps.iter().copied());
        }
    }
    of
}
