//! The machine whose power is cut: a disk of sectors, the store on it, and a node whose `disk` mirrors what the store
//! must hold.

use std::collections::BTreeSet;
use std::sync::Arc;

use pistol_core::store::redb::faults::{SimulatedDisk, Survivors};
use pistol_core::store::redb::{RedbOptions, RedbStore};
use pistol_core::store::{Batch, Row, Store, StoreError, Table, schema};
use pistol_engine::Unreadable;

use super::Breach;
use crate::chance::Chance;
use crate::disk::Disk;
use crate::held::{Id, in_row};
use crate::node::{Node, Rows, all_rows};

/// Memory for pages: more than these files are large, as in production.
const CACHE_BYTES: usize = 4 << 20;
/// More faults that pass are not planned in one run.
const FAULTS_MAX: usize = 16;

pub(super) struct Machine {
    pub(super) node: Node,
    pub(super) sectors: SimulatedDisk,
    /// None while the power is out.
    pub(super) store: Option<RedbStore>,
    options: RedbOptions,
    /// A batch whose commit failed: it may be there all the same.
    doubtful: Option<Arc<Batch>>,
}

/// What became of a commit.
pub(super) enum Committed {
    Yes,
    No(StoreError),
    NoPower,
}

impl Machine {
    pub(super) fn new(is_checked: bool, chance: &mut Chance) -> Result<Machine, Breach> {
        let options = RedbOptions {
            cache_bytes: CACHE_BYTES,
            checked_bytes_max: if is_checked { RedbOptions::default().checked_bytes_max } else { 0 },
        };
        let mut node = Node::new(chance);
        let mut first = Batch::default();
        first.put(Table::Meta, schema::EPOCH_KEY, schema::epoch_value(chance.bytes()));
        let sectors = SimulatedDisk::default();
        let is_new = |error: StoreError| Breach::Other(format!("no store can be made: {error}"));
        RedbStore::format(sectors.clone(), options, &first).map_err(is_new)?;
        first.put(Table::Meta, schema::FORMAT_KEY, schema::format_value(schema::FORMAT));
        node.disk.platter.store.commit(&first).map_err(is_new)?;
        let sectors = SimulatedDisk::holding(&sectors.after_power_cut(Survivors::None));
        Ok(Machine { node, sectors, store: None, options, doubtful: None })
    }

    /// Opens the store; `None` if the power went.
    pub(super) fn open(&mut self) -> Result<Option<()>, Breach> {
        let sectors = self.sectors.clone();
        let open = || {
            let sectors = sectors.clone();
            RedbStore::open_on(move || Ok(sectors.clone()), self.options)
        };
        match again(open) {
            _ if self.sectors.is_dead() => Ok(None),
            Ok(store) => {
                self.store = Some(store);
                Ok(Some(()))
            }
            Err(error) => Err(Breach::Lost(format!("the store does not open: {error}"))),
        }
    }

    /// The rows with which a node starts.
    pub(super) fn rows(&self) -> Result<Rows, Breach> {
        let store = self.store.as_ref().ok_or_else(|| Breach::Other("the store is not open".to_owned()))?;
        again(|| Rows::of(store)).map_err(|error| Breach::Lost(format!("rows cannot be read: {error}")))
    }

    /// The power comes back, and with it these of the unsynced sectors.
    pub(super) fn power_up(&mut self, survivors: Survivors) {
        self.node.engine = None;
        self.node.is_touched = false;
        self.store = None;
        self.sectors = SimulatedDisk::holding(&self.sectors.after_power_cut(survivors));
    }

    /// Stops as a process that ends well does; `false` if the power went meanwhile.
    pub(super) fn stop(&mut self) -> bool {
        self.node.engine = None;
        self.node.is_touched = false;
        self.store = None;
        !self.sectors.is_dead()
    }

    /// Commits the batch that the node gave to its disk.
    pub(super) fn commit(&mut self) -> Committed {
        let (Some(store), Some(batch)) = (&mut self.store, self.node.disk.outstanding()) else {
            return Committed::NoPower;
        };
        let result = store.commit(&batch);
        if self.sectors.is_dead() {
            // What was under way stays with the mirror until it is known what became of it.
            return Committed::NoPower;
        }
        self.node.disk.end(result.is_ok());
        match result {
            Ok(()) => {
                self.doubtful = None;
                Committed::Yes
            }
            Err(error) => {
                self.doubtful = Some(batch);
                Committed::No(error)
            }
        }
    }

    /// Makes the file small, and closes it; `false` if the power went meanwhile. A fault of the disk that passes keeps it
    /// as it is.
    pub(super) fn compact(&mut self) -> bool {
        if let Some(store) = self.store.take() {
            let other = SimulatedDisk::default();
            let copied = copy(&store, &other, self.options);
            drop(store);
            let _ = copied.map(|()| self.sectors.rename_over(&other));
        }
        !self.sectors.is_dead()
    }

    /// Whether rows of the file lie in packs: it names each of its tables.
    pub(super) fn has_packs(&self) -> bool {
        self.sectors.after_power_cut(Survivors::All).windows(5).any(|name| name == b"packs")
    }

    pub(super) fn read(&self, table: Table, from: &[u8], to: &[u8], bytes_max: usize) -> Result<Vec<Row>, Unreadable> {
        let store = self.store.as_ref().ok_or_else(|| Unreadable::Failed("the power is out".to_owned()))?;
        store.range(table, from, to, bytes_max).map_err(Unreadable::from)
    }

    /// After a power cut: the store holds what was acknowledged, or that and all of the commit that was under way.
    /// The mirror is made to say which; returns whether that commit is there.
    pub(super) fn compare(&mut self) -> Result<bool, Breach> {
        let Some(store) = &self.store else { return Ok(false) };
        let found =
            again(|| Contents::of(store)).map_err(|error| Breach::Lost(format!("rows cannot be read: {error}")))?;
        let acknowledged =
            Contents::of(&self.node.disk.platter.store).map_err(|error| Breach::Other(error.to_string()))?;
        let under_way = self.node.disk.outstanding().or(self.doubtful.take());
        if found == acknowledged {
            self.node.disk.end(false);
            return Ok(false);
        }
        let mut with = self.node.disk.platter.store.clone();
        if let Some(batch) = &under_way {
            with.commit(batch).map_err(|error| Breach::Other(error.to_string()))?;
        }
        if Contents::of(&with).ok().as_ref() == Some(&found) {
            self.node.disk.end(false);
            self.node.disk.begin(under_way.unwrap_or_default());
            self.node.disk.end(true);
            return Ok(true);
        }
        Err(found.breach(&acknowledged, &self.node.disk))
    }
}

/// Writes all rows of a store into a new file.
fn copy(store: &RedbStore, disk: &SimulatedDisk, options: RedbOptions) -> Result<(), StoreError> {
    RedbStore::format(disk.clone(), options, &Batch::default())?;
    let disk = disk.clone();
    store.copy_into(RedbStore::open_on(move || Ok(disk.clone()), options)?)
}

/// Tries something as often as faults of the disk may be planned that pass.
fn again<T>(attempt: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut tried = attempt();
    for _ in 0..FAULTS_MAX {
        if tried.is_ok() {
            break;
        }
        tried = attempt();
    }
    tried
}

/// All rows of a store, table by table.
#[derive(PartialEq, Eq)]
struct Contents(Vec<(Table, Vec<Row>)>);

impl Contents {
    fn of(store: &impl Store) -> Result<Contents, StoreError> {
        let tables = Table::ALL.into_iter().map(|table| Ok((table, all_rows(store, table)?)));
        tables.collect::<Result<_, StoreError>>().map(Contents)
    }

    fn held(&self) -> BTreeSet<Id> {
        self.0.iter().flat_map(|(table, rows)| rows.iter().flat_map(|(_, value)| in_row(*table, value))).collect()
    }

    /// In words, how these differ from what was acknowledged.
    fn breach(&self, acknowledged: &Contents, mirror: &Disk) -> Breach {
        let held = self.held();
        let gone = mirror.platter.held.iter().filter(|id| !held.contains(id)).count();
        let other: Vec<Table> =
            self.0.iter().zip(&acknowledged.0).filter(|(one, two)| one != two).map(|(one, _)| one.0).collect();
        let what = format!("{gone} acknowledged changes and operations are gone, and other rows are in {other:?}");
        if gone > 0 { Breach::Lost(what) } else { Breach::Mixed(what) }
    }
}
