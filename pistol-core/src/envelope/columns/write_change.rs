//! Writes changes into columns.

use super::heads::Heads;
use super::layout::Columns;
use super::names::Names;
use super::numbers::Numbers;
use super::stretch::{Stretch, authority, deps, message, table};
use super::write_operation::Operations;
use crate::change::Change;
use crate::id::ChangeId;

/// Writes the changes of an envelope, one after the other.
pub(super) struct ChangeWriter {
    runs: Vec<Stretch>,
    /// Ids of the changes written.
    ids: Vec<ChangeId>,
    names: Names,
    heads: Heads,
    deps: u64,
    time_ms: u64,
    message: Option<String>,
    operations: Operations,
    times: Numbers,
    columns: Columns,
}

impl ChangeWriter {
    pub(super) fn new(runs: Vec<Stretch>) -> Self {
        ChangeWriter {
            runs,
            ids: Vec::new(),
            names: Names::default(),
            heads: Heads::default(),
            deps: deps::OWN,
            time_ms: 0,
            message: None,
            operations: Operations::default(),
            times: Numbers::default(),
            columns: Columns::default(),
        }
    }

    /// The ids that the changes refer to, the low bytes of their times, and all else.
    pub(super) fn finish(&self) -> (&[[u8; 32]], Vec<u8>, Vec<u8>) {
        (self.names.ids(), self.times.to_octets(), self.columns.to_bytes())
    }

    /// Writes the next change. Runs exist: an envelope is made of nothing else.
    pub(super) fn write(&mut self, run: usize, change: &Change, id: ChangeId) {
        let index = self.ids.len();
        let Some(mut stretch) = self.runs.get_mut(run).map(std::mem::take) else {
            return;
        };
        self.columns.run.push(run as u64);
        self.write_deps(stretch.last, change);
        self.write_authority(&stretch, change);
        self.write_time(&stretch, change);
        self.write_message(change);
        self.write_table(&mut stretch, change);
        let more = (change.ops.len() as u64).wrapping_sub(1);
        self.columns.operations.push_signed(more.cast_signed());
        for op in &change.ops {
            self.operations.write(op, &mut stretch.cursor, &mut self.columns);
        }
        stretch.advance(index, change);
        self.names.add(index, id);
        self.ids.push(id);
        if let Some(kept) = self.runs.get_mut(run) {
            *kept = stretch;
        }
    }

    fn write_deps(&mut self, own: Option<usize>, change: &Change) {
        let index = self.ids.len();
        let expected = [self.deps, deps::OWN, deps::HEADS];
        let expected = expected.into_iter().find_map(|code| {
            let inside = self.expected_deps(code, own)?;
            (self.sorted_ids(&inside) == change.deps).then_some((code, inside))
        });
        let (code, inside) = expected.unwrap_or_else(|| self.list_deps(own, change));
        self.deps = code;
        self.columns.deps.push(code);
        self.heads.add(index, &inside);
    }

    fn expected_deps(&self, code: u64, own: Option<usize>) -> Option<Vec<usize>> {
        match code {
            deps::OWN => Some(own.into_iter().collect()),
            deps::HEADS => self.heads.with(own),
            _ => None,
        }
    }

    fn sorted_ids(&self, inside: &[usize]) -> Vec<ChangeId> {
        let mut ids: Vec<ChangeId> = inside.iter().filter_map(|index| self.ids.get(*index).copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn list_deps(&mut self, own: Option<usize>, change: &Change) -> (u64, Vec<usize>) {
        let base = self.ids.len().saturating_sub(1);
        let own = own.filter(|own| self.ids.get(*own).is_some_and(|id| change.deps.contains(id)));
        let own_id = own.and_then(|own| self.ids.get(own).copied());
        let mut inside: Vec<usize> = own.into_iter().collect();
        let mut code = deps::LISTED + u64::from(own.is_none());
        for dep in change.deps.iter().filter(|dep| Some(**dep) != own_id) {
            let (name, index) = self.names.change(dep, base);
            self.columns.dep.push(name);
            inside.extend(index);
            code += 2;
        }
        (code, inside)
    }

    fn write_authority(&mut self, stretch: &Stretch, change: &Change) {
        if change.authority == stretch.authority {
            return self.columns.authority.push(authority::SAME);
        }
        let length = change.authority.len() as u64;
        self.columns.authority.push(authority::LISTED + length);
        for id in &change.authority {
            let name = self.names.outside(id.as_bytes());
            self.columns.authority_id.push(name);
        }
    }

    /// The low eight bits are noise where people type: apart from the rest, they do not spoil it for deflating.
    fn write_time(&mut self, stretch: &Stretch, change: &Change) {
        let base = stretch.time_ms.unwrap_or(self.time_ms);
        let delta = change.time_ms.wrapping_sub(base).cast_signed();
        self.columns.time.push_signed(delta >> 8);
        self.times.push((delta & 0xff).cast_unsigned());
        self.time_ms = change.time_ms;
    }

    fn write_message(&mut self, change: &Change) {
        let Some(text) = &change.message else {
            return self.columns.message.push(message::NONE);
        };
        if self.message.as_ref() == Some(text) {
            return self.columns.message.push(message::SAME);
        }
        self.columns.message.push(message::NEW + text.chars().count() as u64);
        self.columns.names.extend_from_slice(text.as_bytes());
        self.message = Some(text.clone());
    }

    fn write_table(&mut self, stretch: &mut Stretch, change: &Change) {
        if change.table.is_empty() {
            return self.columns.table.push(table::NONE);
        }
        if change.table == stretch.table {
            return self.columns.table.push(table::SAME);
        }
        self.columns.table.push(table::LISTED + change.table.len() as u64);
        for id in &change.table {
            let (name, index) = self.names.change(id, stretch.entry);
            stretch.entry = index.unwrap_or(stretch.entry);
            self.columns.entry.push(name);
        }
    }
}
