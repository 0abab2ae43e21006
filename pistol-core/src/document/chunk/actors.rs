//! The actors of a chunk, called by their places in the sorted list.

use std::collections::BTreeSet;

use automerge::ActorId;

use super::changes::Entry;
use super::columns;
use crate::document::names::Names;
use crate::validate::History;

/// Every actor that made one of the changes, sorted.
pub(super) struct Actors<'a>(Vec<&'a ActorId>);

impl<'a> Actors<'a> {
    /// Finds what each change is called.
    pub(super) fn of<'b>(
        history: &History,
        names: &'a Names,
        entries: impl Iterator<Item = Entry<'b>> + Clone,
    ) -> Option<(Self, Vec<Entry<'b>>)> {
        let place = |entry: &Entry<'_>| Some((history.branch_index(entry.ordinal)?, history.seq(entry.ordinal)?));
        let mut known = BTreeSet::new();
        let mut before: Option<&ActorId> = None;
        for entry in entries.clone() {
            let (branch, seq) = place(&entry)?;
            let name = names.at_seq(branch, seq)?;
            // Most changes follow one of the same actor.
            if !before.is_some_and(|before| std::ptr::eq(before, name)) {
                known.insert(name);
            }
            before = Some(name);
        }
        let actors = Actors(known.into_iter().collect());
        let mut before: Option<(&ActorId, u32)> = None;
        let entries = entries.map(|entry| {
            let (branch, seq) = place(&entry)?;
            let name = names.at_seq(branch, seq)?;
            let actor = match before {
                Some((before, actor)) if std::ptr::eq(before, name) => actor,
                _ => u32::try_from(actors.0.binary_search(&name).ok()?).ok()?,
            };
            before = Some((name, actor));
            Some(entry.named(actor, names.automerge_seq(branch, seq)?, history.start(entry.ordinal)?))
        });
        let entries = entries.collect::<Option<Vec<_>>>()?;
        Some((actors, entries))
    }

    pub(super) fn bytes(&self, actor: u32) -> Option<&[u8]> {
        self.0.get(usize::try_from(actor).ok()?).map(|actor| actor.to_bytes())
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        columns::number(out, self.0.len() as u64);
        for actor in &self.0 {
            columns::prefixed(out, actor.to_bytes());
        }
    }
}
