//! The thread that drives the engine: it gives it what happens, and carries out what it wants done.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use pistol_core::store::{Batch, Frozen, StoreError};
use pistol_engine::{
    Command, ConnectionId, Effect, Engine, Input, Opening, Reply, ReplyError, Saving, Token, Turn, Turns, Unreadable,
    carried_us,
};
use tokio::sync::oneshot;

use super::disk::{Disk, DiskReply, DiskRequest, SendError};
use super::network::{Network, Permit};
use super::subscribers::Subscribers;
use super::worker::Worker;
use super::{Clock, Picture, lock};

/// Events taken in one tick at most, so that they do not keep what came from being stored and sent.
const TICK_EVENTS_MAX: usize = 256;
/// The longest the thread sleeps without a deadline.
const IDLE: Duration = Duration::from_mins(1);

/// Where the answer to a command goes.
pub(super) type Answer = oneshot::Sender<Result<Reply, ReplyError>>;

/// What reaches the driver.
pub(super) enum Event {
    /// Anything that is an input as it stands.
    Input(Input),
    /// Work is done that another thread did.
    Work(Input),
    /// Something from a connection, in its turn; the permit bounds how much of that may wait.
    Connection(ConnectionId, Input, Permit),
    /// The disk is done with something.
    Disk(DiskReply),
    /// The application wants the store as it is now.
    Freeze(oneshot::Sender<Result<Frozen, StoreError>>),
    /// The application asks.
    Command(Command, Answer),
    /// The end.
    Stop,
}

pub(super) struct Driver {
    pub(super) engine: Engine,
    pub(super) waiting: Receiver<Event>,
    pub(super) disk: Disk,
    pub(super) saver: Worker<Saving>,
    pub(super) opener: Worker<Opening>,
    /// Requests for which the disk had no room.
    pub(super) deferred: VecDeque<DiskRequest>,
    /// What came on connections and has not had its turn.
    pub(super) turns: Turns<(Input, Permit)>,
    pub(super) network: Arc<Network>,
    pub(super) subscribers: Arc<Subscribers>,
    pub(super) picture: Arc<Picture>,
    pub(super) clock: Clock,
    pub(super) replies: BTreeMap<Token, Answer>,
    pub(super) next_token: Token,
}

impl Driver {
    pub(super) fn run(mut self) {
        let mut effects = Vec::new();
        loop {
            let patience = self.patience();
            match self.waiting.recv_timeout(patience) {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(event) => self.take(event, &mut effects),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.drain(&mut effects) {
                return;
            }
            if self.engine.deadline_ms().is_some_and(|at| at <= self.clock.now().steady_ms) {
                self.handle(Input::Wake, &mut effects);
            }
            self.tick(&mut effects);
        }
    }

    /// Takes in everything that already waits; `true` if that is the end.
    fn drain(&mut self, effects: &mut Vec<Effect>) -> bool {
        for _ in 0..TICK_EVENTS_MAX {
            match self.waiting.try_recv() {
                Ok(Event::Stop) | Err(TryRecvError::Disconnected) => return true,
                Ok(event) => self.take(event, effects),
                Err(TryRecvError::Empty) => return false,
            }
        }
        false
    }

    fn patience(&self) -> Duration {
        let clock = self.clock.now();
        let deadline = self.engine.deadline_ms().map(|at| Duration::from_millis(at.saturating_sub(clock.steady_ms)));
        let turn = self.turns.due_next_us().map(|at| Duration::from_micros(at.saturating_sub(self.clock.now_us())));
        [deadline, turn].into_iter().flatten().fold(IDLE, Duration::min)
    }

    /// Gives a connection its turn, and shows, stores and sends what came: that is counted as the connection's.
    fn tick(&mut self, effects: &mut Vec<Effect>) {
        let turn = self.turns.next(self.clock.now_us());
        // What the disk and the application brought is not.
        self.finish(effects);
        let Some((connection, first)) = turn else { return };
        self.engine.take_typed_us();
        let begun = Instant::now();
        let mut next = Some(first);
        let mut turn = Turn::default();
        while let Some((input, permit)) = next {
            if let Input::Received { frame, .. } = &input {
                turn.carried_us += carried_us(frame.len());
            }
            let is_end = self.take_turn(input, effects);
            drop(permit);
            if is_end {
                self.turns.ended(connection, self.clock.now_us());
            }
            next = self.turns.more(connection, microseconds(begun.elapsed()) + turn.carried_us);
        }
        turn.handled_us = microseconds(begun.elapsed());
        self.finish(effects);
        turn.took_us = microseconds(begun.elapsed()).saturating_sub(self.engine.take_typed_us());
        self.turns.took(connection, self.clock.now_us(), turn);
    }

    /// Takes in something from a connection; whether that is its end.
    fn take_turn(&mut self, input: Input, effects: &mut Vec<Effect>) -> bool {
        let is_frame = matches!(input, Input::Received { .. });
        let is_end = matches!(input, Input::Disconnected { .. });
        self.handle(input, effects);
        if !is_frame {
            self.paint_contacts();
        }
        is_end
    }

    /// Shows, stores and sends what came.
    fn finish(&mut self, effects: &mut Vec<Effect>) {
        self.handle(Input::TickEnd, effects);
        // Carrying out an effect may be answered at once, which may want more done.
        while !effects.is_empty() {
            for effect in std::mem::take(effects) {
                self.carry_out(effect, effects);
            }
        }
    }

    fn handle(&mut self, input: Input, effects: &mut Vec<Effect>) {
        self.engine.handle(input, self.clock.now(), effects);
    }

    fn take(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Input(input) => {
                let is_of_dial = matches!(input, Input::DialFailed { .. });
                if matches!(input, Input::Wake) {
                    self.turns.wrote(self.clock.now_us());
                }
                self.handle(input, effects);
                if is_of_dial {
                    self.paint_contacts();
                }
            }
            Event::Work(input) => self.handle(input, effects),
            Event::Connection(connection, input, permit) => {
                if matches!(input, Input::Connected { is_dialler: true, .. }) {
                    self.turns.dialled(connection);
                }
                self.turns.push(connection, (input, permit));
            }
            Event::Disk(reply) => self.take_reply(reply, effects),
            Event::Command(command, answer) => {
                let token = self.next_token;
                self.next_token += 1;
                self.replies.insert(token, answer);
                self.handle(Input::Command { token, command }, effects);
            }
            Event::Freeze(answer) => self.ask_disk(DiskRequest::Freeze(answer), effects),
            Event::Stop => {}
        }
    }

    fn take_reply(&mut self, reply: DiskReply, effects: &mut Vec<Effect>) {
        let input = match reply {
            DiskReply::Frozen => return self.send_deferred(effects),
            DiskReply::Commit(Ok(())) => Input::Stored,
            DiskReply::Commit(Err(error)) => Input::StoreFailed { reason: error.to_string() },
            DiskReply::Salvage { document, result } => {
                Input::Salvaged { document, result: result.map_err(Unreadable::from) }
            }
            DiskReply::Range { tag, result } => Input::Rows { read: tag, rows: result.map_err(Unreadable::from) },
        };
        self.handle(input, effects);
        self.send_deferred(effects);
    }

    fn send_deferred(&mut self, effects: &mut Vec<Effect>) {
        if let Some(request) = self.deferred.pop_front() {
            self.ask_disk(request, effects);
        }
    }

    /// Without connections nobody needs this thread meanwhile: what is typed gathers for the next batch.
    fn store(&mut self, batch: Arc<Batch>, effects: &mut Vec<Effect>) {
        let done = if self.network.is_alone() { self.disk.commit_here(&batch) } else { None };
        match done {
            Some(reply) => self.take_reply(reply, effects),
            None => self.ask_disk(DiskRequest::Commit(batch), effects),
        }
    }

    fn ask_disk(&mut self, request: DiskRequest, effects: &mut Vec<Effect>) {
        let Err(error) = self.disk.send(request) else { return };
        let reason = error.to_string();
        match error {
            SendError::Busy(request) => self.deferred.push_back(request),
            SendError::Stopped(DiskRequest::Commit(_)) => self.handle(Input::StoreFailed { reason }, effects),
            // Whoever asked is told by the end of the channel.
            SendError::Stopped(DiskRequest::Freeze(_)) => {}
            SendError::Stopped(DiskRequest::Salvage(salvage)) => {
                let result = Err(Unreadable::Failed(reason));
                self.handle(Input::Salvaged { document: salvage.document, result }, effects);
            }
            SendError::Stopped(DiskRequest::Range { tag, .. }) => {
                self.handle(Input::Rows { read: tag, rows: Err(Unreadable::Failed(reason)) }, effects);
            }
        }
    }

    fn carry_out(&mut self, effect: Effect, effects: &mut Vec<Effect>) {
        match effect {
            Effect::Store(batch) => self.store(batch, effects),
            Effect::Read { read, table, from, to, bytes_max } => {
                self.ask_disk(DiskRequest::Range { tag: read, table, from, to, bytes_max }, effects);
            }
            Effect::Salvage(salvage) => self.ask_disk(DiskRequest::Salvage(salvage), effects),
            // Without their threads snapshots are no longer renewed or used, which costs time only.
            Effect::Save(saving) => {
                if let Err(saving) = self.saver.give(*saving) {
                    self.handle(Input::Saved { document: saving.document(), saved: None }, effects);
                }
            }
            Effect::OpenPicture(opening) => {
                if let Err(opening) = self.opener.give(*opening) {
                    self.handle(opening.failed(), effects);
                }
            }
            Effect::Send { connection, frame } => self.network.send(connection, frame),
            Effect::Close { connection, reason: _ } => self.network.hang_up(connection),
            Effect::Dial { peer, addresses } => self.network.dial(peer, addresses),
            Effect::Changed { document, authors, is_own } => self.subscribers.tell(&document, &authors, is_own),
            Effect::Reply { token, reply } => {
                self.paint_contacts();
                if let Some(answer) = self.replies.remove(&token) {
                    // Whoever asked may have stopped waiting.
                    let _ = answer.send(reply);
                }
            }
        }
    }

    /// Shows those who ask in passing what is known of peers now.
    pub(super) fn paint_contacts(&self) {
        *lock(&self.picture.contacts) = self.engine.peers();
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
