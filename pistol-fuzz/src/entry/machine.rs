//! A node with its disk in memory and its wires in the input's hands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pistol_core::genesis::Genesis;
use pistol_core::id::DocumentId;
use pistol_core::key::AuthorKey;
use pistol_core::store::memory::MemoryStore;
use pistol_core::store::{Batch, Row, Store, Table};
use pistol_engine::{Catalog, Command, ConnectionId, Effect, Engine, Input, Now, Start, Unreadable};
use pistol_sync::node::NodeId;
use pistol_sync::ticket::Ticket;

use crate::finding::{Divergence, promise};
use crate::measure::step;

/// The tables that a node reads when it starts.
pub(super) const AT_START: [Table; 6] =
    [Table::Logs, Table::Names, Table::Sessions, Table::Peers, Table::Owed, Table::Invites];

/// Snapshots are renewed often, so that hostile rows meet them.
const SNAPSHOT_CHANGES: u32 = 10;
/// No input makes a node do more than this.
const EFFECTS_MAX: usize = 100_000;

/// One node.
pub(super) struct Machine {
    pub(super) engine: Engine,
    pub(super) node: NodeId,
    pub(super) store: MemoryStore,
    /// Whether its rows are not those that a node wrote: then they may have to be put in order.
    pub(super) is_damaged: bool,
    outstanding: Option<Arc<Batch>>,
    pub(super) now_ms: u64,
    sent: BTreeMap<ConnectionId, Frames>,
    closed: BTreeSet<ConnectionId>,
    effects: usize,
}

impl Machine {
    /// A node with an empty store.
    pub(super) fn new(number: u8) -> Result<Machine, Divergence> {
        Machine::on(number, BTreeMap::new(), MemoryStore::new()).map_err(Divergence::new)
    }

    /// A node that starts with rows, which need not be those that its store holds.
    pub(super) fn on(number: u8, rows: BTreeMap<Table, Vec<Row>>, store: MemoryStore) -> Result<Machine, String> {
        let node = NodeId([number; 32]);
        let mut rows = rows;
        let mut take = |table| rows.remove(&table).unwrap_or_default();
        let (logs, names, sessions) = (take(Table::Logs), take(Table::Names), take(Table::Sessions));
        let catalog = Catalog::from_rows(&logs, &names, &sessions).map_err(|error| error.to_string())?;
        let start = Start {
            key: AuthorKey::from_seed(&[number; 32]),
            node,
            epoch: [number; 16],
            seed: [number; 32],
            sessions_continue: true,
            snapshot_changes: SNAPSHOT_CHANGES,
            open_bytes_max: pistol_engine::OPEN_BYTES,
            catalog,
            peers: take(Table::Peers),
            owed: take(Table::Owed),
            invites: take(Table::Invites),
        };
        let engine = Engine::new(start, Now::default()).map_err(|error| error.to_string())?;
        Ok(Machine {
            engine,
            node,
            store,
            is_damaged: false,
            outstanding: None,
            now_ms: 0,
            sent: BTreeMap::new(),
            closed: BTreeSet::new(),
            effects: 0,
        })
    }

    fn now(&self) -> Now {
        Now { steady_ms: self.now_ms, wall_ms: self.now_ms }
    }

    /// Takes something in and ends the tick. Reads are answered at once; the disk waits for [`Machine::sync`].
    pub(super) fn give(&mut self, input: Input) -> Result<(), Divergence> {
        let (now, mut inputs) = (self.now(), vec![input, Input::TickEnd]);
        while !inputs.is_empty() {
            let mut effects = Vec::new();
            for input in std::mem::take(&mut inputs) {
                step(|| self.engine.handle(input, now, &mut effects));
            }
            self.effects += effects.len();
            promise(self.effects < EFFECTS_MAX, "a node does not come to rest")?;
            for effect in effects {
                match effect {
                    Effect::Store(batch) => {
                        promise(self.outstanding.replace(batch).is_none(), "two batches are on their way to the disk")?;
                    }
                    Effect::Read { read, table, from, to, bytes_max } => {
                        let rows = self.store.range(table, &from, &to, bytes_max).map_err(Unreadable::from);
                        inputs.extend([Input::Rows { read, rows }, Input::TickEnd]);
                    }
                    Effect::Save(saving) => {
                        let saved = saving.save();
                        inputs.extend([Input::Saved { document: saving.document(), saved }, Input::TickEnd]);
                    }
                    Effect::OpenPicture(opening) => inputs.extend([opening.open(), Input::TickEnd]),
                    Effect::Salvage(salvage) => {
                        promise(self.is_damaged, "a node cannot open what it stored")?;
                        let result = step(|| salvage.run(&mut self.store)).map_err(Unreadable::from);
                        inputs.extend([Input::Salvaged { document: salvage.document, result }, Input::TickEnd]);
                    }
                    Effect::Send { connection, frame } => self.sent.entry(connection).or_default().push(frame),
                    Effect::Close { connection, .. } => drop(self.closed.insert(connection)),
                    Effect::Dial { .. } | Effect::Changed { .. } | Effect::Reply { .. } => {}
                }
            }
        }
        Ok(())
    }

    /// Everything given to the disk becomes durable.
    pub(super) fn sync(&mut self) -> Result<(), Divergence> {
        while let Some(batch) = self.outstanding.take() {
            self.store.commit(&batch).map_err(|error| Divergence::new(error.to_string()))?;
            self.give(Input::Stored)?;
        }
        Ok(())
    }

    /// The disk does not take what it was given.
    pub(super) fn fail_disk(&mut self) -> Result<(), Divergence> {
        match self.outstanding.take() {
            Some(_) => self.give(Input::StoreFailed { reason: "full".to_owned() }),
            None => Ok(()),
        }
    }

    pub(super) fn command(&mut self, command: Command) -> Result<(), Divergence> {
        self.give(Input::Command { token: 0, command })
    }

    pub(super) fn create(&mut self, genesis: Arc<Genesis>) -> Result<DocumentId, Divergence> {
        let id = genesis.id();
        self.command(Command::Create { genesis, read_key: None })?;
        self.sync()?;
        Ok(id)
    }

    pub(super) fn join(&mut self, document: DocumentId, other: NodeId) -> Result<(), Divergence> {
        self.command(Command::Join(Ticket::new(document, None, other, &[])))
    }

    pub(super) fn write(&mut self, document: DocumentId, text: &str) -> Result<(), Divergence> {
        let edited = self.engine.documents().edit(&document, self.now(), None, |edit| edit.text("body").push(text));
        edited.map_err(|error| Divergence::new(format!("an honest edit fails: {error}")))?;
        self.give(Input::Wake)
    }

    /// Puts a value at a key of the root, whatever was there.
    pub(super) fn put(&mut self, document: DocumentId, key: &str) -> Result<(), Divergence> {
        let edited = self.engine.documents().edit(&document, self.now(), None, |edit| edit.put(key, true));
        edited.map_err(|error| Divergence::new(format!("an honest edit fails: {error}")))?;
        self.give(Input::Wake)
    }

    /// Whether there is something at a key of the root.
    pub(super) fn holds(&self, document: DocumentId, key: &str) -> bool {
        self.engine.documents().read(&document, |content| content.value(key).is_some()) == Ok(true)
    }

    pub(super) fn text(&self, document: DocumentId) -> Option<String> {
        self.engine.documents().read(&document, |content| content.text("body").to_string()).ok()
    }

    pub(super) fn heads(&self, document: DocumentId) -> Option<Vec<[u8; 32]>> {
        self.engine.documents().look(&document, |insight| insight.document.projected_heads()).ok()
    }

    pub(super) fn connected(
        &mut self,
        connection: ConnectionId,
        peer: NodeId,
        is_dialler: bool,
    ) -> Result<(), Divergence> {
        self.give(Input::Connected { connection, peer, is_dialler, exported: [7; 32] })
    }

    pub(super) fn has_closed(&self, connection: ConnectionId) -> bool {
        self.closed.contains(&connection)
    }

    pub(super) fn sent(&mut self, connection: ConnectionId) -> Vec<Vec<u8>> {
        self.sent.remove(&connection).unwrap_or_default()
    }

    pub(super) fn receive(&mut self, connection: ConnectionId, frame: Vec<u8>) -> Result<(), Divergence> {
        self.give(Input::Received { connection, frame })
    }
}

/// What was sent, in order.
pub(super) type Frames = Vec<Vec<u8>>;

/// Carries frames both ways until there are none, syncing both disks. Returns what either sent.
pub(super) fn exchange(
    connection: ConnectionId,
    one: &mut Machine,
    other: &mut Machine,
) -> Result<(Frames, Frames), Divergence> {
    let mut all = (Vec::new(), Vec::new());
    for _ in 0..1000 {
        one.sync()?;
        other.sync()?;
        let (from_one, from_other) = (one.sent(connection), other.sent(connection));
        if from_one.is_empty() && from_other.is_empty() {
            return Ok(all);
        }
        for frame in &from_one {
            other.receive(connection, frame.clone())?;
        }
        for frame in &from_other {
            one.receive(connection, frame.clone())?;
        }
        all.0.extend(from_one);
        all.1.extend(from_other);
    }
    Err(Divergence::new("two nodes talk without an end"))
}
