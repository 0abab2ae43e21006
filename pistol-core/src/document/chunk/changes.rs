//! The changes of a chunk: their hashes, their columns, and which of them are heads.

use automerge::ChangeHash;

use super::actors::Actors;
use super::columns::{self, Columns, Kind};
use super::operations::{Operation, Operations};
use crate::change::Op;
use crate::validate::{Accepted, Ordinal};

/// A change to be written.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) ordinal: Ordinal,
    pub(super) actor: u32,
    /// Automerge's sequence number, which counts within the actor.
    seq: u64,
    /// The counter of its first operation.
    pub(super) start: u32,
    source: Source<'a>,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Skeleton(&'a [Op]),
    Change(&'a Accepted),
}

impl<'a> Entry<'a> {
    pub(super) fn skeleton(ops: &'a [Op]) -> Self {
        Entry { ordinal: 0, actor: 0, seq: 0, start: 0, source: Source::Skeleton(ops) }
    }

    pub(super) fn change(accepted: &'a Accepted) -> Self {
        Entry { ordinal: accepted.ordinal, actor: 0, seq: 0, start: 0, source: Source::Change(accepted) }
    }

    /// The same change, with what Automerge calls it.
    pub(super) fn named(self, actor: u32, seq: u64, start: u32) -> Self {
        Entry { actor, seq, start, ..self }
    }

    pub(super) fn ops(&self) -> &'a [Op] {
        match self.source {
            Source::Skeleton(ops) => ops,
            Source::Change(accepted) => &accepted.change.change().ops,
        }
    }

    pub(super) fn table(&self) -> &'a [Ordinal] {
        match self.source {
            Source::Skeleton(_) => &[],
            Source::Change(accepted) => &accepted.table,
        }
    }

    /// What it depends on; a change without dependencies depends on the skeleton.
    fn deps(&self) -> &'a [Ordinal] {
        match self.source {
            Source::Skeleton(_) => &[],
            Source::Change(accepted) if accepted.deps.is_empty() => &[0],
            Source::Change(accepted) => &accepted.deps,
        }
    }

    fn time(&self) -> Option<i64> {
        match self.source {
            Source::Skeleton(_) => Some(0),
            Source::Change(accepted) => i64::try_from(accepted.change.change().time_ms).ok(),
        }
    }

    fn message(&self) -> Option<&'a str> {
        match self.source {
            Source::Skeleton(_) => None,
            Source::Change(accepted) => accepted.change.change().message.as_deref(),
        }
    }
}

/// The changes by their places in the chunk.
pub(super) struct Changes {
    hashes: Vec<ChangeHash>,
    /// Of each change, how many dependencies it has.
    counts: Vec<u32>,
    /// The places of all dependencies, those of each change sorted by hash.
    deps: Vec<u32>,
    /// Hashes and places of the changes that no change depends on, sorted by hash.
    heads: Vec<(ChangeHash, u32)>,
}

impl Changes {
    /// Computes the hashes, which give the order of dependencies.
    pub(super) fn of(actors: &Actors<'_>, entries: &[Entry<'_>], operations: &Operations<'_>) -> Option<Self> {
        let first = entries.first().map_or(0, |entry| entry.ordinal);
        let mut changes = Changes::with_capacity(entries.len());
        let mut is_head = vec![true; entries.len()];
        let mut hasher = Hasher { actors, operations, columns: Columns::default(), content: Vec::new() };
        let mut deps = Vec::new();
        let mut rows = operations.rows();
        for entry in entries {
            deps.clear();
            for place in entry.deps().iter().filter_map(|dep| dep.checked_sub(first)) {
                let index = usize::try_from(place).ok()?;
                deps.push((*changes.hashes.get(index)?, place));
                *is_head.get_mut(index)? = false;
            }
            deps.sort_unstable();
            let (own, after) = rows.split_at_checked(entry.ops().len())?;
            rows = after;
            let hash = hasher.hash(entry, own, &deps)?;
            changes.hashes.push(hash);
            changes.counts.push(u32::try_from(deps.len()).ok()?);
            changes.deps.extend(deps.iter().map(|(_, place)| place));
        }
        let hashes = changes.hashes.iter().copied().zip(0..);
        changes.heads = hashes.zip(is_head).filter(|(_, is_head)| *is_head).map(|(head, _)| head).collect();
        changes.heads.sort_unstable();
        Some(changes)
    }

    fn with_capacity(changes: usize) -> Self {
        let (hashes, counts) = (Vec::with_capacity(changes), Vec::with_capacity(changes));
        Changes { hashes, counts, deps: Vec::with_capacity(changes), heads: Vec::new() }
    }

    pub(super) fn columns(&self, entries: &[Entry<'_>]) -> Option<Columns> {
        let seqs = entries.iter().map(|entry| i64::try_from(entry.seq).ok());
        let seqs = seqs.collect::<Option<Vec<_>>>()?;
        let last = |entry: &Entry<'_>| {
            let operations = i64::try_from(entry.ops().len()).ok()?;
            Some(i64::from(entry.start) + operations - 1)
        };
        let last = entries.iter().map(last).collect::<Option<Vec<_>>>()?;
        let times = entries.iter().map(Entry::time).collect::<Option<Vec<_>>>()?;
        let mut columns = Columns::default();
        columns.numbers(1, entries.iter().map(|entry| u64::from(entry.actor)));
        columns.differences(3, seqs.iter().copied());
        columns.differences(19, last.iter().copied());
        columns.differences(35, times.iter().copied());
        columns.some_texts(53, entries.iter().map(Entry::message));
        columns.numbers(64, self.counts.iter().map(|count| u64::from(*count)));
        columns.differences(67, self.deps.iter().map(|place| i64::from(*place)));
        // Extra bytes, of which there are none: a value of kind 7 and length 0 each.
        columns.numbers(86, entries.iter().map(|_| 7));
        Some(columns)
    }

    pub(super) fn write_heads(&self, out: &mut Vec<u8>) {
        columns::number(out, self.heads.len() as u64);
        for (hash, _) in &self.heads {
            out.extend_from_slice(&hash.0);
        }
    }

    pub(super) fn write_head_places(&self, out: &mut Vec<u8>) {
        for (_, place) in &self.heads {
            columns::number(out, u64::from(*place));
        }
    }

    /// The hashes by ordinal; without a skeleton the first is missing.
    pub(super) fn into_hashes(self, has_no_skeleton: bool) -> Vec<Option<ChangeHash>> {
        let missing = has_no_skeleton.then_some(None);
        missing.into_iter().chain(self.hashes.into_iter().map(Some)).collect()
    }
}

/// Writes changes as Automerge does, to hash them.
struct Hasher<'a> {
    actors: &'a Actors<'a>,
    operations: &'a Operations<'a>,
    columns: Columns,
    content: Vec<u8>,
}

impl Hasher<'_> {
    fn hash(&mut self, entry: &Entry<'_>, rows: &[Operation<'_>], deps: &[(ChangeHash, u32)]) -> Option<ChangeHash> {
        let out = &mut self.content;
        out.clear();
        columns::number(out, deps.len() as u64);
        deps.iter().for_each(|(hash, _)| out.extend_from_slice(&hash.0));
        columns::prefixed(out, self.actors.bytes(entry.actor)?);
        columns::number(out, entry.seq);
        columns::number(out, u64::from(entry.start));
        columns::signed(out, entry.time()?);
        columns::prefixed(out, entry.message().unwrap_or_default().as_bytes());
        let others = others(self.operations, rows, entry.actor);
        columns::number(out, others.len() as u64);
        for actor in &others {
            columns::prefixed(out, self.actors.bytes(*actor)?);
        }
        self.columns.clear();
        if !rows.is_empty() {
            // In a change its own actor is number 0, the others follow.
            let local = |actor| others.binary_search(&actor).map_or(0, |place| 1 + place as u64);
            self.operations.write_change(&mut self.columns, rows, local);
        }
        self.columns.write_lengths(out);
        out.extend_from_slice(self.columns.bytes());
        Some(ChangeHash(columns::hash(Kind::Change, out)))
    }
}

/// The actors that operations of a change refer to, without its own, sorted.
fn others(operations: &Operations<'_>, rows: &[Operation<'_>], own: u32) -> Vec<u32> {
    let mut others = Vec::new();
    for operation in rows {
        let named = [operation.object, operation.element].into_iter().flatten();
        let named = named.chain(operations.preds(operation).iter().copied());
        let named = named.filter_map(|row| operations.id(Some(row))).map(|id| id.actor);
        others.extend(named.filter(|actor| *actor != own));
    }
    others.sort_unstable();
    others.dedup();
    others
}
