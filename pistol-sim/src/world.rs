//! The world: nodes, what happens to them, and what their effects come to.

mod acts;
mod ending;
mod faults;
mod flood;
mod members;
mod network;
mod space;
mod treason;

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::id::DocumentId;
use pistol_core::store::Table;
use pistol_engine::{ConnectionId, Effect, Input, Now, ReadId, Token};
use pistol_sync::node::NodeId;

use crate::chance::Chance;
use crate::checker::Checker;
use crate::clock::Clock;
use crate::held::Id;
use crate::net::Net;
use crate::node::Node;
use crate::trace::Trace;
use crate::traitor::Traitor;
use crate::user::Made;
use crate::weather::Weather;
use crate::wires::Wires;
use crate::{Failure, Most, Report};

/// Events after which a world that does not come to rest is given up.
const EVENTS_MAX: u64 = 200_000;

/// Something that is planned. What is meant for one life of a node does not reach the next.
#[derive(Debug)]
enum Event {
    /// A user does something.
    Act,
    /// Something goes wrong.
    Fault,
    /// A stranger begins to flood.
    Flood,
    /// A traitor tells a node something.
    Treason,
    /// A user types on at once, before the node has heard of anybody.
    Type {
        node: usize,
    },
    /// A whole machine is set back to an earlier state.
    RollBack {
        node: usize,
    },
    /// A node comes back.
    Restart {
        node: usize,
    },
    /// Nothing goes wrong any more.
    Heal,
    /// Users do a last thing, when all is well again.
    LastAct,
    /// A node asks again for a document that it could not join.
    JoinAgain {
        node: usize,
        made: usize,
    },
    Wake {
        node: usize,
        life: u64,
    },
    Stored {
        node: usize,
        life: u64,
        is_kept: bool,
    },
    Read {
        node: usize,
        life: u64,
        wanted: Wanted,
    },
    Input {
        node: usize,
        life: u64,
        input: Box<Input>,
    },
    Dialled {
        from: usize,
        life: u64,
        to: NodeId,
    },
    /// One end of a connection learns that it stands.
    Stands {
        connection: ConnectionId,
        node: usize,
        is_dialler: bool,
    },
    Frame {
        connection: ConnectionId,
        node: usize,
        frame: Vec<u8>,
    },
    Ended {
        connection: ConnectionId,
        node: usize,
        reason: &'static str,
    },
}

#[derive(Debug)]
struct Wanted {
    read: ReadId,
    table: Table,
    from: Vec<u8>,
    to: Vec<u8>,
    bytes_max: usize,
}

/// What a user waits for.
#[derive(Debug)]
enum Asked {
    Join { made: usize },
    Open(DocumentId),
    Flush(BTreeSet<Id>),
    Synced { document: DocumentId, held: BTreeSet<Id> },
    Other,
}

#[derive(Debug)]
pub(crate) struct World {
    chance: Chance,
    weather: Weather,
    clock: Clock<Event>,
    net: Net,
    nodes: Vec<Node>,
    made: Vec<Made>,
    /// Which of these is a space, if the others are its documents.
    space: Option<usize>,
    traitors: Vec<Traitor>,
    /// What traitors made up in each document, as frames.
    plots: BTreeMap<DocumentId, Vec<Vec<u8>>>,
    asked: BTreeMap<(usize, Token), Asked>,
    next_token: Token,
    checker: Checker,
    wires: Wires,
    trace: Trace,
    report: Report,
    events: u64,
    has_space: bool,
    is_healed: bool,
    /// A store was put back to an older state: what others were promised of it may be gone there for a while.
    was_restored: bool,
    /// A stranger may have left what waits for ever.
    was_flooded: bool,
    /// Until when a stranger is connected with a node. It holds what it sent, so the node may be equal with it.
    strangers_until_ms: BTreeMap<usize, u64>,
    /// Frames may come twice, which no real connection does: then counts of frames promise nothing.
    is_tampered: bool,
}

impl World {
    pub(crate) fn new(seed: u64, is_shown: bool) -> Self {
        let mut chance = Chance::new(seed);
        let weather = Weather::of(&mut chance);
        let nodes = (0..weather.nodes).map(|_| Node::new(&mut chance)).collect();
        let traitors = (0..weather.traitors).map(|_| Traitor::new(&mut chance)).collect();
        let net = Net::new(weather.latency_ms, weather.tampered_percent);
        World {
            is_tampered: weather.tampered_percent > 0,
            chance,
            weather,
            clock: Clock::new(),
            net,
            nodes,
            made: Vec::new(),
            space: None,
            has_space: seed % 4 == 2,
            traitors,
            plots: BTreeMap::new(),
            asked: BTreeMap::new(),
            next_token: 0,
            checker: Checker::default(),
            wires: Wires::default(),
            trace: Trace::new(is_shown),
            report: Report::default(),
            events: 0,
            is_healed: false,
            was_restored: false,
            was_flooded: false,
            strangers_until_ms: BTreeMap::new(),
        }
    }

    /// How much happens in it.
    pub(crate) fn size(&self) -> Most {
        let Weather { acts, faults, floods, treasons, .. } = self.weather;
        Most { acts, faults, floods, treasons, salt: 0 }
    }

    /// The same world, in which less happens.
    pub(crate) fn with_at_most(mut self, most: Most) -> Self {
        self.weather.acts = self.weather.acts.min(most.acts);
        self.weather.faults = self.weather.faults.min(most.faults);
        self.weather.floods = self.weather.floods.min(most.floods);
        self.weather.treasons = self.weather.treasons.min(most.treasons);
        if most.salt > 0 {
            self.chance = Chance::new(self.chance.number() ^ most.salt);
        }
        self
    }

    /// Lives through everything planned, and through all that follows from it.
    pub(crate) fn run(mut self) -> Result<Report, Failure> {
        self.trace.show(0, 0, "**", || format!("{:?}", self.weather));
        let outcome = self.begin().and_then(|()| self.live());
        self.report.trace = self.trace.hash();
        match outcome {
            Ok(()) => Ok(self.report),
            Err(reason) => Err(Failure { reason, at_ms: self.clock.now_ms() }),
        }
    }

    fn begin(&mut self) -> Result<(), String> {
        for node in 0..self.nodes.len() {
            self.start(node, true)?;
        }
        if self.has_space {
            self.create_space()?;
        } else {
            (0..self.weather.documents).try_for_each(|_| self.create())?;
        }
        for _ in 0..self.weather.acts {
            let at_ms = self.chance.below(self.weather.span_ms);
            self.clock.at(at_ms, Event::Act);
        }
        for _ in 0..self.weather.faults {
            let at_ms = self.chance.below(self.weather.span_ms);
            self.clock.at(at_ms, Event::Fault);
        }
        for _ in 0..self.weather.floods {
            let at_ms = self.chance.below(self.weather.span_ms);
            self.clock.at(at_ms, Event::Flood);
        }
        for _ in 0..self.weather.treasons {
            let at_ms = self.chance.below(self.weather.span_ms);
            self.clock.at(at_ms, Event::Treason);
        }
        self.clock.at(self.weather.span_ms, Event::Heal);
        Ok(())
    }

    fn live(&mut self) -> Result<(), String> {
        while self.clock.advance() {
            loop {
                while let Some(event) = self.clock.due() {
                    self.events += 1;
                    if self.events > EVENTS_MAX {
                        return Err("the world does not come to rest".to_owned());
                    }
                    self.happen(event)?;
                }
                if !self.end_ticks()? {
                    break;
                }
            }
            if self.is_healed && self.is_ended()? {
                return Ok(());
            }
        }
        Err(format!("nothing more happens: {}", self.unlike().unwrap_or_default()))
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Act => self.act(),
            Event::Fault => {
                self.go_wrong();
                Ok(())
            }
            Event::Flood => self.flood(),
            Event::Treason => self.betray(),
            Event::Type { node } => self.type_on(node),
            Event::RollBack { node } => self.roll_back(node),
            Event::Restart { node } => self.restart(node),
            Event::Heal => self.heal(),
            Event::LastAct => self.act_last(),
            Event::JoinAgain { node, made } => self.join(node, made),
            Event::Wake { node, life } => self.wake(node, life),
            Event::Stored { node, life, is_kept } => self.stored(node, life, is_kept),
            Event::Read { node, life, wanted } => self.read(node, life, &wanted),
            Event::Input { node, life, input } if self.is_alive(node, life) => self.give(node, *input),
            Event::Input { .. } => Ok(()),
            Event::Dialled { from, life, to } => {
                self.dialled(from, life, to);
                Ok(())
            }
            Event::Stands { connection, node, is_dialler } => self.stands(connection, node, is_dialler),
            Event::Frame { connection, node, frame } => self.arrive(connection, node, frame),
            Event::Ended { connection, node, reason } => self.ended(connection, node, reason),
        }
    }

    fn now(&self) -> Now {
        let steady_ms = self.clock.now_ms();
        Now { steady_ms, wall_ms: 1_700_000_000_000 + steady_ms }
    }

    fn is_alive(&self, node: usize, life: u64) -> bool {
        self.nodes.get(node).is_some_and(|node| node.engine.is_some() && node.life == life)
    }

    /// The node at a place and its life, if it runs.
    fn running(&self, node: usize) -> Option<(usize, u64)> {
        self.nodes.get(node).filter(|node| node.engine.is_some()).map(|running| (node, running.life))
    }

    /// Gives an engine something to take in, and carries out what it wants done.
    fn give(&mut self, node: usize, input: Input) -> Result<(), String> {
        let now = self.now();
        let Some(running) = self.nodes.get_mut(node) else { return Ok(()) };
        let Some(engine) = &mut running.engine else { return Ok(()) };
        running.is_touched = true;
        self.trace.input(now.steady_ms, node, &input);
        let mut effects = Vec::new();
        engine.handle(input, now, &mut effects);
        for effect in effects {
            self.trace.effect(now.steady_ms, node, &effect);
            self.carry_out(node, effect)?;
        }
        Ok(())
    }

    /// Ends the tick of every node that took something in; `false` if there was none.
    fn end_ticks(&mut self) -> Result<bool, String> {
        let mut was_touched = false;
        for node in 0..self.nodes.len() {
            if !self.nodes.get(node).is_some_and(|node| node.is_touched) {
                continue;
            }
            was_touched = true;
            let open = self.open_documents(node);
            self.give(node, Input::TickEnd)?;
            self.report.closed += open.difference(&self.open_documents(node)).count() as u64;
            self.is_within_limits(node)?;
            if let Some(node) = self.nodes.get_mut(node) {
                node.is_touched = false;
            }
            self.plan_wake(node);
        }
        Ok(was_touched)
    }

    fn open_documents(&self, node: usize) -> BTreeSet<DocumentId> {
        let documents = self.nodes.get(node).and_then(Node::documents);
        let made = self.made.iter().map(Made::id);
        made.filter(|id| documents.as_ref().is_some_and(|documents| documents.is_open(id))).collect()
    }

    fn plan_wake(&mut self, index: usize) {
        let now_ms = self.clock.now_ms();
        let Some(node) = self.nodes.get_mut(index) else { return };
        let Some(deadline_ms) = node.engine.as_ref().and_then(pistol_engine::Engine::deadline_ms) else { return };
        let at_ms = deadline_ms.max(now_ms + 1);
        if node.wake_ms.is_none_or(|planned| at_ms < planned) {
            node.wake_ms = Some(at_ms);
            self.clock.at(at_ms, Event::Wake { node: index, life: node.life });
        }
    }

    fn wake(&mut self, index: usize, life: u64) -> Result<(), String> {
        let now_ms = self.clock.now_ms();
        let Some(node) = self.nodes.get_mut(index).filter(|node| node.life == life) else { return Ok(()) };
        if node.wake_ms.is_none_or(|planned| planned > now_ms) {
            return Ok(());
        }
        node.wake_ms = None;
        let is_due = node.engine.as_ref().and_then(pistol_engine::Engine::deadline_ms).is_some_and(|at| at <= now_ms);
        if is_due {
            return self.give(index, Input::Wake);
        }
        self.plan_wake(index);
        Ok(())
    }

    fn carry_out(&mut self, index: usize, effect: Effect) -> Result<(), String> {
        let Some(node) = self.nodes.get_mut(index) else { return Ok(()) };
        let life = node.life;
        match effect {
            Effect::Store(batch) => {
                if !node.disk.begin(batch) {
                    return Err("a node gave its disk a second batch".to_owned());
                }
                let is_kept = !self.chance.percent(self.weather.store_fails_percent);
                let delay = 1 + self.chance.below(self.weather.disk_ms);
                self.clock.after(delay, Event::Stored { node: index, life, is_kept });
            }
            Effect::Read { read, table, from, to, bytes_max } => {
                let wanted = Wanted { read, table, from, to, bytes_max };
                let delay = self.chance.below(self.weather.disk_ms);
                // A read sees the store as it is at some time between asking and answering.
                if self.chance.percent(50) {
                    let rows = Ok(node.disk.read(wanted.table, &wanted.from, &wanted.to, wanted.bytes_max));
                    let input = Box::new(Input::Rows { read, rows });
                    self.clock.after(delay, Event::Input { node: index, life, input });
                } else {
                    self.clock.after(delay, Event::Read { node: index, life, wanted });
                }
            }
            Effect::Save(saving) => {
                let input = Box::new(Input::Saved { document: saving.document(), saved: saving.save() });
                let delay = self.chance.below(self.weather.disk_ms);
                self.clock.after(delay, Event::Input { node: index, life, input });
            }
            Effect::OpenPicture(opening) => {
                let (input, delay) = (Box::new(opening.open()), self.chance.below(self.weather.disk_ms));
                self.clock.after(delay, Event::Input { node: index, life, input });
            }
            Effect::Salvage(_) => return Err("a node cannot open what it stored".to_owned()),
            Effect::Send { connection, frame } => self.send(index, connection, &frame)?,
            Effect::Close { connection, .. } => self.close(index, connection),
            Effect::Dial { peer, .. } => {
                let delay = self.net.delay(&mut self.chance);
                self.clock.after(delay, Event::Dialled { from: index, life, to: peer });
            }
            Effect::Changed { .. } => {}
            Effect::Reply { token, reply } => return self.replied(index, token, reply),
        }
        Ok(())
    }

    fn stored(&mut self, index: usize, life: u64, is_kept: bool) -> Result<(), String> {
        if !self.is_alive(index, life) {
            return Ok(());
        }
        if let Some(node) = self.nodes.get_mut(index) {
            node.disk.end(is_kept);
        }
        self.report.commits += 1;
        let failed = || Input::StoreFailed { reason: "the disk is full".to_owned() };
        self.give(index, if is_kept { Input::Stored } else { failed() })
    }

    fn read(&mut self, index: usize, life: u64, wanted: &Wanted) -> Result<(), String> {
        let Some(node) = self.nodes.get(index).filter(|node| node.life == life) else { return Ok(()) };
        let rows = Ok(node.disk.read(wanted.table, &wanted.from, &wanted.to, wanted.bytes_max));
        self.give(index, Input::Rows { read: wanted.read, rows })
    }
}

/// Keying material that both ends of a connection hold.
fn exported(connection: ConnectionId) -> [u8; 32] {
    *blake3::hash(&connection.to_le_bytes()).as_bytes()
}
