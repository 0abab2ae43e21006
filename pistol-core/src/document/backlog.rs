//! Changes that are accepted and not shown yet, packed: while a long history comes in, a keystroke takes some 20 bytes here
//! and not 600. What the history knows of a change is not written down again.

use std::sync::Arc;

use crate::change::{Change, read_operation, write_operation};
use crate::codec::{Malformed, Reader, Writer};
use crate::envelope::Linked;
use crate::id::AuthorityId;
use crate::limits;
use crate::validate::{Accepted, History, Ordinal};

/// Bytes that were taken out, from which on they are given back.
const SPENT_MOST: usize = 64 << 10;

/// Accepted changes, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Backlog {
    packed: Writer,
    rest: Rest,
}

/// What is left of a backlog.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest {
    at: usize,
    changes: usize,
    operations: usize,
    forks: usize,
}

impl Backlog {
    pub(super) fn len(&self) -> usize {
        self.rest.changes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.changes == 0
    }

    pub(super) fn operations(&self) -> usize {
        self.rest.operations
    }

    /// Whether one of the changes made a fork known.
    pub(super) fn has_forks(&self) -> bool {
        self.rest.forks > 0
    }

    pub(super) fn push(&mut self, accepted: &Accepted) {
        self.give_back_spent();
        write(accepted, &mut self.packed);
        self.rest.changes += 1;
        self.rest.operations += accepted.change.change().ops.len();
        self.rest.forks += usize::from(accepted.is_fork);
    }

    /// Takes out the first changes, at most so many. Empty if none are left.
    pub(super) fn take(&mut self, history: &History, count: usize) -> Vec<Accepted> {
        let packed = self.packed.as_bytes().get(self.rest.at..).unwrap_or_default();
        let mut reader = Reader::new(packed);
        let mut taken = Vec::with_capacity(count.min(self.rest.changes));
        while taken.len() < count.min(self.rest.changes) {
            let Some(accepted) = read(&mut reader, history) else { break };
            taken.push(accepted);
        }
        self.rest.at += packed.len() - reader.remaining();
        self.rest.changes -= taken.len();
        self.rest.operations -= taken.iter().map(|accepted| accepted.change.change().ops.len()).sum::<usize>();
        self.rest.forks -= taken.iter().filter(|accepted| accepted.is_fork).count();
        taken
    }

    /// What is left, to come back to.
    pub(super) fn rest(&self) -> Rest {
        self.rest
    }

    /// Puts back what was taken out since; nothing may have been pushed meanwhile.
    pub(super) fn rewind(&mut self, rest: Rest) {
        self.rest = rest;
    }

    fn give_back_spent(&mut self) {
        if self.is_empty() {
            self.packed.clear();
            self.rest.at = 0;
        } else if self.rest.at > SPENT_MOST {
            let mut packed = std::mem::take(&mut self.packed).into_bytes();
            packed.drain(..self.rest.at.min(packed.len()));
            self.packed.raw(&packed);
            self.rest.at = 0;
        }
    }
}

pub(super) fn write(accepted: &Accepted, writer: &mut Writer) {
    let change = accepted.change.change();
    writer.number(u64::from(accepted.ordinal));
    writer.byte(u8::from(accepted.is_fork));
    for ordinals in [&accepted.deps, &accepted.table] {
        writer.length(ordinals.len());
        ordinals.iter().for_each(|ordinal| writer.number(u64::from(accepted.ordinal.wrapping_sub(*ordinal))));
    }
    writer.length(change.authority.len());
    change.authority.iter().for_each(|id| writer.raw(id.as_bytes()));
    writer.number(change.time_ms);
    writer.byte(u8::from(change.message.is_some()));
    change.message.iter().for_each(|message| writer.bytes(message.as_bytes()));
    writer.length(change.ops.len());
    change.ops.iter().for_each(|op| write_operation(op, writer));
}

pub(super) fn read(reader: &mut Reader<'_>, history: &History) -> Option<Accepted> {
    let (ordinal, is_fork) = (reader.number32().ok()?, reader.byte().ok()? != 0);
    let deps = read_ordinals(reader, ordinal, limits::DEPENDENCIES_MAX).ok()?;
    let table = read_ordinals(reader, ordinal, limits::REFERENCES_MAX).ok()?;
    let chain = history.branch(history.branch_index(ordinal)?)?.chain()?;
    let ids = |ordinals: &[Ordinal]| ordinals.iter().map(|ordinal| history.id(*ordinal)).collect::<Option<Vec<_>>>();
    let mut change = Change {
        author: chain.author,
        session: chain.session,
        seq: history.seq(ordinal)?,
        deps: ids(&deps)?,
        authority: read_authority(reader).ok()?,
        time_ms: reader.number().ok()?,
        message: read_message(reader).ok()?,
        table: ids(&table)?,
        ops: Vec::new(),
    };
    let operations = reader.count(limits::OPERATIONS_PER_CHANGE_MAX, 1).ok()?;
    change.ops.reserve_exact(operations);
    for _ in 0..operations {
        change.ops.push(read_operation(reader).ok()?);
    }
    Some(Accepted { ordinal, change: placed(change, ordinal, history)?, deps, table, is_fork })
}

fn read_ordinals(reader: &mut Reader<'_>, before: Ordinal, most: usize) -> Result<Vec<Ordinal>, Malformed> {
    let count = reader.count(most, 1)?;
    (0..count).map(|_| Ok(before.wrapping_sub(reader.number32()?))).collect()
}

fn read_authority(reader: &mut Reader<'_>) -> Result<Vec<AuthorityId>, Malformed> {
    let count = reader.count(limits::AUTHORITY_MAX, 32)?;
    (0..count).map(|_| reader.array().map(AuthorityId)).collect()
}

fn read_message(reader: &mut Reader<'_>) -> Result<Option<String>, Malformed> {
    match reader.byte()? {
        0 => Ok(None),
        _ => reader.text(limits::MESSAGE_BYTES_MAX).map(|message| Some(message.to_owned())),
    }
}

/// A change at the place of its chain at which it was accepted.
fn placed(change: Change, ordinal: Ordinal, history: &History) -> Option<Linked> {
    let branch = history.branch(history.branch_index(ordinal)?)?;
    let previous = if change.seq > branch.first_seq() { branch.at(change.seq - 1) } else { branch.parent() };
    let (base, bytes_before) = match previous {
        Some(previous) => (history.link(previous)?, history.chain_bytes(previous)?),
        None => (branch.chain()?.root(&history.genesis().id()), 0),
    };
    let bytes = usize::try_from(history.chain_bytes(ordinal)?.checked_sub(bytes_before)?).ok()?;
    Some(Linked::placed(Arc::new(change), history.id(ordinal)?, bytes, base, history.link(ordinal)?))
}

#[cfg(test)]
mod tests;
