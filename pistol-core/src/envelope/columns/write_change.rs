//! Writes changes into columns.

use super::cursor::Hand;
use super::elements::Elements;
use super::heads::Heads;
use super::layout::Columns;
use super::names::Names;
use super::numbers::Numbers;
use super::paths::{PATHS_MAX, Paths, named, renumber, reworded};
use super::stretch::{Stretch, authority, deps, message, table};
use super::turns::Turns;
use super::write_operation::Operations;
use crate::change::{Change, Op};
use crate::id::ChangeId;

/// Writes the changes of an envelope, one after the other.
pub(super) struct ChangeWriter {
    runs: Vec<Stretch>,
    /// Ids of the changes before the runs, and of those written.
    ids: Vec<ChangeId>,
    names: Names,
    paths: Paths,
    heads: Heads,
    turns: Turns,
    deps: u64,
    time_ms: u64,
    message: Option<String>,
    operations: Operations,
    times: Numbers,
    columns: Columns,
}

impl ChangeWriter {
    pub(super) fn new(runs: Vec<Stretch>, befores: &[Option<ChangeId>]) -> Self {
        let elements = Elements::new(runs.iter().map(|stretch| stretch.first_operation));
        let mut names = Names::default();
        let known = || befores.iter().enumerate().filter_map(|(index, before)| Some((index, (*before)?)));
        known().for_each(|(index, before)| names.add(index, before));
        ChangeWriter {
            paths: Paths::new(befores),
            turns: Turns::new(runs.len()),
            runs,
            // Where a chain begins nothing came before, and nothing names it.
            ids: befores.iter().map(|before| before.unwrap_or(ChangeId([0; 32]))).collect(),
            names,
            heads: Heads::new(known().map(|(index, _)| index)),
            deps: deps::OWN,
            time_ms: 0,
            message: None,
            operations: Operations::new(elements),
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
        self.columns.run.push(self.turns.code(run));
        let inside = self.write_deps(stretch.last, change);
        self.write_authority(&stretch, change);
        self.write_time(&stretch, change);
        self.write_message(change);
        let seen = self.paths.seen(&inside);
        let ops = self.write_table(change, &seen);
        let more = (change.ops.len() as u64).wrapping_sub(1);
        self.columns.operations.push_signed(more.cast_signed());
        stretch.cursor.begin(self.other_hand(run));
        let number = u32::try_from(run).unwrap_or(u32::MAX);
        for op in ops.as_deref().unwrap_or(&change.ops) {
            self.operations.write(op, number, &mut stretch.cursor, &mut self.columns);
        }
        stretch.advance(index, change);
        self.names.add(index, id);
        self.ids.push(id);
        self.paths.add(run, seen);
        self.turns.pass(run);
        if let Some(kept) = self.runs.get_mut(run) {
            *kept = stretch;
        }
    }

    /// Where another run's author wrote just before.
    fn other_hand(&self, run: usize) -> Option<Hand> {
        let last = self.turns.last();
        let other = self.runs.get(last).filter(|_| last != run)?;
        Some(reworded(other.cursor.hand()?, last, run))
    }

    fn write_deps(&mut self, own: Option<usize>, change: &Change) -> Vec<usize> {
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
        inside
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

    /// Writes the table, if it does not follow from the paths that the operations name. Where it follows, and is not empty,
    /// these are the operations, with paths by their numbers.
    fn write_table(&mut self, change: &Change, seen: &[u32]) -> Option<Vec<Op>> {
        let Some(numbers) = self.numbers(change, seen) else {
            self.columns.table.push(table::LISTED + change.table.len() as u64);
            for id in &change.table {
                let (name, _) = self.names.change(id, self.ids.len().saturating_sub(1));
                self.columns.entry.push(name);
            }
            return None;
        };
        self.columns.table.push(table::NAMED);
        for (number, id) in numbers.iter().zip(&change.table) {
            if *number == self.paths.next() {
                self.paths.add_outside(*id);
                let name = self.names.outside(id.as_bytes());
                self.columns.entry.push(name);
            }
        }
        if numbers.is_empty() {
            return None;
        }
        let mut ops = change.ops.clone();
        renumber(&mut ops, |entry| numbers.get(usize::try_from(entry).ok()?).copied()).ok().map(|()| ops)
    }

    /// The numbers of the paths in a table, if it holds just those that the operations name, as far as they were seen.
    fn numbers(&self, change: &Change, seen: &[u32]) -> Option<Vec<u32>> {
        if !named(&change.ops).into_iter().eq(0..u32::try_from(change.table.len()).ok()?) {
            return None;
        }
        let mut new = self.paths.next()..PATHS_MAX;
        let number = |id: &ChangeId| match self.names.inside(id) {
            Some(index) => self.paths.inside(index, seen),
            None => self.paths.outside(id).or_else(|| new.next()),
        };
        change.table.iter().map(number).collect()
    }
}
