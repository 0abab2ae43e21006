//! A node whose disk and wire are in the test's hands: it can be stopped and started, and lose what was not durable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pistol_core::delta::Delta;
use pistol_core::document::{Edit, EditError};
use pistol_core::genesis::Genesis;
use pistol_core::id::{ChangeId, DocumentId};
use pistol_core::key::{AuthorId, AuthorKey};
use pistol_core::store::memory::MemoryStore;
use pistol_core::store::{Batch, Row, Store, Table};
use pistol_core::validate::Rule;
use pistol_engine::{Catalog, Command, Effect, Engine, Input, Insight, Now, Screen, Start};
use pistol_sync::node::NodeId;
use pistol_sync::proto::message::{Hello, Interest, Message, Scope, VERSIONS};

/// Who brings envelopes.
const COURIER: NodeId = NodeId([0xee; 32]);
/// Envelopes on one connection: a node hangs up on who sends it much nonsense.
const ON_ONE_CONNECTION: usize = 16;
/// Milliseconds of one rest, and how often what came in is looked at again after one.
const RESTS_MS: u64 = 60_000;
const RESTS_MAX: usize = 100;

pub struct Machine {
    engine: Engine,
    number: u8,
    life: u8,
    document: DocumentId,
    store: MemoryStore,
    outstanding: Option<Arc<Batch>>,
    connection: Option<u64>,
    connections: u64,
    brought: usize,
    now_ms: u64,
    effects: Vec<Effect>,
    /// What it said it refused, in all its lives.
    pub refused: BTreeMap<ChangeId, BTreeSet<Rule>>,
}

/// What machines with the same changes must agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub accepted: BTreeSet<ChangeId>,
    pub heads: Vec<[u8; 32]>,
    pub forks: BTreeSet<AuthorId>,
    pub shown: String,
}

impl Machine {
    /// A machine that holds a document without changes.
    pub fn new(number: u8, genesis: &Arc<Genesis>) -> Self {
        let mut machine = Machine::empty(number, genesis.id(), MemoryStore::new());
        machine.give(Input::Command {
            token: 0,
            command: Command::Create { genesis: Arc::clone(genesis), read_key: None },
        });
        machine.sync();
        machine
    }

    fn empty(number: u8, document: DocumentId, store: MemoryStore) -> Self {
        Machine {
            engine: start(number, 0, &store),
            number,
            life: 0,
            document,
            store,
            outstanding: None,
            connection: None,
            connections: 0,
            brought: 0,
            now_ms: 0,
            effects: vec![],
            refused: BTreeMap::new(),
        }
    }

    fn now(&self) -> Now {
        Now { steady_ms: self.now_ms, wall_ms: self.now_ms }
    }

    fn handle(&mut self, input: Input) {
        let now = self.now();
        self.engine.handle(input, now, &mut self.effects);
        for effect in std::mem::take(&mut self.effects) {
            match effect {
                Effect::Store(batch) => assert!(self.outstanding.replace(batch).is_none()),
                Effect::Read { read, table, from, to, bytes_max } => {
                    let rows = Ok(self.store.range(table, &from, &to, bytes_max).unwrap());
                    self.handle(Input::Rows { read, rows });
                }
                Effect::Save(saving) => {
                    let saved = saving.save();
                    self.handle(Input::Saved { document: saving.document(), saved });
                }
                Effect::OpenPicture(opening) => self.handle(opening.open()),
                Effect::Salvage(_) => panic!("a node cannot open what it stored"),
                Effect::Close { .. } => self.connection = None,
                Effect::Reply { reply, .. } => assert!(reply.is_ok(), "a node cannot open what it stored: {reply:?}"),
                Effect::Send { frame, .. } => self.heard(Message::from_frame(&frame).unwrap()),
                _ => {}
            }
        }
    }

    fn heard(&mut self, message: Option<Message>) {
        let Some(Message::Acknowledge(acknowledge)) = message else { return };
        for (id, rule) in acknowledge.refused {
            self.refused.entry(ChangeId(id)).or_default().insert(Rule::of_code(rule).unwrap());
        }
    }

    fn give(&mut self, input: Input) {
        self.handle(input);
        self.handle(Input::TickEnd);
    }

    /// The way for envelopes; a new one if the machine has hung up.
    fn connect(&mut self) -> u64 {
        if let Some(connection) = self.connection.filter(|_| self.brought < ON_ONE_CONNECTION) {
            self.brought += 1;
            return connection;
        }
        if let Some(connection) = self.connection {
            // What it brought is looked at before it goes, or nobody would be told.
            self.handle(Input::TickEnd);
            self.sync();
            self.handle(Input::Disconnected { connection, reason: String::new() });
        }
        self.connections += 1;
        let connection = self.connections;
        (self.connection, self.brought) = (Some(connection), 1);
        self.handle(Input::Connected { connection, peer: COURIER, is_dialler: false, exported: [0; 32] });
        let hello = Hello {
            versions: VERSIONS.to_vec(),
            epoch: [0; 16],
            cursor: None,
            features: 0,
            frame_bytes_max: 1 << 20,
            extensions: vec![],
        };
        let scope = Scope::Document(self.document.0);
        let interest = Interest { topic: 0, scope, proof: None, wants_genesis: false, extensions: vec![] };
        for message in [Message::Hello(hello), Message::Interest(interest)] {
            self.give(Input::Received { connection, frame: message.to_frame() });
        }
        connection
    }

    /// Takes in envelopes within one tick; they are not durable before [`Machine::sync`].
    pub fn receive<'a>(&mut self, envelopes: impl IntoIterator<Item = &'a [u8]>) {
        for envelope in envelopes {
            let connection = self.connect();
            let frame = Message::Envelope(0, envelope.to_vec()).to_frame();
            self.handle(Input::Received { connection, frame });
        }
        self.handle(Input::TickEnd);
    }

    /// Everything given to the disk becomes durable.
    pub fn sync(&mut self) {
        while let Some(batch) = self.outstanding.take() {
            self.store.commit(&batch).unwrap();
            self.give(Input::Stored);
        }
    }

    /// The power goes, and comes back. What was on its way to the disk is there or not.
    pub fn crash(&mut self, is_kept: bool) {
        if let Some(batch) = self.outstanding.take().filter(|_| is_kept) {
            self.store.commit(&batch).unwrap();
        }
        self.life += 1;
        self.connection = None;
        self.effects.clear();
        self.engine = start(self.number, self.life, &self.store);
        self.give(Input::Command { token: 0, command: Command::Open(self.document) });
    }

    /// The same machine once more, as after a copy of all that is durable.
    pub fn copy(&self) -> Machine {
        let mut copy = Machine::empty(self.number, self.document, self.store.clone());
        // A later life than the one it is a copy of, or both would draw the same numbers.
        copy.life = self.life + 100;
        copy.crash(false);
        copy
    }

    /// Its own author writes.
    pub fn edit<T>(&mut self, closure: impl FnOnce(&mut Edit) -> T) -> Result<T, EditError> {
        let edited = self.engine.documents().edit(&self.document, self.now(), None, closure)?;
        self.give(Input::Wake);
        Ok(edited.result)
    }

    pub fn look<T>(&self, look: impl FnOnce(Insight<'_>) -> T) -> T {
        self.engine.documents().look(&self.document, look).unwrap()
    }

    /// Everything durable, as it rests.
    pub fn envelopes(&self) -> Vec<Vec<u8>> {
        let rows = [Table::Envelopes, Table::Tail].map(|table| rows(&self.store, table));
        rows.into_iter().flatten().map(|(_, value)| value).collect()
    }

    /// The document as Automerge saves it.
    pub fn saved(&self) -> Vec<u8> {
        self.look(|insight| insight.document.save())
    }

    /// How many changes wait for others.
    pub fn waiting(&self) -> usize {
        self.look(|insight| insight.state.waiting)
    }

    /// What the shared text says.
    pub fn text(&self) -> String {
        self.engine.documents().read(&self.document, |content| content.text("body").to_string()).unwrap()
    }

    /// Begins a picture of the shared text.
    pub fn open_screen(&self) -> (Screen, String) {
        self.engine.documents().open_screen(&self.document, |content| content.text("body")).unwrap()
    }

    /// Its own author types on a picture; gives what the picture must still show.
    pub fn edit_screen(&mut self, screen: Screen, typed: &Delta) -> Result<Delta, EditError> {
        let rest = self.engine.documents().edit_screen(&self.document, self.now(), screen, typed)?;
        self.give(Input::Wake);
        Ok(rest)
    }

    /// Lets the time pass that it rests between pictures, and from forks; what waits for others waits on.
    pub fn rest(&mut self) {
        self.sync();
        for _ in 0..RESTS_MAX {
            if self.look(|insight| insight.state.waiting == 0 && !insight.document.is_behind()) {
                return;
            }
            self.now_ms += RESTS_MS;
            self.give(Input::Wake);
            self.sync();
        }
    }

    /// Looks at it after a rest.
    pub fn picture(&mut self) -> Picture {
        self.rest();
        self.look(|Insight { document, state, .. }| {
            let history = document.history();
            let content = document.content();
            Picture {
                accepted: (1..history.next()).filter_map(|ordinal| history.id(ordinal)).collect(),
                heads: document.projected_heads(),
                forks: state.forks.clone(),
                shown: shown(&content, 0),
            }
        })
    }
}

fn rows(store: &MemoryStore, table: Table) -> Vec<Row> {
    store.range(table, &[], &[0xff; 64], usize::MAX).unwrap()
}

/// A process with what the disk holds.
fn start(number: u8, life: u8, store: &MemoryStore) -> Engine {
    let [logs, names, sessions] = [Table::Logs, Table::Names, Table::Sessions].map(|table| rows(store, table));
    let catalog = Catalog::from_rows(&logs, &names, &sessions);
    let start = Start {
        key: AuthorKey::from_seed(&[number; 32]),
        node: NodeId([number; 32]),
        epoch: [number; 16],
        seed: [life; 32],
        sessions_continue: true,
        // Few, so that what is opened again is often opened from a snapshot.
        snapshot_changes: 20,
        open_bytes_max: pistol_engine::OPEN_BYTES,
        catalog: catalog.unwrap(),
        peers: rows(store, Table::Peers),
        owed: rows(store, Table::Owed),
        invites: rows(store, Table::Invites),
    };
    Engine::new(start, Now::default()).unwrap()
}

/// Everything that a map says, rivals included.
fn shown(map: &pistol_core::document::MapContent<'_>, depth: usize) -> String {
    if depth > 8 {
        return "...".to_owned();
    }
    let list = |key: &str| {
        let list = map.list(key);
        let inside = |at| format!("{:?} {} {}", list.value(at), list.text(at), shown(&list.map(at), depth + 1));
        (0..list.len()).map(inside).collect::<Vec<_>>().join(", ")
    };
    let entry = |key: &String| {
        let (text, inside) = (map.text(key), shown(&map.map(key), depth + 1));
        format!("{key}: {:?} {text} [{}] {{{inside}}}", map.values(key), list(key))
    };
    map.keys().iter().map(entry).collect::<Vec<_>>().join("; ")
}
