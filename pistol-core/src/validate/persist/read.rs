//! Reading stretches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::columns::{self, Columns};
use super::rows::Before;
use super::{PAST_ALL, PAST_FULL, PAST_SAME, STRETCH_CHANGES_MAX, STRETCH_OPERATIONS_MAX, VERSION};
use crate::chain::ChainId;
use crate::codec::{Malformed, Reader};
use crate::genesis::Genesis;
use crate::id::{ChangeId, Session};
use crate::key::AuthorId;
use crate::limits;
use crate::validate::branch::{Branch, Previous};
use crate::validate::past::Past;
use crate::validate::{History, Node, Ordinal, Rule, is_strictly_sorted};

/// A history that is being read.
#[derive(Debug)]
pub struct Restoring(History);

/// What is known of the change that one continues.
#[derive(Clone, Copy)]
struct Own<'a> {
    ordinal: Ordinal,
    node: &'a Node,
    chain: ChainId,
}

impl Restoring {
    /// Begins with the skeleton.
    ///
    /// # Errors
    /// The [`Rule`] that the skeleton breaks.
    pub fn new(genesis: Arc<Genesis>) -> Result<Self, Rule> {
        History::new(genesis).map(Restoring)
    }

    /// The number of the change that the next stretch begins with.
    pub fn next(&self) -> Ordinal {
        self.0.next()
    }

    /// Reads the next stretch.
    ///
    /// # Errors
    /// [`Malformed`], after which what was read so far is of no use.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.byte()? != VERSION {
            return Err(Malformed::Tag);
        }
        if reader.number32()? != self.next() {
            return Err(Malformed::Order);
        }
        let count = reader.count(STRETCH_CHANGES_MAX, 32)?;
        let mut ids = Reader::new(reader.raw(count * 32)?);
        let plain = columns::inflate(reader.bytes(bytes.len())?)?;
        reader.end()?;
        let mut columns = Columns::read(&plain)?;
        if columns.forms.remaining() > STRETCH_OPERATIONS_MAX {
            return Err(Malformed::Limit);
        }
        self.read_keys(&mut columns.keys)?;
        let mut before = Before::default();
        for _ in 0..count {
            self.read_change(ChangeId(ids.array()?), &mut columns, &mut before)?;
        }
        columns.end()
    }

    fn read_keys(&mut self, keys: &mut Reader<'_>) -> Result<(), Malformed> {
        while keys.remaining() > 0 {
            self.0.index.add_key(keys.text(limits::KEY_BYTES_MAX)?).ok_or(Malformed::Order)?;
        }
        Ok(())
    }

    fn read_change(
        &mut self,
        id: ChangeId,
        columns: &mut Columns<Reader<'_>>,
        before: &mut Before,
    ) -> Result<(), Malformed> {
        let history = &mut self.0;
        let ordinal = history.next();
        let previous = read_previous(history, ordinal, columns)?;
        let chain = match &previous {
            Some(previous) => previous.chain,
            None => ChainId {
                // A key that was checked when its change was accepted.
                author: AuthorId::to_look_up(&columns.chains.array()?),
                session: Session(u64::from_le_bytes(columns.chains.array()?)),
            },
        };
        let ops = columns.operations.number32()?;
        let first = previous.map_or(0, |previous| previous.node.end());
        let first_row = u32::try_from(history.index.len()).map_err(|_| Malformed::Limit)?;
        let start = start(history, columns)?;
        let is_numbered = [first, first_row, start].iter().all(|number| number.checked_add(ops).is_some());
        if !is_numbered || start + ops > limits::COUNTER_MAX {
            return Err(Malformed::Limit);
        }
        let chain_bytes = previous.map_or(0, |previous| previous.node.chain_bytes);
        let chain_bytes = chain_bytes.checked_add(columns.bytes.number()?).ok_or(Malformed::Limit)?;
        let past = read_past(history, &mut columns.pasts, ordinal, previous.map(|previous| &previous.node.past))?;
        let link = previous.map_or_else(|| chain.root(&history.genesis.id()), |previous| previous.node.link).then(&id);
        let seq = previous.map_or(1, |previous| previous.node.seq + 1);
        let joins = previous.map(|previous| Previous {
            ordinal: previous.ordinal,
            branch: previous.node.branch,
            seq: previous.node.seq,
        });
        for number in first_row..first_row + ops {
            let row = before.read(columns, (&history.index, number))?;
            history.index.add_row(row);
        }
        let branch = history.branches.join(chain, ordinal, joins, first).branch;
        history.branches.number(branch, first_row, start, ops);
        history.nodes.push(Node { id, link, seq, branch, first, ops, start, chain_bytes, past });
        Ok(())
    }

    /// Ends with the heads, and gives the history.
    ///
    /// # Errors
    /// [`Malformed`] if they cannot be the heads, or if a change came twice.
    pub fn finish(self, heads: &[Ordinal]) -> Result<History, Malformed> {
        let mut history = self.0;
        let next = history.next();
        let is_in_order = is_strictly_sorted(heads) && heads.is_empty() == (next <= 1);
        if !is_in_order || !heads.iter().all(|head| (1..next).contains(head)) {
            return Err(Malformed::Order);
        }
        let ids = history.nodes.iter().zip(0..).skip(1).map(|(node, ordinal)| (node.id, ordinal));
        history.ordinals = ids.collect::<BTreeMap<ChangeId, Ordinal>>();
        if history.ordinals.len() + 1 != history.nodes.len() {
            return Err(Malformed::Order);
        }
        history.heads = heads.iter().copied().collect::<BTreeSet<Ordinal>>();
        Ok(history)
    }
}

fn read_previous<'a>(
    history: &'a History,
    ordinal: Ordinal,
    columns: &mut Columns<Reader<'_>>,
) -> Result<Option<Own<'a>>, Malformed> {
    let back = columns.previous.number32()?;
    if back == 0 {
        return Ok(None);
    }
    let previous = ordinal.checked_sub(back).ok_or(Malformed::Number)?;
    let chain = history.branch_of(previous).and_then(Branch::chain);
    let (node, chain) = history.node(previous).zip(chain).ok_or(Malformed::Number)?;
    Ok(Some(Own { ordinal: previous, node, chain }))
}

/// The counter of the next change's first operation.
fn start(history: &History, columns: &mut Columns<Reader<'_>>) -> Result<u32, Malformed> {
    let expected = history.nodes.last().map_or(1, Node::counter_end);
    let start = i64::from(expected).checked_add(columns.starts.signed()?);
    start.and_then(|start| u32::try_from(start).ok()).filter(|start| *start > 0).ok_or(Malformed::Number)
}

fn read_past(
    history: &History,
    pasts: &mut Reader<'_>,
    ordinal: Ordinal,
    previous: Option<&Past>,
) -> Result<Past, Malformed> {
    let back = |pasts: &mut Reader<'_>| {
        let back = pasts.number32()?;
        ordinal.checked_sub(back).ok_or(Malformed::Number)
    };
    match pasts.number()? {
        PAST_ALL => Ok(history.past(ordinal, Vec::new())),
        PAST_SAME => previous.cloned().ok_or(Malformed::Tag),
        PAST_FULL => {
            let prefix = back(pasts)?;
            let count = pasts.count(usize::MAX, 2)?;
            let mut reach = Vec::with_capacity(count);
            for _ in 0..count {
                reach.push((pasts.number32()?, back(pasts)?));
            }
            let is_sorted = reach.iter().zip(reach.iter().skip(1)).all(|(one, next)| one.0 < next.0);
            if is_sorted { Ok(history.past(prefix, reach)) } else { Err(Malformed::Order) }
        }
        _ => Err(Malformed::Tag),
    }
}
