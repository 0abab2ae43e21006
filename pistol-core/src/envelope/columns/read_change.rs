//! Reads changes from columns.

use std::sync::Arc;

use super::budget::Budget;
use super::heads::Heads;
use super::layout::ColumnsReader;
use super::names::NamesReader;
use super::numbers::{NumbersReader, unfold};
use super::read_operation::Operations;
use super::stretch::{Stretch, authority, deps, message, table};
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
    heads: Heads,
    time_ms: u64,
    message: Option<&'a str>,
    operations: Operations<'a>,
    times: NumbersReader<'a>,
    columns: ColumnsReader<'a>,
    budget: Budget,
    canonical: Writer,
}

impl<'a> ChangeReader<'a> {
    pub(super) fn new(runs: Vec<Stretch>, ids: Vec<[u8; 32]>, times: &'a [u8], columns: ColumnsReader<'a>) -> Self {
        ChangeReader {
            runs: runs.into_iter().map(|stretch| (stretch, 0)).collect(),
            names: NamesReader::new(ids),
            heads: Heads::default(),
            time_ms: 0,
            message: None,
            operations: Operations::default(),
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
        let at = self.columns.run.next_to(limits::ENVELOPE_CHAINS_MAX)?;
        let run = runs.get(at).ok_or(Malformed::Limit)?;
        let (stretch, count) = self.runs.get_mut(at).ok_or(Malformed::Limit)?;
        let mut stretch = std::mem::take(stretch);
        let seq = run.first_seq.checked_add(*count).ok_or(Malformed::Number)?;
        *count += 1;
        let change = Change {
            author: run.chain.author,
            session: run.chain.session,
            seq,
            deps: self.read_deps(index, stretch.last)?,
            authority: self.read_authority(&stretch)?,
            time_ms: self.read_time(&stretch)?,
            message: self.read_message()?,
            table: self.read_table(&mut stretch)?,
            ops: self.read_ops(&mut stretch)?,
        };
        stretch.advance(index, &change);
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

    fn read_deps(&mut self, index: usize, own: Option<usize>) -> Result<Vec<ChangeId>, Malformed> {
        let mut outside = Vec::new();
        let inside = match self.columns.deps.next()? {
            deps::OWN => {
                self.heads.add(index, own.as_slice());
                return own.into_iter().map(|own| self.names.inside(own)).collect();
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
        for index in inside {
            deps.push(self.names.inside(index)?);
        }
        self.budget.spend(deps.len() * ID_BYTES)?;
        deps.sort_unstable();
        deps.dedup();
        if deps.len() > limits::DEPENDENCIES_MAX {
            return Err(Malformed::Limit);
        }
        Ok(deps)
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

    fn read_table(&mut self, stretch: &mut Stretch) -> Result<Vec<ChangeId>, Malformed> {
        match self.columns.table.next()? {
            table::NONE => Ok(Vec::new()),
            table::SAME => {
                self.budget.spend(stretch.table.len() * ID_BYTES)?;
                Ok(stretch.table.clone())
            }
            code => {
                let count = count(code - table::LISTED, limits::REFERENCES_MAX)?;
                self.budget.spend(count * ID_BYTES)?;
                let mut entries = Vec::new();
                for _ in 0..count {
                    let (id, index) = self.names.change(self.columns.entry.next()?, stretch.entry)?;
                    stretch.entry = index.unwrap_or(stretch.entry);
                    entries.push(id);
                }
                entries.sort_unstable();
                entries.dedup();
                Ok(entries)
            }
        }
    }

    fn read_ops(&mut self, stretch: &mut Stretch) -> Result<Vec<Op>, Malformed> {
        let count = unfold(self.columns.operations.next()?).checked_add(1).ok_or(Malformed::Number)?;
        let count = usize::try_from(count).map_err(|_| Malformed::Number)?;
        self.budget.spend_operations(count)?;
        let mut ops = Vec::with_capacity(count);
        for _ in 0..count {
            ops.push(self.operations.read(&mut stretch.cursor, &mut self.columns, &mut self.budget)?);
        }
        Ok(ops)
    }
}

fn count(count: u64, max: usize) -> Result<usize, Malformed> {
    usize::try_from(count).ok().filter(|count| *count <= max).ok_or(Malformed::Limit)
}
