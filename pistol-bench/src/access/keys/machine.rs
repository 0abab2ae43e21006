//! A node on a store in a file, with its wires in the hands of the bench.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use pistol_core::id::DocumentId;
use pistol_core::key::AuthorKey;
use pistol_core::store::redb::{RedbOptions, RedbStore, compact};
use pistol_core::store::{Batch, Store, Table, schema};
use pistol_engine::{Catalog, ConnectionId, Effect, Engine, Input, Now, Start, Unreadable};
use pistol_sync::node::NodeId;

use crate::Outcome;

pub(super) struct Machine {
    engine: Engine,
    pub(super) node: NodeId,
    store: RedbStore,
    path: PathBuf,
    now_ms: u64,
    /// Frames that wait to be sent, in order.
    pub(super) sent: VecDeque<(ConnectionId, Vec<u8>)>,
}

impl Machine {
    pub(super) fn new(number: u8, path: &Path) -> Outcome<Machine> {
        let mut first = Batch::default();
        first.put(Table::Meta, schema::EPOCH_KEY, schema::epoch_value([number; 16]));
        let store = RedbStore::create(path, RedbOptions::default(), &first)?;
        let node = NodeId([number; 32]);
        let start = Start {
            key: AuthorKey::from_seed(&[number; 32]),
            node,
            epoch: [number; 16],
            seed: [number; 32],
            sessions_continue: true,
            snapshot_changes: pistol_engine::SNAPSHOT_CHANGES,
            open_bytes_max: pistol_engine::OPEN_BYTES,
            catalog: Catalog::from_rows(&[], &[], &[])?,
            peers: vec![],
            owed: vec![],
            invites: vec![],
        };
        let engine = Engine::new(start, Now::default())?;
        Ok(Machine { engine, node, store, path: path.to_owned(), now_ms: 0, sent: VecDeque::new() })
    }

    /// Takes something in, ends the tick, and does what follows.
    pub(super) fn give(&mut self, input: Input) -> Outcome<()> {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = Now { steady_ms: self.now_ms, wall_ms: self.now_ms };
            let mut effects = Vec::new();
            self.engine.handle(input, now, &mut effects);
            self.engine.handle(Input::TickEnd, now, &mut effects);
            for effect in effects {
                inputs.extend(self.carry_out(effect)?);
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect) -> Outcome<Option<Input>> {
        Ok(match effect {
            Effect::Store(batch) => {
                self.store.commit(&batch)?;
                Some(Input::Stored)
            }
            Effect::Read { read, table, from, to, bytes_max } => {
                let rows = self.store.range(table, &from, &to, bytes_max).map_err(Unreadable::from);
                Some(Input::Rows { read, rows })
            }
            Effect::Save(saving) => Some(Input::Saved { document: saving.document(), saved: saving.save() }),
            Effect::OpenPicture(opening) => Some(opening.open()),
            Effect::Send { connection, frame } => {
                self.sent.push_back((connection, frame));
                None
            }
            Effect::Close { reason, .. } => return Err(reason.into()),
            Effect::Reply { reply, .. } => {
                reply?;
                None
            }
            Effect::Salvage(_) => return Err("a store is damaged".into()),
            Effect::Dial { .. } | Effect::Changed { .. } => None,
        })
    }

    /// How many changes of a document it holds.
    pub(super) fn held(&self, document: DocumentId) -> usize {
        let held = self.engine.documents().look(&document, |insight| insight.held.next());
        held.map_or(0, |next| next.saturating_sub(1) as usize)
    }

    /// Lets a second pass.
    pub(super) fn rest(&mut self) -> Outcome<()> {
        self.now_ms += 1000;
        self.give(Input::Wake)
    }

    /// Ends, as a node does; returns how many bytes its file then has.
    pub(super) fn end(self) -> Outcome<u64> {
        drop((self.engine, self.store));
        compact(&self.path, RedbOptions::default())?;
        Ok(std::fs::metadata(&self.path)?.len())
    }
}
