//! One simulated machine: a disk, and an engine while it runs.

use pistol_core::id::DocumentId;
use pistol_core::key::AuthorKey;
use pistol_core::store::{Row, Store, StoreError, Table};
use pistol_engine::{Catalog, Documents, Engine, Now, Pin, Start};
use pistol_sync::node::NodeId;

use crate::chance::Chance;
use crate::disk::Disk;

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    author: [u8; 32],
    epoch: [u8; 16],
    pub(crate) disk: Disk,
    /// Counts its starts: what was meant for an earlier life never arrives.
    pub(crate) life: u64,
    pub(crate) engine: Option<Engine>,
    /// What its user holds open.
    pub(crate) pins: Vec<Pin>,
    /// The wake-up that is planned.
    pub(crate) wake_ms: Option<u64>,
    /// Whether it took something in and the tick has not ended.
    pub(crate) is_touched: bool,
}

impl Node {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        Node {
            id: NodeId(chance.bytes()),
            author: chance.bytes(),
            epoch: chance.bytes(),
            disk: Disk::default(),
            life: 0,
            engine: None,
            pins: Vec::new(),
            wake_ms: None,
            is_touched: false,
        }
    }

    pub(crate) fn author(&self) -> AuthorKey {
        AuthorKey::from_seed(&self.author)
    }

    /// Starts with what is on the disk.
    pub(crate) fn start(
        &mut self,
        sessions_continue: bool,
        (snapshot_changes, open_bytes_max): (u32, usize),
        now: Now,
        chance: &mut Chance,
    ) -> Result<(), StoreError> {
        if !sessions_continue {
            self.disk.forget_sessions();
            self.epoch = chance.bytes();
        }
        let rows = Rows::of(&self.disk.platter.store)?;
        self.start_with(rows, sessions_continue, (snapshot_changes, open_bytes_max), now, chance)
    }

    /// Starts with rows that were read elsewhere.
    pub(crate) fn start_with(
        &mut self,
        rows: Rows,
        sessions_continue: bool,
        (snapshot_changes, open_bytes_max): (u32, usize),
        now: Now,
        chance: &mut Chance,
    ) -> Result<(), StoreError> {
        let Rows { logs, names, sessions, peers, owed, invites } = rows;
        let (key, node, epoch, seed) = (self.author(), self.id, self.epoch, chance.bytes());
        let catalog = Catalog::from_rows(&logs, &names, &sessions)?;
        let start = Start {
            key,
            node,
            epoch,
            seed,
            sessions_continue,
            snapshot_changes,
            open_bytes_max,
            catalog,
            peers,
            owed,
            invites,
        };
        self.life += 1;
        self.wake_ms = None;
        // A real node is woken as soon as it runs.
        self.is_touched = true;
        self.engine = Some(Engine::new(start, now)?);
        Ok(())
    }

    /// The power goes.
    pub(crate) fn stop(&mut self, is_batch_kept: bool) {
        self.engine = None;
        self.pins.clear();
        self.is_touched = false;
        self.disk.crash(is_batch_kept);
    }

    /// Its user holds these documents open from now on.
    pub(crate) fn hold(&mut self, documents: impl Iterator<Item = DocumentId>) {
        if let Some(open) = self.documents() {
            self.pins = documents.map(|document| open.pin(document)).collect();
        }
    }

    pub(crate) fn documents(&self) -> Option<Documents> {
        self.engine.as_ref().map(Engine::documents)
    }
}

/// The rows with which a node starts.
pub(crate) struct Rows {
    logs: Vec<Row>,
    names: Vec<Row>,
    sessions: Vec<Row>,
    peers: Vec<Row>,
    owed: Vec<Row>,
    invites: Vec<Row>,
}

impl Rows {
    pub(crate) fn of(store: &impl Store) -> Result<Rows, StoreError> {
        let all = |table| all_rows(store, table);
        Ok(Rows {
            logs: all(Table::Logs)?,
            names: all(Table::Names)?,
            sessions: all(Table::Sessions)?,
            peers: all(Table::Peers)?,
            owed: all(Table::Owed)?,
            invites: all(Table::Invites)?,
        })
    }
}

/// All rows of a table.
pub(crate) fn all_rows(store: &impl Store, table: Table) -> Result<Vec<Row>, StoreError> {
    store.range(table, &[], &[0xff; 64], usize::MAX)
}
