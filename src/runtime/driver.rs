//! The thread that drives the engine: it gives it what happens, and carries out what it wants done.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use pistol_engine::{Command, Effect, Engine, Input, Reply, ReplyError, Token};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::disk::{Disk, DiskReply, DiskRequest, SendError};
use super::network::Network;
use super::subscribers::Subscribers;
use super::{Clock, Picture, lock};

/// Inputs taken in one tick at most, so that a flood does not keep what came from being stored and sent.
const TICK_INPUTS_MAX: usize = 256;
/// The longest the thread sleeps without a deadline.
const IDLE: Duration = Duration::from_mins(1);

/// Where the answer to a command goes.
pub(super) type Answer = oneshot::Sender<Result<Reply, ReplyError>>;

/// What reaches the driver.
pub(super) enum Event {
    /// Anything that is an input as it stands.
    Input(Input),
    /// Something from the network; the permit bounds how much of that may wait.
    Network(Input, OwnedSemaphorePermit),
    /// The disk is done with something.
    Disk(DiskReply),
    /// The application asks.
    Command(Command, Answer),
    /// The end.
    Stop,
}

pub(super) struct Driver {
    pub(super) engine: Engine,
    pub(super) waiting: Receiver<Event>,
    pub(super) disk: Disk,
    /// Requests for which the disk had no room.
    pub(super) deferred: VecDeque<DiskRequest>,
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
            match self.waiting.recv_timeout(self.patience()) {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(event) => self.take(event, &mut effects),
                Err(RecvTimeoutError::Timeout) => self.handle(Input::Wake, &mut effects),
            }
            if self.drain(&mut effects) {
                return;
            }
            self.handle(Input::TickEnd, &mut effects);
            // Carrying out an effect may be answered at once, which may want more done.
            while !effects.is_empty() {
                for effect in std::mem::take(&mut effects) {
                    self.carry_out(effect, &mut effects);
                }
            }
        }
    }

    /// Takes in everything that already waits; `true` if that is the end.
    fn drain(&mut self, effects: &mut Vec<Effect>) -> bool {
        for _ in 0..TICK_INPUTS_MAX {
            match self.waiting.try_recv() {
                Ok(Event::Stop) | Err(TryRecvError::Disconnected) => return true,
                Ok(event) => self.take(event, effects),
                Err(TryRecvError::Empty) => return false,
            }
        }
        false
    }

    fn patience(&self) -> Duration {
        let now = self.clock.now().steady_ms;
        let deadline = self.engine.deadline_ms().map(|at| Duration::from_millis(at.saturating_sub(now)));
        deadline.map_or(IDLE, |deadline| deadline.min(IDLE))
    }

    fn handle(&mut self, input: Input, effects: &mut Vec<Effect>) {
        self.engine.handle(input, self.clock.now(), effects);
    }

    fn take(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Input(input) => self.handle(input, effects),
            Event::Network(input, permit) => {
                let is_frame = matches!(input, Input::Received { .. });
                self.handle(input, effects);
                if !is_frame {
                    self.paint_contacts();
                }
                drop(permit);
            }
            Event::Disk(reply) => self.take_reply(reply, effects),
            Event::Command(command, answer) => {
                let token = self.next_token;
                self.next_token += 1;
                self.replies.insert(token, answer);
                self.handle(Input::Command { token, command }, effects);
            }
            Event::Stop => {}
        }
    }

    fn take_reply(&mut self, reply: DiskReply, effects: &mut Vec<Effect>) {
        let input = match reply {
            DiskReply::Commit(Ok(())) => Input::Stored,
            DiskReply::Commit(Err(error)) => Input::StoreFailed { reason: error.to_string() },
            DiskReply::Range { tag, result } => Input::Rows { read: tag, rows: result.map_err(|e| e.to_string()) },
        };
        self.handle(input, effects);
        if let Some(request) = self.deferred.pop_front() {
            self.ask_disk(request, effects);
        }
    }

    fn ask_disk(&mut self, request: DiskRequest, effects: &mut Vec<Effect>) {
        let Err(error) = self.disk.send(request) else { return };
        let reason = error.to_string();
        match error {
            SendError::Busy(request) => self.deferred.push_back(request),
            SendError::Stopped(DiskRequest::Commit(_)) => self.handle(Input::StoreFailed { reason }, effects),
            SendError::Stopped(DiskRequest::Range { tag, .. }) => {
                self.handle(Input::Rows { read: tag, rows: Err(reason) }, effects);
            }
        }
    }

    fn carry_out(&mut self, effect: Effect, effects: &mut Vec<Effect>) {
        match effect {
            Effect::Store(batch) => self.ask_disk(DiskRequest::Commit(batch), effects),
            Effect::Read { read, table, from, to, bytes_max } => {
                self.ask_disk(DiskRequest::Range { tag: read, table, from, to, bytes_max }, effects);
            }
            Effect::Send { connection, frame } => self.network.send(connection, frame),
            Effect::Close { connection, reason: _ } => self.network.hang_up(connection),
            Effect::Dial { peer, addresses } => self.network.dial(peer, addresses),
            Effect::Changed { document, authors, is_own } => self.subscribers.tell(&document, &authors, is_own),
            Effect::Reply { token, reply } => {
                self.paint();
                if let Some(answer) = self.replies.remove(&token) {
                    // Whoever asked may have stopped waiting.
                    let _ = answer.send(reply);
                }
            }
        }
    }

    /// Shows those who ask in passing what the engine holds now.
    pub(super) fn paint(&self) {
        *lock(&self.picture.entries) = self.engine.catalog();
        self.paint_contacts();
    }

    fn paint_contacts(&self) {
        *lock(&self.picture.contacts) = self.engine.peers();
    }
}
