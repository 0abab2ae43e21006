//! Places that hold more rival values than one change can name. Anybody can make such a place in a document that anybody
//! may write; an edit there is then several changes: some that remove rivals, and the one that was meant.

use automerge::ExpandedChange;
use automerge::legacy::{Op, OpId, OpType};

use super::readback::EditAs;
use super::{Document, EditError};
use crate::validate::{Accepted, Rule};

/// Rivals that one operation names at most: each may be of another chain, and a change names 1,024 chains.
const NAMED_MAX: usize = 1000;
/// Rivals that are left to the change that was meant, once there were too many.
const LEFT_MAX: usize = 16;

/// Whether an operation replaces more values than a change should name.
pub(super) fn is_crowded(made: &ExpandedChange) -> bool {
    made.operations.iter().any(|op| op.pred.len() > NAMED_MAX)
}

impl Document {
    /// Accepts changes that remove rivals which `made` replaces, and leaves it those that remain. What it was read from
    /// must not be in Automerge's document any more.
    ///
    /// # Errors
    /// [`EditError::TooLarge`] if one operation and what it refers to do not fit a change.
    pub(super) fn remove_rivals(
        &mut self,
        by: &EditAs<'_>,
        made: &mut ExpandedChange,
    ) -> Result<Vec<Accepted>, EditError> {
        let frame = ExpandedChange { operations: Vec::new(), ..made.clone() };
        let mut removals = Vec::new();
        for op in &mut made.operations {
            let mut rivals: Vec<OpId> = op.pred.iter().cloned().collect();
            if rivals.len() <= NAMED_MAX {
                continue;
            }
            while rivals.len() > LEFT_MAX {
                let named = rivals.split_off(rivals.len().saturating_sub(NAMED_MAX).max(LEFT_MAX));
                let (obj, key) = (op.obj.clone(), op.key.clone());
                let removal = Op { action: OpType::Delete, obj, key, pred: named.into(), insert: false };
                let removal = ExpandedChange { operations: vec![removal], ..frame.clone() };
                let linked = self.read_back(by, &removal).ok_or(EditError::Refused(Rule::Operation))?;
                let removal = self.accept_own(by, linked)?;
                self.backlog.push(&removal);
                removals.push(removal);
            }
            op.pred = rivals.into();
        }
        Ok(removals)
    }
}
