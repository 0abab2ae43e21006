//! A node that starts on rows which are not those that it wrote: a store that was damaged where its file cannot tell.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use pistol_core::id::DocumentId;
use pistol_core::store::memory::MemoryStore;
use pistol_core::store::{Batch, Row, Store, Table};
use pistol_engine::Command;

use super::machine::{AT_START, Machine, exchange};
use crate::chance::Chance;
use crate::finding::{Divergence, Outcome, promise};
use crate::history::stage;
use crate::mutate::mutate;

/// Rows that a node wrote, and the text that they hold.
struct Stored {
    document: DocumentId,
    rows: Vec<(Table, Row)>,
    text: String,
}

static STORED: LazyLock<Result<Stored, Divergence>> = LazyLock::new(Stored::new);

/// Makes what inputs begin with.
pub(super) fn prepare() {
    let _ = STORED.is_ok();
}

impl Stored {
    fn new() -> Result<Stored, Divergence> {
        let genesis = stage::genesis().map_err(|error| Divergence::new(error.to_string()))?;
        let (mut node, mut other) = (Machine::new(1)?, Machine::new(2)?);
        let document = node.create(Arc::new(genesis))?;
        node.command(Command::Name(document, "notes".to_owned()))?;
        node.join(document, other.node)?;
        other.join(document, node.node)?;
        node.connected(1, other.node, false)?;
        other.connected(1, node.node, true)?;
        exchange(1, &mut node, &mut other)?;
        for text in ["one ", "two ", "three "] {
            node.write(document, text)?;
            other.write(document, text)?;
            exchange(1, &mut node, &mut other)?;
        }
        let text = node.text(document).ok_or_else(|| Divergence::new("a document is not open"))?;
        let rows = all_rows(&node.store)?;
        promise(rows.len() > 6, "a node stores nothing")?;
        Ok(Stored { document, rows, text })
    }
}

fn all_rows(store: &MemoryStore) -> Result<Vec<(Table, Row)>, Divergence> {
    let mut all = Vec::new();
    for table in Table::ALL {
        let rows = store.range(table, &[], &[0xff; 64], usize::MAX);
        let rows = rows.map_err(|error| Divergence::new(error.to_string()))?;
        all.extend(rows.into_iter().map(|row| (table, row)));
    }
    Ok(all)
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let stored = STORED.as_ref().map_err(Clone::clone)?;
    let mut rows = stored.rows.clone();
    let is_damaged = damage(&mut rows, chance);
    let mut store = MemoryStore::new();
    let mut batch = Batch::default();
    let mut at_start: BTreeMap<Table, Vec<Row>> = BTreeMap::new();
    for (table, (key, value)) in rows {
        if AT_START.contains(&table) {
            at_start.entry(table).or_default().push((key.clone(), value.clone()));
        }
        batch.put(table, key, value);
    }
    store.commit(&batch).map_err(|error| Divergence::new(error.to_string()))?;
    let Ok(mut node) = Machine::on(1, at_start, store) else {
        return promise(is_damaged, "a node does not start on what it wrote").map(|()| false);
    };
    node.is_damaged = is_damaged;
    node.command(Command::Open(stored.document))?;
    node.sync()?;
    let Some(text) = node.text(stored.document) else {
        return promise(is_damaged, "a node does not open what it wrote").map(|()| false);
    };
    promise(is_damaged || text == stored.text, "a node opens something else than it wrote")?;
    node.write(stored.document, "more")?;
    node.sync()?;
    Ok(true)
}

/// Mutates keys and values, and loses, swaps and doubles rows.
fn damage(rows: &mut Vec<(Table, Row)>, chance: &mut Chance) -> bool {
    let is_damaged = !chance.one_in(50);
    for _ in 0..if is_damaged { 1 + chance.below(2) } else { 0 } {
        let (at, other) = (chance.index(rows.len()), chance.index(rows.len()));
        let lent = rows.get(other).map(|(_, (_, value))| value.clone()).unwrap_or_default();
        match (chance.below(10), rows.get_mut(at)) {
            (0, Some(_)) => drop(rows.remove(at)),
            (1, Some((_, (key, _)))) => mutate(key, &lent, chance),
            (2, Some((_, (_, value)))) => *value = lent,
            (3, Some((table, _))) => *table = chance.pick(&Table::ALL).copied().unwrap_or(Table::Logs),
            (_, Some((_, (_, value)))) => mutate(value, &lent, chance),
            (_, None) => {}
        }
    }
    is_damaged
}
