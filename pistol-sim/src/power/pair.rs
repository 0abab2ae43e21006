//! The machine and its peer, a wire between them, and what their effects come to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pistol_core::id::DocumentId;
use pistol_core::store::redb::faults::Survivors;
use pistol_engine::{Command, ConnectionId, Effect, Engine, Input, Now, Reply, ReplyError, Token};
use pistol_sync::proto::message::{Message, Topic};

use super::machine::{Committed, Machine};
use super::{Breach, Plan, Tally};
use crate::chance::Chance;
use crate::checker::Checker;
use crate::held::{Id, changes_in, operations_in};
use crate::node::Node;
use crate::picture::Picture;
use crate::reopened;
use crate::user::Made;
use crate::wires::Wires;

/// Things done without a pause after which the two are taken not to come to rest.
const DONE_MAX: u64 = 100_000;

/// The machine whose power is cut, and the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Machine,
    Peer,
}

impl Side {
    pub(super) const BOTH: [Side; 2] = [Side::Machine, Side::Peer];

    pub(super) fn other(self) -> Side {
        if self == Side::Machine { Side::Peer } else { Side::Machine }
    }

    fn number(self) -> usize {
        usize::from(self == Side::Peer)
    }
}

/// Why a run does not go on as it was.
#[derive(Debug)]
pub(super) enum Stop {
    NoPower,
    Broken(Breach),
}

impl From<Breach> for Stop {
    fn from(breach: Breach) -> Stop {
        Stop::Broken(breach)
    }
}

pub(super) fn broken(reason: impl Into<String>) -> Stop {
    Stop::Broken(Breach::Other(reason.into()))
}

/// Something that is on its way, in order.
pub(super) enum Due {
    Input(Side, Box<Input>),
    /// The disk has begun a commit.
    Commit(Side),
}

/// What a user waits for.
pub(super) enum Asked {
    Open(DocumentId),
    Flush(BTreeSet<Id>),
    Join(Side, usize),
    Other,
}

pub(super) struct Pair {
    pub(super) chance: Chance,
    pub(super) machine: Machine,
    pub(super) peer: Node,
    pub(super) due: VecDeque<Due>,
    pub(super) connection: Option<ConnectionId>,
    connections: ConnectionId,
    pub(super) now_ms: u64,
    pub(super) made: Vec<Made>,
    pub(super) asked: BTreeMap<Token, (Side, Asked)>,
    next_token: Token,
    /// Whether what the peer sends next arrives as if a later version had written it.
    pub(super) is_peer_newer: bool,
    pub(super) checker: Checker,
    wires: Wires,
    /// What the node sent: it must be there as long as it lives.
    pub(super) sent: BTreeSet<Id>,
    pub(super) snapshot_changes: u32,
    /// How much of each document with members the node showed last.
    pub(super) shown: BTreeMap<DocumentId, u32>,
    /// What of the unsynced is there after the cut that comes next.
    pub(super) survivors: Survivors,
    pub(super) later_cuts: VecDeque<super::Cut>,
    pub(super) tally: Tally,
}

impl Pair {
    pub(super) fn new(plan: &Plan) -> Result<Pair, Breach> {
        let mut chance = Chance::new(plan.seed ^ 0x706f_7765_7200_0000);
        Ok(Pair {
            machine: Machine::new(plan.is_checked, &mut chance)?,
            peer: Node::new(&mut chance),
            chance,
            due: VecDeque::new(),
            connection: None,
            connections: 0,
            now_ms: 0,
            made: Vec::new(),
            asked: BTreeMap::new(),
            next_token: 0,
            is_peer_newer: false,
            checker: Checker::default(),
            wires: Wires::default(),
            sent: BTreeSet::new(),
            shown: BTreeMap::new(),
            snapshot_changes: plan.snapshot_changes,
            survivors: Survivors::None,
            later_cuts: plan.cuts.iter().copied().collect(),
            tally: Tally::default(),
        })
    }

    pub(super) fn node(&self, side: Side) -> &Node {
        if side == Side::Machine { &self.machine.node } else { &self.peer }
    }

    pub(super) fn node_mut(&mut self, side: Side) -> &mut Node {
        if side == Side::Machine { &mut self.machine.node } else { &mut self.peer }
    }

    pub(super) fn now(&self) -> Now {
        Now { steady_ms: self.now_ms, wall_ms: 1_700_000_000_000 + self.now_ms }
    }

    pub(super) fn tell(&mut self, side: Side, input: Input) {
        self.due.push_back(Due::Input(side, Box::new(input)));
    }

    pub(super) fn ask(&mut self, side: Side, command: Command, asked: Asked) {
        self.next_token += 1;
        self.asked.insert(self.next_token, (side, asked));
        self.tell(side, Input::Command { token: self.next_token, command });
    }

    /// Does everything that is on its way, and all that follows from it.
    pub(super) fn settle(&mut self) -> Result<(), Stop> {
        for _ in 0..DONE_MAX {
            match self.due.pop_front() {
                Some(Due::Input(side, input)) => self.give(side, *input)?,
                Some(Due::Commit(side)) => self.commit(side)?,
                None => {
                    let Some(side) = Side::BOTH.into_iter().find(|side| self.node(*side).is_touched) else {
                        return Ok(());
                    };
                    self.give(side, Input::TickEnd)?;
                    self.node_mut(side).is_touched = false;
                }
            }
        }
        Err(broken("the two do not come to rest"))
    }

    /// Lets time pass, with everything that is due in it.
    pub(super) fn pass(&mut self, milliseconds: u64) -> Result<(), Stop> {
        let end = self.now_ms + milliseconds;
        loop {
            self.settle()?;
            let Some(at) = self.deadline_ms().filter(|at| *at <= end) else { break };
            self.wake_at(at);
        }
        self.now_ms = end;
        Ok(())
    }

    pub(super) fn deadline_ms(&self) -> Option<u64> {
        Side::BOTH.into_iter().filter_map(|side| self.node(side).engine.as_ref()?.deadline_ms()).min()
    }

    pub(super) fn wake_at(&mut self, at_ms: u64) {
        self.now_ms = at_ms.max(self.now_ms + 1);
        for side in Side::BOTH {
            let deadline_ms = self.node(side).engine.as_ref().and_then(Engine::deadline_ms);
            if deadline_ms.is_some_and(|at| at <= self.now_ms) {
                self.tell(side, Input::Wake);
            }
        }
    }

    fn give(&mut self, side: Side, input: Input) -> Result<(), Stop> {
        let now = self.now();
        let node = self.node_mut(side);
        let Some(engine) = &mut node.engine else { return Ok(()) };
        node.is_touched = true;
        let mut effects = Vec::new();
        engine.handle(input, now, &mut effects);
        effects.into_iter().try_for_each(|effect| self.carry_out(side, effect))
    }

    fn carry_out(&mut self, side: Side, effect: Effect) -> Result<(), Stop> {
        match effect {
            Effect::Store(batch) => {
                if !self.node_mut(side).disk.begin(batch) {
                    return Err(broken("a node gave its disk a second batch"));
                }
                self.due.push_back(Due::Commit(side));
            }
            Effect::Read { read, table, from, to, bytes_max } => {
                let rows = match side {
                    Side::Machine => self.machine.read(table, &from, &to, bytes_max),
                    Side::Peer => Ok(self.peer.disk.read(table, &from, &to, bytes_max)),
                };
                self.tell(side, Input::Rows { read, rows });
            }
            Effect::Save(saving) => {
                let input = Input::Saved { document: saving.document(), saved: saving.save() };
                self.tell(side, input);
            }
            Effect::OpenPicture(opening) => self.tell(side, opening.open()),
            Effect::Salvage(_) => return Err(broken("a node cannot open what it stored")),
            Effect::Send { connection, frame } => self.send(side, connection, frame)?,
            Effect::Close { connection, .. } => self.hang_up(side.other(), connection),
            Effect::Dial { peer, .. } => self.dial(side, peer),
            Effect::Changed { .. } => {}
            Effect::Reply { token, reply } => self.replied(side, token, reply)?,
        }
        Ok(())
    }

    fn commit(&mut self, side: Side) -> Result<(), Stop> {
        let batch = self.node(side).disk.outstanding();
        let input = match side {
            Side::Peer => {
                self.peer.disk.end(true);
                Input::Stored
            }
            Side::Machine => match self.machine.commit() {
                Committed::NoPower => return Err(Stop::NoPower),
                Committed::No(error) => {
                    self.tally.retries += 1;
                    Input::StoreFailed { reason: error.to_string() }
                }
                Committed::Yes => {
                    self.tally.commits += 1;
                    batch.iter().for_each(|batch| self.count(batch));
                    Input::Stored
                }
            },
        };
        self.tell(side, input);
        Ok(())
    }

    fn count(&mut self, batch: &pistol_core::store::Batch) {
        for write in &batch.writes {
            let counts = if write.value.is_some() { &mut self.tally.written } else { &mut self.tally.removed };
            *counts.entry(write.table).or_default() += 1;
        }
    }

    fn send(&mut self, side: Side, connection: ConnectionId, frame: Vec<u8>) -> Result<(), Stop> {
        let mut frame = self.wires.whole(connection, side.number(), &frame).map_err(broken)?;
        let ends = (connection, side.number(), side.other().number());
        let disk = if side == Side::Machine { &self.machine.node.disk } else { &self.peer.disk };
        self.checker.sends(ends, &frame, disk, false).map_err(broken)?;
        match (Message::from_frame(&frame), side) {
            (Ok(Some(Message::Envelope(_, bytes))), Side::Machine) => self.sent.extend(changes_in(&bytes)),
            (Ok(Some(Message::Envelope(topic, bytes))), Side::Peer) if std::mem::take(&mut self.is_peer_newer) => {
                frame = newer(topic, bytes);
            }
            (Ok(Some(Message::Envelope(_, bytes))), Side::Peer) => {
                self.tally.received += changes_in(&bytes).len() as u64;
            }
            (Ok(Some(Message::Operations(_, operations))), Side::Machine) => {
                self.sent.extend(operations_in(operations.iter().map(Vec::as_slice)));
            }
            _ => {}
        }
        let frame = self.wires.named(connection, side.number(), frame);
        if self.connection == Some(connection) {
            self.tell(side.other(), Input::Received { connection, frame });
        }
        Ok(())
    }

    fn dial(&mut self, side: Side, peer: pistol_sync::node::NodeId) {
        let is_there = self.node(side.other()).engine.is_some() && self.connection.is_none();
        if !is_there {
            let reason = "nobody answers".to_owned();
            return self.tell(side, Input::DialFailed { peer, reason });
        }
        self.connections += 1;
        let connection = self.connections;
        self.connection = Some(connection);
        let exported = *blake3::hash(&connection.to_le_bytes()).as_bytes();
        for end in Side::BOTH {
            let (peer, is_dialler) = (self.node(end.other()).id, end == side);
            self.tell(end, Input::Connected { connection, peer, is_dialler, exported });
        }
    }

    /// Ends a connection, which one side has left; the other learns of it.
    pub(super) fn hang_up(&mut self, to: Side, connection: ConnectionId) {
        if self.connection == Some(connection) {
            self.connection = None;
            let reason = "the connection ended".to_owned();
            self.tell(to, Input::Disconnected { connection, reason });
        }
    }

    fn replied(&mut self, side: Side, token: Token, reply: Result<Reply, ReplyError>) -> Result<(), Stop> {
        let asked = self.asked.remove(&token).filter(|(by, _)| *by == side).map(|(_, asked)| asked);
        let asked = asked.ok_or_else(|| broken("a node answered twice, or what nobody asked"))?;
        match (asked, reply) {
            (_, Err(error @ ReplyError::Damaged(_))) => Err(broken(format!("a node cannot read its store: {error}"))),
            (Asked::Flush(held), Ok(_)) => {
                let durable = &self.node(side).disk.platter.held;
                if let Some(id) = held.iter().find(|id| !durable.contains(id)) {
                    return Err(broken(format!("a node flushed, and {id:?} is not durable")));
                }
                self.checker.promise(&held);
                Ok(())
            }
            (Asked::Open(document), Ok(_)) => self.opened(&document).map_err(broken),
            // The disk failed once: it is asked again.
            (Asked::Open(document), Err(ReplyError::Unread(_))) => {
                self.ask(side, Command::Open(document), Asked::Open(document));
                Ok(())
            }
            (_, _) => Ok(()),
        }
    }

    /// A document is open. However it was opened, it is what its rows say.
    fn opened(&mut self, document: &DocumentId) -> Result<(), String> {
        let Some(documents) = self.machine.node.documents() else { return Ok(()) };
        let slow = reopened::picture(&self.machine.node.disk, document)?;
        let fast = Picture::of(&documents, document).ok_or("a document that was opened is not open")?;
        let is_from_snapshot = documents.look(document, |insight| insight.state.is_from_snapshot);
        self.tally.opened_fast += u64::from(is_from_snapshot.unwrap_or(false));
        // It may have been open for a while, with changes that are not on the disk yet.
        match slow.difference(&fast).filter(|_| fast.held.len() == slow.held.len() && fast.is_judged) {
            Some(difference) => Err(format!("{document:?} was opened, and its rows say otherwise: {difference}")),
            None => Ok(()),
        }
    }

    /// Whether a node's store holds a document.
    pub(super) fn holds(&self, side: Side, id: &DocumentId) -> bool {
        let engine = self.node(side).engine.as_ref();
        engine.is_some_and(|engine| engine.catalog().entry(id).is_some())
    }
}

/// An envelope as a later version would write it: it begins with another number.
fn newer(topic: Topic, mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(version) = bytes.first_mut() {
        *version += 1;
    }
    Message::Envelope(topic, bytes).to_frame()
}
