//! What is done, step by step, and what must hold when all is done.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::SocketAddr;

use pistol_acl::record::Role;
use pistol_core::document::EditError;
use pistol_core::id::DocumentId;
use pistol_core::store::redb::faults::Survivors;
use pistol_core::validate::Rule;
use pistol_engine::{Command, Input};
use pistol_sync::ticket::Ticket;

use super::pair::{Asked, Pair, Side, Stop, broken};
use super::{Breach, Plan, Step, Tally};
use crate::held::Id;
use crate::member::{self, Deed, masked};
use crate::picture::{Picture, forks};
use crate::reopened;
use crate::user::{self, Made};

/// That of the invitation that the node gives.
const SECRET: [u8; 16] = [7; 16];
/// Bytes of a value that fills most of a row.
const LARGE: usize = 40_000;
/// How long a step takes, for deadlines.
const STEP_MS: u64 = 20;
/// Simulated time within which the two agree once nothing goes wrong any more.
const AGREED_WITHIN_MS: u64 = 60_000;

impl Pair {
    pub(super) fn run(mut self, plan: &Plan) -> Result<Tally, Breach> {
        self.plan_cut();
        self.survive(Pair::begin)?;
        for step in &plan.steps {
            self.survive(|pair| pair.act(*step))?;
        }
        self.tally.is_cut_all = self.tally.crashes == plan.cuts.len() as u64;
        self.machine.sectors.no_fault();
        self.later_cuts.clear();
        self.survive(Pair::agree)?;
        // Once more, with nothing under way.
        self.survivors = Survivors::None;
        self.crash()?;
        self.tally.crashes -= 1;
        self.survive(Pair::agree)?;
        self.end()?;
        Ok(self.tally)
    }

    /// Does something; if the power goes meanwhile, it is not done again.
    fn survive(&mut self, act: impl FnOnce(&mut Pair) -> Result<(), Stop>) -> Result<(), Breach> {
        let mut done = act(self);
        loop {
            match done {
                Ok(()) => return Ok(()),
                Err(Stop::Broken(breach)) => return Err(breach),
                Err(Stop::NoPower) => self.crash()?,
            }
            done = self.settle();
        }
    }

    fn begin(&mut self) -> Result<(), Stop> {
        let (now, bounds) = (self.now(), (self.snapshot_changes, pistol_engine::OPEN_BYTES));
        self.peer.start(true, bounds, now, &mut self.chance).map_err(|error| broken(error.to_string()))?;
        self.start()?;
        self.settle()
    }

    fn act(&mut self, step: Step) -> Result<(), Stop> {
        match step {
            Step::Create => self.create(Side::Machine, false)?,
            Step::CreateTeam => self.create(Side::Machine, true)?,
            Step::Edit { document, times } => self.edit(Side::Machine, document, times)?,
            Step::EditAll => (0..self.made.len()).try_for_each(|document| self.edit(Side::Machine, document, 1))?,
            Step::EditLarge { document } => self.edit_large(document, Pair::random_text)?,
            Step::EditDense { document } => self.edit_large(document, Pair::dense_text)?,
            Step::Name { document } => {
                if let Some(id) = self.document(document).filter(|id| self.holds(Side::Machine, id)) {
                    self.ask(Side::Machine, Command::Name(id, format!("name {document}")), Asked::Other);
                }
            }
            Step::Flush => {
                let held = self.made.iter().flat_map(|made| self.held(Side::Machine, &made.id())).collect();
                self.ask(Side::Machine, Command::Flush, Asked::Flush(held));
            }
            Step::PeerJoins { document } => self.join(Side::Peer, document, None),
            Step::Invite { document } => {
                let (id, role) = (self.document(document), Role::Writer);
                if let Some(document) = id.filter(|id| self.holds(Side::Machine, id)) {
                    let invite = Command::Invite { document, secret: SECRET, role, not_after_ms: 0 };
                    self.ask(Side::Machine, invite, Asked::Other);
                }
            }
            Step::PeerIsInvited { document } => self.join(Side::Peer, document, Some(SECRET)),
            Step::Join => {
                self.create(Side::Peer, false)?;
                self.settle()?;
                self.join(Side::Machine, self.made.len().saturating_sub(1), None);
            }
            Step::JoinTeam => {
                self.create(Side::Peer, true)?;
                self.settle()?;
                let document = self.made.len().saturating_sub(1);
                self.operate(Side::Peer, document, Deed::Grant(Role::Writer))?;
                self.settle()?;
                self.join(Side::Machine, document, None);
            }
            Step::Operate { document, deed } => self.operate(Side::Machine, document, deed)?,
            Step::PeerOperates { document, deed } => self.operate(Side::Peer, document, deed)?,
            Step::PeerEdits { document, times } => self.edit(Side::Peer, document, times)?,
            Step::PeerIsNewer => self.is_peer_newer = true,
            Step::Disconnect => self.disconnect(),
            Step::Disk(fault, after) => self.machine.sectors.fault_after(after, fault),
            Step::Forget { document } => self.forget(document),
            Step::Compact => self.compact()?,
            Step::Restart => self.restart()?,
            Step::Pass { milliseconds } => self.pass(milliseconds)?,
        }
        self.pass(STEP_MS)?;
        self.note_shrunk();
        Ok(())
    }

    /// Counts documents of which the node shows less than after the step before.
    fn note_shrunk(&mut self) {
        for made in self.made.iter().filter(|made| made.has_members()) {
            let documents = self.machine.node.documents();
            let shown =
                documents.and_then(|documents| documents.look(&made.id(), |look| look.document.history().next()).ok());
            let Some(shown) = shown else { continue };
            let before = self.shown.insert(made.id(), shown).unwrap_or(0);
            self.tally.shrunk += u64::from(shown < before);
        }
    }

    fn document(&self, document: usize) -> Option<DocumentId> {
        self.made.get(document).map(Made::id)
    }

    fn create(&mut self, side: Side, has_members: bool) -> Result<(), Stop> {
        let author = self.node(side).author();
        let make = if has_members { user::make_team } else { user::make };
        let made = make(&author, &mut self.chance).map_err(|error| broken(error.to_string()))?;
        let (genesis, read_key) = (made.genesis.clone(), made.read_key.clone());
        self.made.push(made);
        self.ask(side, Command::Create { genesis, read_key }, Asked::Other);
        Ok(())
    }

    fn edit(&mut self, side: Side, document: usize, times: u64) -> Result<(), Stop> {
        let (now, documents) = (self.now(), self.node(side).documents());
        let (Some(id), Some(documents)) = (self.document(document), documents) else { return Ok(()) };
        for _ in 0..times {
            user::edit(&documents, &id, now, false, &mut self.chance).map_err(edit_failed)?;
        }
        self.tell(side, Input::Wake);
        Ok(())
    }

    /// A side does something about the other one's part in a document.
    fn operate(&mut self, side: Side, document: usize, deed: Deed) -> Result<(), Stop> {
        let (whom, documents) = (self.node(side.other()).author().id(), self.node(side).documents());
        let (Some(id), Some(documents)) = (self.document(document), documents) else { return Ok(()) };
        let operated = member::operate(&documents, &id, (deed, whom), &mut self.chance);
        let is_written = operated.map_err(|error| broken(format!("an operation failed: {error}")))?;
        self.tally.operated += u64::from(is_written);
        self.tell(side, Input::Wake);
        Ok(())
    }

    /// One that is not made much shorter by deflating.
    fn random_text(&mut self) -> String {
        let mut text = String::with_capacity(LARGE);
        while text.len() < LARGE {
            let _ = write!(text, "{:016x}", self.chance.number());
        }
        text
    }

    /// One of few sentences, the same ones each time: two such rows take less together than each alone.
    fn dense_text(&mut self) -> String {
        let mut text = String::with_capacity(LARGE);
        while text.len() < LARGE {
            let sentence = 1 + self.chance.below(20);
            for word in 1..5_u64 {
                let _ = write!(text, "{:016x}", sentence.wrapping_mul(word << 59 | 0x9e37_79b9_7f4a_7c15));
            }
        }
        text
    }

    fn edit_large(&mut self, document: usize, text: impl FnOnce(&mut Self) -> String) -> Result<(), Stop> {
        let (now, documents) = (self.now(), self.machine.node.documents());
        let (Some(id), Some(documents)) = (self.document(document), documents) else { return Ok(()) };
        let text = text(self);
        let edited = documents.edit(&id, now, None, |edit| edit.map("map").put("large", text));
        match edited {
            Ok(_)
            | Err(
                EditError::Closed
                | EditError::Refused(Rule::Policy)
                | EditError::NotYours { .. }
                | EditError::NotAMember
                | EditError::Revoked,
            ) => {}
            Err(error) => return Err(edit_failed(error)),
        }
        self.tell(Side::Machine, Input::Wake);
        Ok(())
    }

    /// A side is invited by the other one, if that holds the document durably.
    fn join(&mut self, side: Side, document: usize, secret: Option<[u8; 16]>) {
        let inviting = if side == Side::Machine { Side::Peer } else { Side::Machine };
        let Some(made) = self.made.get(document) else { return };
        if !self.node(inviting).disk.holds(&made.id()) {
            return;
        }
        let address = SocketAddr::from(([127, 0, 0, 1], 7));
        let mut ticket = Ticket::new(made.id(), made.read_key.clone(), self.node(inviting).id, &[address]);
        ticket.secret = secret;
        self.ask(side, Command::Join(ticket), Asked::Join(side, document));
    }

    /// The node removes a document. What only it held is lost, as its user wants.
    fn forget(&mut self, document: usize) {
        let Some(id) = self.document(document).filter(|id| self.holds(Side::Machine, id)) else { return };
        let held = self.held(Side::Machine, &id);
        self.sent.retain(|id| !held.contains(id));
        self.checker.lost(&held);
        for (_, asked) in self.asked.values_mut() {
            if let Asked::Flush(of) = asked {
                of.retain(|id| !held.contains(id));
            }
        }
        self.ask(Side::Machine, Command::Forget(id), Asked::Other);
    }

    /// Each joins what the other one holds, unless it is about to.
    fn join_all(&mut self) {
        for document in 0..self.made.len() {
            for side in Side::BOTH {
                let is_asked = |(_, asked): &(Side, Asked)| matches!(asked, Asked::Join(by, which) if (*by, *which) == (side, document));
                let is_held = self.document(document).is_some_and(|id| self.holds(side, &id));
                if !is_held && !self.asked.values().any(is_asked) {
                    self.join(side, document, None);
                }
            }
        }
    }

    fn disconnect(&mut self) {
        if let Some(connection) = self.connection {
            let reason = "the connection ended".to_owned();
            self.hang_up(Side::Peer, connection);
            self.tell(Side::Machine, Input::Disconnected { connection, reason });
        }
    }

    pub(super) fn held(&self, side: Side, id: &DocumentId) -> BTreeSet<Id> {
        let documents = self.node(side).documents();
        documents.and_then(|documents| Picture::of(&documents, id)).map(|picture| picture.held).unwrap_or_default()
    }

    /// Nothing goes wrong any more: both come to hold the same. They meet anew, since what a node could not read it asks
    /// for again when it meets the peer again.
    fn agree(&mut self) -> Result<(), Stop> {
        self.is_peer_newer = false;
        self.disconnect();
        self.settle()?;
        let end = self.now_ms + AGREED_WITHIN_MS;
        loop {
            self.settle()?;
            self.join_all();
            self.settle()?;
            let Some(why) = self.unlike() else { return Ok(()) };
            match self.deadline_ms() {
                Some(at) if at <= end => self.wake_at(at),
                _ => return Err(broken(format!("the two do not agree in time: {why}"))),
            }
        }
    }

    /// In what the two do not agree yet.
    fn unlike(&self) -> Option<String> {
        let ids = self.made.iter().map(Made::id);
        // A document may have been lost before anybody was told that it is there.
        let held = ids.filter(|id| Side::BOTH.into_iter().any(|side| self.holds(side, id)));
        held.into_iter().find_map(|id| {
            let picture = |side| {
                let documents = self.node(side).documents()?;
                Picture::of(&documents, &id)
            };
            let (Some(one), Some(two)) = (picture(Side::Machine), picture(Side::Peer)) else {
                return Some(format!("one of them has no {id:?}"));
            };
            let is_durable = |side| one.held.is_subset(&self.node(side).disk.platter.held);
            let unsafe_at = Side::BOTH.into_iter().find(|side| !is_durable(*side));
            let not_durable = unsafe_at.map(|side| format!("the {side:?} does not hold all of {id:?} durably"));
            one.difference(&two).or(not_durable)
        })
    }

    /// A node shows of a document what a judge says who begins anew with all that it holds.
    fn is_judged_alike(&self, side: Side, id: &DocumentId) -> Result<(), String> {
        let node = self.node(side);
        let fresh = reopened::picture(&node.disk, id)?;
        let own = node.documents().and_then(|documents| Picture::of(&documents, id));
        match fresh.difference(&own.ok_or("a document is not open in the end")?) {
            Some(difference) => Err(format!("the {side:?} is judged otherwise anew in {id:?}: {difference}")),
            None => Ok(()),
        }
    }

    /// What must hold in the end beyond agreement.
    fn end(&mut self) -> Result<(), Breach> {
        let mut held = BTreeSet::new();
        for made in &self.made {
            held.extend(self.held(Side::Machine, &made.id()));
            for side in Side::BOTH {
                let documents = self.node(side).documents();
                let forks = documents.and_then(|documents| documents.look(&made.id(), |look| forks(look.held)).ok());
                if forks.unwrap_or(0) > 0 {
                    return Err(Breach::Other("a session went on from a place that it had left".to_owned()));
                }
                if made.has_members() && self.holds(side, &made.id()) {
                    self.is_judged_alike(side, &made.id()).map_err(Breach::Other)?;
                }
            }
            let documents = self.machine.node.documents();
            let masked = documents.and_then(|documents| documents.look(&made.id(), |look| masked(&look).len()).ok());
            self.tally.masked += masked.unwrap_or(0) as u64;
        }
        if Side::BOTH.into_iter().any(|side| !self.node(side).disk.is_tidy()) {
            return Err(Breach::Other("rows that were sealed are still there".to_owned()));
        }
        if !self.machine.node.disk.is_cleared() {
            return Err(Breach::Other("rows of a document that was removed are still there".to_owned()));
        }
        self.tally.operations += self.machine.sectors.operations();
        self.checker.is_kept(&held).map_err(Breach::Lost)
    }
}

fn edit_failed(error: EditError) -> Stop {
    broken(format!("an edit failed: {error}"))
}
