//! A node with its disk and its wires in the test's hands.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use pistol_core::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use pistol_core::id::DocumentId;
use pistol_core::key::AuthorKey;
use pistol_core::store::memory::MemoryStore;
use pistol_core::store::{Batch, Row, Store, Table};
use pistol_core::validate::History;
use pistol_engine::{Catalog, Command, ConnectionId, Effect, Engine, Input, Now, Start, Unreadable};
use pistol_sync::node::NodeId;
use pistol_sync::proto::heads;
use pistol_sync::proto::keys::KeysHeard;
use pistol_sync::proto::message::{Head, Message};
use pistol_sync::ticket::Ticket;

pub struct Machine {
    pub engine: Engine,
    pub node: NodeId,
    pub(super) store: MemoryStore,
    outstanding: Option<Arc<Batch>>,
    pub now_ms: u64,
    open_bytes: usize,
    /// The disk's next reads fail: which of them, counted from 0.
    pub failing_read: Option<u32>,
    /// A pack that is damaged: the keys of its first and last row.
    pub damaged_pack: Option<(Vec<u8>, Vec<u8>)>,
    /// Whether reads wait for [`Machine::read_all`].
    pub is_slow: bool,
    waiting: Vec<Effect>,
    /// Effects that the test has not looked at.
    pub effects: Vec<Effect>,
    heard: BTreeMap<ConnectionId, KeysHeard>,
}

impl Machine {
    /// A node with an empty store; nodes compare by their numbers.
    pub fn new(number: u8) -> Self {
        Machine::with_memory(number, pistol_engine::OPEN_BYTES)
    }

    /// The same, with so much memory for documents.
    pub fn with_memory(number: u8, open_bytes: usize) -> Self {
        Machine::on(NodeId([number; 32]), MemoryStore::new(), open_bytes)
    }

    /// The node started again, with what is durable.
    pub fn restarted(self) -> Self {
        self.restarted_on(|_| ())
    }

    /// The same, after something happened to the disk.
    pub fn restarted_on(&self, change: impl FnOnce(&mut MemoryStore)) -> Self {
        let mut store = self.store.clone();
        change(&mut store);
        Machine::on(self.node, store, self.open_bytes)
    }

    /// All rows of a table.
    pub fn rows(&self, table: Table) -> Vec<Row> {
        self.store.range(table, b"", &[0xff; 64], usize::MAX).unwrap()
    }

    /// The node started on what its store was before, and knowing that it is.
    pub fn put_back(&self) -> Self {
        Machine::begun(self.node, self.store.clone(), self.open_bytes, false)
    }

    fn on(node: NodeId, store: MemoryStore, open_bytes: usize) -> Self {
        Machine::begun(node, store, open_bytes, true)
    }

    fn begun(node: NodeId, store: MemoryStore, open_bytes: usize, sessions_continue: bool) -> Self {
        let all = |table| store.range(table, b"", &[0xff; 64], usize::MAX).unwrap();
        let catalog = Catalog::from_rows(&all(Table::Logs), &all(Table::Names), &all(Table::Sessions));
        let start = Start {
            key: AuthorKey::from_seed(&node.0),
            node,
            epoch: node.0[..16].try_into().unwrap(),
            seed: node.0,
            sessions_continue,
            snapshot_changes: SNAPSHOT_CHANGES,
            open_bytes_max: open_bytes,
            catalog: catalog.unwrap(),
            peers: all(Table::Peers),
            owed: all(Table::Owed),
            invites: all(Table::Invites),
        };
        let engine = Engine::new(start, Now::default()).unwrap();
        let (outstanding, failing_read, is_slow, waiting) = (None, None, false, vec![]);
        let (now_ms, effects, damaged_pack, heard) = (0, vec![], None, BTreeMap::new());
        Machine {
            engine,
            node,
            store,
            outstanding,
            now_ms,
            open_bytes,
            failing_read,
            damaged_pack,
            is_slow,
            waiting,
            effects,
            heard,
        }
    }

    fn now(&self) -> Now {
        Now { steady_ms: self.now_ms, wall_ms: self.now_ms }
    }

    /// Takes something in and ends the tick; reads are answered at once, stores wait for [`Machine::sync`].
    pub fn give(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        let mut kept = vec![];
        while let Some(input) = inputs.pop_front() {
            self.engine.handle(input, self.now(), &mut self.effects);
            self.engine.handle(Input::TickEnd, self.now(), &mut self.effects);
            for effect in std::mem::take(&mut self.effects) {
                match effect {
                    Effect::Store(batch) => assert!(self.outstanding.replace(batch).is_none()),
                    Effect::Read { .. } if self.is_slow => self.waiting.push(effect),
                    Effect::Read { read, table, from, to, bytes_max } => {
                        let rows = self.read((table, &from, &to), bytes_max);
                        inputs.push_back(Input::Rows { read, rows });
                    }
                    Effect::Save(saving) => {
                        inputs.push_back(Input::Saved { document: saving.document(), saved: saving.save() });
                    }
                    Effect::OpenPicture(opening) => inputs.push_back(opening.open()),
                    Effect::Salvage(salvage) => {
                        let result = salvage.run(&mut self.store).map_err(Unreadable::from);
                        inputs.push_back(Input::Salvaged { document: salvage.document, result });
                    }
                    other => kept.push(other),
                }
            }
        }
        self.effects = kept;
    }

    fn read(&mut self, (table, from, to): (Table, &[u8], &[u8]), bytes_max: usize) -> Result<Vec<Row>, Unreadable> {
        let has_failed = self.failing_read == Some(0);
        self.failing_read = self.failing_read.and_then(|more| more.checked_sub(1));
        if has_failed {
            return Err(Unreadable::Failed("the disk failed".to_owned()));
        }
        let damaged = self.damaged_pack.as_ref().filter(|_| table == Table::Envelopes);
        if let Some((_, last)) = damaged.filter(|(first, last)| first.as_slice() <= from && from <= last.as_slice()) {
            return Err(Unreadable::Damaged { reason: "a pack".to_owned(), key: Some(last.clone()) });
        }
        Ok(self.store.range(table, from, to, bytes_max).unwrap())
    }

    /// Everything given to the disk becomes durable.
    pub fn sync(&mut self) {
        while let Some(batch) = self.outstanding.take() {
            self.store.commit(&batch).unwrap();
            self.give(Input::Stored);
        }
    }

    /// The batch that is under way becomes durable; `false` if there is none.
    pub fn sync_once(&mut self) -> bool {
        let Some(batch) = self.outstanding.take() else { return false };
        self.store.commit(&batch).unwrap();
        self.give(Input::Stored);
        true
    }

    /// The batch that is under way fails.
    pub fn fail_once(&mut self) {
        self.outstanding.take().unwrap();
        self.give(Input::StoreFailed { reason: "the disk failed".to_owned() });
    }

    /// How many reads wait.
    pub fn reads_waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The disk is fast again, and answers what waited.
    pub fn read_all(&mut self) {
        self.is_slow = false;
        for effect in std::mem::take(&mut self.waiting) {
            if let Effect::Read { read, table, from, to, bytes_max } = effect {
                let rows = self.read((table, &from, &to), bytes_max);
                self.give(Input::Rows { read, rows });
            }
        }
    }

    pub fn command(&mut self, command: Command) {
        self.give(Input::Command { token: 0, command });
    }

    /// Makes a document; it is not durable yet.
    pub fn create(&mut self) -> DocumentId {
        self.create_with([0; 16])
    }

    /// The same; documents with other nonces are others.
    pub fn create_with(&mut self, nonce: [u8; 16]) -> DocumentId {
        self.create_of(Policy::WorldWritable, nonce)
    }

    pub fn create_of(&mut self, policy: Policy, nonce: [u8; 16]) -> DocumentId {
        let key = AuthorKey::from_seed(&self.node.0);
        let terms = Terms {
            kind: Kind::Document,
            roots: vec![key.id()],
            creator: 0,
            policy,
            limits: Limits::default(),
            read: Read::Public,
            skeleton: vec![],
            space: None,
            authority: vec![],
            app: uuid::Uuid::nil(),
            predecessor: None,
            nonce,
        };
        let genesis = Arc::new(Genesis::sign(&key, terms).unwrap());
        let id = genesis.id();
        self.command(Command::Create { genesis, read_key: None });
        id
    }

    pub fn write(&mut self, document: DocumentId, text: &str) {
        let now = self.now();
        self.engine.documents().edit(&document, now, None, |edit| edit.text("text").push(text)).unwrap();
        self.give(Input::Wake);
    }

    pub fn text(&self, document: DocumentId) -> String {
        self.engine.documents().read(&document, |content| content.text("text").to_string()).unwrap()
    }

    /// Where the chains end.
    pub fn heads(&self, document: DocumentId) -> Vec<Head> {
        let heads = |history: &History| heads::heads_of(history, history.next());
        self.engine.documents().look(&document, |insight| heads(insight.held)).unwrap()
    }

    pub fn join(&mut self, document: DocumentId, other: &Machine) {
        self.command(Command::Join(Ticket::new(document, None, other.node, &[])));
    }

    /// Takes the messages that wait to be sent on a connection.
    pub fn sent(&mut self, on: ConnectionId) -> Vec<Message> {
        let heard = self.heard.entry(on).or_default();
        let message = |effect: &Effect| match effect {
            Effect::Send { connection, frame } if *connection == on => {
                Message::from_frame(&heard.whole(frame.clone()).unwrap()).unwrap()
            }
            _ => None,
        };
        let sent = self.effects.iter().filter_map(message).collect();
        self.effects.retain(|effect| !matches!(effect, Effect::Send { connection, .. } if *connection == on));
        sent
    }

    pub fn receive(&mut self, connection: ConnectionId, message: &Message) {
        self.give(Input::Received { connection, frame: message.to_frame() });
    }

    pub fn connected(&mut self, connection: ConnectionId, peer: &Machine, is_dialler: bool) {
        let exported = [u8::try_from(connection).unwrap(); 32];
        self.give(Input::Connected { connection, peer: peer.node, is_dialler, exported });
    }

    /// Whether it asks a peer that comes for documents.
    pub fn asks_by_itself(mut self, peer: &Machine) -> bool {
        self.connected(200, peer, false);
        self.sent(200).iter().any(|message| matches!(message, Message::Interest(_)))
    }

    /// Whether it closed a connection.
    pub fn has_closed(&self, which: ConnectionId) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Close { connection, .. } if *connection == which))
    }
}

/// Documents are small here, and so is what their snapshots are renewed after.
const SNAPSHOT_CHANGES: u32 = 10;

/// A node on whose disk is a document of so many changes.
pub fn written(changes: usize) -> (Machine, DocumentId) {
    let mut machine = Machine::new(1);
    let document = machine.create();
    machine.sync();
    for number in 0..changes {
        machine.write(document, &format!("{number} "));
        machine.sync();
    }
    (machine, document)
}

/// Carries messages both ways until there are none. Returns all that were sent.
pub fn exchange(connection: ConnectionId, one: &mut Machine, other: &mut Machine) -> Vec<Message> {
    let mut all = Vec::new();
    loop {
        let (from_one, from_other) = (one.sent(connection), other.sent(connection));
        if from_one.is_empty() && from_other.is_empty() {
            return all;
        }
        for message in &from_one {
            other.receive(connection, message);
        }
        for message in &from_other {
            one.receive(connection, message);
        }
        all.extend(from_one.into_iter().chain(from_other));
    }
}

/// Two nodes that share a document, with connection 1 from the first to the second, all durable.
pub fn pair() -> (Machine, Machine, DocumentId) {
    let (mut one, mut other) = (Machine::new(1), Machine::new(2));
    let document = other.create();
    other.sync();
    one.join(document, &other);
    one.connected(1, &other, true);
    other.connected(1, &one, false);
    for _ in 0..3 {
        exchange(1, &mut one, &mut other);
        one.sync();
        other.sync();
    }
    (one, other, document)
}
