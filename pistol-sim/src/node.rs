//! One simulated machine: a disk, and an engine while it runs.

use pistol_core::key::AuthorKey;
use pistol_core::store::{StoreError, Table};
use pistol_engine::{Documents, Engine, Now, Start};
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
        snapshot_changes: u32,
        now: Now,
        chance: &mut Chance,
    ) -> Result<(), StoreError> {
        if !sessions_continue {
            self.disk.forget_sessions();
            self.epoch = chance.bytes();
        }
        let start = Start {
            key: self.author(),
            node: self.id,
            epoch: self.epoch,
            seed: chance.bytes(),
            sessions_continue,
            snapshot_changes,
            logs: self.disk.rows(Table::Logs),
            names: self.disk.rows(Table::Names),
            sessions: self.disk.rows(Table::Sessions),
            peers: self.disk.rows(Table::Peers),
            owed: self.disk.rows(Table::Owed),
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
        self.is_touched = false;
        self.disk.crash(is_batch_kept);
    }

    pub(crate) fn documents(&self) -> Option<Documents> {
        self.engine.as_ref().map(Engine::documents)
    }
}
