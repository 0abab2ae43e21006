//! Reads changes from columns.

use std::sync::Arc;

use super::budget::Budget;
use super::cursor::Hand;
use super::elements::Elements;
use super::heads::Heads;
use super::layout::ColumnsReader;
use super::names::NamesReader;
use super::numbers::{NumbersReader, unfold};
use super::paths::{End, Paths, named, renumber, reworded};
use super::read_operation::Operations;
use super::stretch::{Stretch, authority, deps, message, table};
use super::turns::Turns;
use crate::change::{Change, Op};
use crate::codec::{Malformed, Writer};
use crate::envelope::{Entry, Run, identify};
use crate::id::{AuthorityId, ChangeId};
use crate::limits;

/// What an id is charged as.
const ID_BYTES: usize = 32;

/// Reads the changes of an envelope, one after the other.
pub(super) struct ChangeReader<'a> {
    /// Each with the number of changes read.
    runs: Vec<(Stretch, u64)>,
    names: NamesReader,
    paths: Paths,
    heads: Heads,
    turns: Turns,
    time_ms: u64,
    message: Option<&'a str>,
    operations: Operations<'a>,
    times: NumbersReader<'a>,
    columns: ColumnsReader<'a>,
    budget: Budget,
    canonical: Writer,
}

impl<'a> ChangeReader<'a> {
    pub(super) fn new(
        runs: Vec<Stretch>,
        befores: Vec<Option<ChangeId>>,
        ids: Vec<[u8; 32]>,
        times: &'a [u8],
        columns: ColumnsReader<'a>,
    ) -> Self {
        let elements = Elements::new(runs.iter().map(|stretch| stretch.first_operation));
        ChangeReader {
            paths: Paths::new(&befores),
            turns: Turns::new(runs.len()),
            heads: Heads::new(befores.iter().enumerate().filter_map(|(index, before)| before.map(|_| index))),
            runs: runs.into_iter().map(|stretch| (stretch, 0)).collect(),
            names: NamesReader::new(befores, ids),
            time_ms: 0,
            message: None,
            operations: Operations::new(elements),
            times: NumbersReader::of_octets(times),
            columns,
            budget: Budget::new(),
            canonical: Writer::new(),
        }
    }

    /// Checks that everything was read, and tells how many changes each run has.
    pub(super) fn finish(self) -> Result<Vec<u64>, Malformed> {
        self.times.end()?;
        self.columns.end()?;
        self.names.end()?;
        Ok(self.runs.into_iter().map(|(_, count)| count).collect())
    }

    /// Reads the next change.
    pub(super) fn read(&mut self, runs: &[Run]) -> Result<Entry, Malformed> {
        let index = self.names.count();
        let at = self.turns.run(self.columns.run.next()?).ok_or(Malformed::Limit)?;
        let run = runs.get(at).ok_or(Malformed::Limit)?;
        let (stretch, count) = self.runs.get_mut(at).ok_or(Malformed::Limit)?;
        let mut stretch = std::mem::take(stretch);
        let seq = run.first_seq.checked_add(*count).ok_or(Malformed::Number)?;
        *count += 1;
        self.budget.spend_change(runs.len())?;
        let (deps, inside) = self.read_deps(index, stretch.last)?;
        let seen = self.paths.seen(&inside);
        let authority = self.read_authority(&stretch)?;
        let (time_ms, message) = (self.read_time(&stretch)?, self.read_message()?);
        let listed = self.read_table(index)?;
        stretch.cursor.begin(self.other_hand(at));
        let mut ops = self.read_ops(at, &mut stretch)?;
        let table = match listed {
            Some(table) => table,
            None => self.table_of(&mut ops, &seen)?,
        };
        sort_predecessors(&mut ops)?;
        let (author, session) = (run.chain.author, run.chain.session);
        let change = Change { author, session, seq, deps, authority, time_ms, message, table, ops };
        stretch.advance(index, &change);
        self.paths.add(at, seen);
        self.turns.pass(at);
        if let Some((kept, _)) = self.runs.get_mut(at) {
            *kept = stretch;
        }
        let (id, bytes) = identify(&change, &mut self.canonical);
        if bytes > limits::CHANGE_BYTES_MAX {
            return Err(Malformed::Limit);
        }
        // Later ones can depend on it without naming it.
        self.names.add(id);
        Ok(Entry { run: at, change: Arc::new(change), id, bytes })
    }

    /// Where another run's author wrote just before.
    fn other_hand(&self, run: usize) -> Option<Hand> {
        let last = self.turns.last();
        let (other, _) = self.runs.get(last).filter(|_| last != run)?;
        Some(reworded(other.cursor.hand()?, last, run))
    }

    /// The deps of the next change, and which of them are in this envelope.
    fn read_deps(&mut self, index: usize, own: Option<usize>) -> Result<(Vec<ChangeId>, Vec<usize>), Malformed> {
        let mut outside = Vec::new();
        let inside = match self.columns.deps.next()? {
            deps::OWN => {
                self.heads.add(index, own.as_slice());
                let deps = own.into_iter().map(|own| self.names.inside(own)).collect::<Result<_, _>>()?;
                return Ok((deps, own.into_iter().collect()));
            }
            deps::HEADS => self.heads.with(own).ok_or(Malformed::Limit)?,
            code => {
                let count = count((code - deps::LISTED) / 2, limits::DEPENDENCIES_MAX)?;
                let mut inside: Vec<usize> = own.filter(|_| code % 2 == 0).into_iter().collect();
                for _ in 0..count {
                    match self.names.change(self.columns.dep.next()?, index.saturating_sub(1))? {
                        (_, Some(index)) => inside.push(index),
                        (id, None) => outside.push(id),
                    }
                }
                inside
            }
        };
        self.heads.add(index, &inside);
        let mut deps = outside;
        for index in &inside {
            deps.push(self.names.inside(*index)?);
        }
        self.budget.spend(2 * deps.len() * ID_BYTES)?;
        deps.sort_unstable();
        deps.dedup();
        if deps.len() > limits::DEPENDENCIES_MAX {
            return Err(Malformed::Limit);
        }
        Ok((deps, inside))
    }

    fn read_authority(&mut self, stretch: &Stretch) -> Result<Vec<AuthorityId>, Malformed> {
        match self.columns.authority.next()? {
            authority::SAME => Ok(stretch.authority.clone()),
            code => {
                let count = count(code - authority::LISTED, limits::AUTHORITY_MAX)?;
                let mut name = || self.names.outside(self.columns.authority_id.next()?).map(AuthorityId);
                (0..count).map(|_| name()).collect()
            }
        }
    }

    fn read_time(&mut self, stretch: &Stretch) -> Result<u64, Malformed> {
        let base = stretch.time_ms.unwrap_or(self.time_ms);
        let high = self.columns.time.next_signed()?.cast_unsigned();
        let delta = high << 8 | self.times.next()?;
        self.time_ms = base.wrapping_add(delta);
        Ok(self.time_ms)
    }

    fn read_message(&mut self) -> Result<Option<String>, Malformed> {
        let text = match self.columns.message.next()? {
            message::NONE => return Ok(None),
            message::SAME => self.message.ok_or(Malformed::Tag)?,
            code => {
                let characters = count(code - message::NEW, limits::MESSAGE_BYTES_MAX)?;
                self.columns.names.take(characters)?
            }
        };
        if text.len() > limits::MESSAGE_BYTES_MAX {
            return Err(Malformed::Limit);
        }
        self.budget.spend(text.len())?;
        self.message = Some(text);
        Ok(Some(text.to_owned()))
    }

    /// The table, if it is listed. Else it follows from the operations.
    fn read_table(&mut self, index: usize) -> Result<Option<Vec<ChangeId>>, Malformed> {
        let code = self.columns.table.next()?;
        if code == table::NAMED {
            return Ok(None);
        }
        let count = count(code - table::LISTED, limits::REFERENCES_MAX)?;
        self.budget.spend(count * ID_BYTES)?;
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            entries.push(self.names.change(self.columns.entry.next()?, index.saturating_sub(1))?.0);
        }
        entries.sort_unstable();
        entries.dedup();
        Ok(Some(entries))
    }

    /// The table of the paths that operations name; they name its entries then.
    fn table_of(&mut self, ops: &mut [Op], seen: &[u32]) -> Result<Vec<ChangeId>, Malformed> {
        let numbers = named(ops);
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        self.budget.spend(numbers.len() * ID_BYTES)?;
        let mut ends = Vec::with_capacity(numbers.len());
        for number in numbers {
            ends.push((number, self.end(number, seen)?));
        }
        let mut entries: Vec<ChangeId> = ends.iter().map(|(_, id)| *id).collect();
        entries.sort_unstable();
        entries.dedup();
        let entry = |number: u32| {
            let end = ends.binary_search_by_key(&number, |(number, _)| *number).ok()?;
            u32::try_from(entries.binary_search(&ends.get(end)?.1).ok()?).ok()
        };
        renumber(ops, entry)?;
        Ok(entries)
    }

    fn end(&mut self, number: u32, seen: &[u32]) -> Result<ChangeId, Malformed> {
        match self.paths.end(number, seen) {
            End::Inside(index) => self.names.inside(index),
            End::Outside(id) => Ok(id),
            End::Unknown => Err(Malformed::Limit),
            End::New => {
                let id = ChangeId(self.names.outside(self.columns.entry.next()?)?);
                if self.paths.add_outside(id) { Ok(id) } else { Err(Malformed::Order) }
            }
        }
    }

    fn read_ops(&mut self, run: usize, stretch: &mut Stretch) -> Result<Vec<Op>, Malformed> {
        let count = unfold(self.columns.operations.next()?).checked_add(1).ok_or(Malformed::Number)?;
        let count = usize::try_from(count).map_err(|_| Malformed::Number)?;
        self.budget.spend_operations(count)?;
        let run = u32::try_from(run).map_err(|_| Malformed::Limit)?;
        let mut ops = Vec::with_capacity(count);
        for _ in 0..count {
            ops.push(self.operations.read(run, &mut stretch.cursor, &mut self.columns, &mut self.budget)?);
        }
        Ok(ops)
    }
}

/// Paths have other numbers in an envelope than in a change, which may be in another order.
fn sort_predecessors(ops: &mut [Op]) -> Result<(), Malformed> {
    for pred in ops.iter_mut().map(|op| &mut op.pred).filter(|pred| pred.len() > 1) {
        pred.sort_unstable();
        if !pred.is_sorted_by(|one, next| one < next) {
            return Err(Malformed::Order);
        }
    }
    Ok(())
}

fn count(count: u64, max: usize) -> Result<usize, Malformed> {
    usize::try_from(count).ok().filter(|count| *count <= max).ok_or(Malformed::Limit)
}
