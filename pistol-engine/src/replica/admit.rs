//! The way of others' changes into a document: structure, policy, history, projection. The only caller of `accept`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pistol_acl::SignedOp;
use pistol_core::envelope::VerifiedChange;
use pistol_core::id::{AuthorityId, ChangeId};
use pistol_core::key::AuthorId;
use pistol_core::validate::{Branch, Check, Rule, Valid};

use super::members::{Members, Shown};
use super::waiting::Until;
use super::{Replica, Source, Unstored};
use crate::input::ConnectionId;
use crate::limits;
use crate::room::{Record, Room};

/// An author who forks makes branches without end; it is that author's changes that are misjudged.
const BRANCHES_LOOKED_AT: usize = 8;

/// What comes from a file comes from no connection.
const FROM_FILE: ConnectionId = ConnectionId::MAX;

/// What became of received changes.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    /// Whose changes were accepted, and how many of each.
    pub(crate) accepted: BTreeMap<AuthorId, u64>,
    /// Whether readers are to see something else.
    pub(crate) is_to_show: bool,
    /// Whether there is something new for the disk.
    pub(crate) is_to_store: bool,
    /// What was refused, by whom it was sent.
    pub(crate) refused: Vec<(Source, ChangeId, Rule)>,
    /// Connections whose changes waited and do so no more.
    pub(crate) released: BTreeSet<ConnectionId>,
}

impl Replica {
    /// Takes in what is ready; the rest waits.
    pub(crate) fn admit(&mut self, now_ms: u64, changes: Vec<(VerifiedChange, Source)>, room: &mut Room) -> Admission {
        let mut admission = Admission::default();
        let mut queue: VecDeque<(VerifiedChange, Source)> = changes.into();
        self.keep_made_in_vain();
        self.release_decided(&mut admission, &mut queue, room);
        self.note_branches(now_ms);
        let (dialled_ms, other_ms) = (self.branches_rest_until_ms(true), self.branches_rest_until_ms(false));
        let rests = |is_dialled| now_ms < if is_dialled { dialled_ms } else { other_ms };
        let branches = self.waiting.release_branches(|is_dialled| !rests(is_dialled), room);
        release_all(branches, &mut admission, &mut queue);
        while let Some((change, from)) = queue.pop_front() {
            let id = change.id();
            if let Some(rule) = self.refused_before(&change) {
                self.refuse(&mut admission, from, id, rule);
                self.release(&mut admission, Until::Decided(id), &mut queue, room);
                continue;
            }
            match self.history().check(&change) {
                Check::Known => self.fill_hole(&change),
                Check::Missing(missing) => {
                    let Some(dependency) = missing.first() else { continue };
                    self.keep_waiting(change, from, Until::Decided(*dependency), room);
                }
                Check::Rejected(rule) => self.refuse(&mut admission, from, id, rule),
                Check::Valid(valid) => match self.lacks(&change) {
                    Some(cited) => self.keep_waiting(change, from, Until::Cited(cited), room),
                    None if rests(from.is_dialled) && self.may_branch(&valid) => {
                        self.keep_waiting(change, from, Until::Rested { is_dialled: from.is_dialled }, room);
                    }
                    None => match self.accept(*valid, change, from.connection) {
                        Ok(author) => *admission.accepted.entry(author).or_default() += 1,
                        Err(rule) => self.refuse(&mut admission, from, id, rule),
                    },
                },
            }
            if self.is_decided(&id) {
                self.release(&mut admission, Until::Decided(id), &mut queue, room);
            }
        }
        if self.unstored.is_empty() {
            self.received.clear();
        }
        self.note_waiting();
        let shown = match self.members {
            Some(_) => self.follow_access_in_turn(now_ms),
            None => admission.accepted.clone(),
        };
        self.will_show(&shown);
        admission.is_to_show = !shown.is_empty() || !self.showing.has_told_all();
        admission.is_to_store = !admission.accepted.is_empty() || self.has_unstored_operations();
        admission
    }

    /// What of accepted changes readers will see; in a document with members that is another question.
    fn shown_of(&mut self, accepted: &Shown) -> Shown {
        if self.members.is_some() { self.follow_access() } else { accepted.clone() }
    }

    /// Changes that cite operations which came are looked at again.
    fn release_decided(
        &mut self,
        admission: &mut Admission,
        queue: &mut VecDeque<(VerifiedChange, Source)>,
        room: &mut Room,
    ) {
        let Some(members) = &mut self.members else { return };
        admission.released.append(&mut members.take_released());
        for operation in members.take_decided() {
            self.release(admission, Until::Cited(operation), queue, room);
        }
    }

    fn lacks(&self, change: &VerifiedChange) -> Option<AuthorityId> {
        self.members.as_ref().and_then(|members| members.lacks(change))
    }

    pub(super) fn has_unstored_operations(&self) -> bool {
        self.members.as_ref().is_some_and(Members::has_unstored)
    }

    /// How many operations of the document's log are durable.
    pub(crate) fn durable_operations(&self) -> u32 {
        self.members.as_ref().map_or(0, Members::durable)
    }

    /// Whether a change would begin a branch, and may: what the policy refuses need not rest before.
    fn may_branch(&self, valid: &Valid) -> bool {
        let history = self.history();
        history.would_branch(valid) && (self.members.is_some() || pistol_acl::check(history, valid).is_ok())
    }

    /// Takes in operations and changes that were checked together, each after what it needs. Returns whether any was new.
    pub(crate) fn take_in(&mut self, operations: &[SignedOp], changes: Vec<VerifiedChange>) -> Result<bool, Rule> {
        let mut accepted: BTreeMap<AuthorId, u64> = BTreeMap::new();
        self.keep_made_in_vain();
        if let Some(members) = &mut self.members {
            // They were checked together: all of them have a place, or none is taken in.
            if !operations.iter().all(|signed| members.take_checked(signed)) {
                return Err(Rule::Policy);
            }
        }
        for change in changes {
            match self.history().check(&change) {
                Check::Known => self.fill_hole(&change),
                Check::Valid(valid) => *accepted.entry(self.accept(*valid, change, FROM_FILE)?).or_default() += 1,
                Check::Rejected(rule) => return Err(rule),
                Check::Missing(_) => return Err(Rule::Dependencies),
            }
        }
        let shown = self.shown_of(&accepted);
        self.will_show(&shown);
        Ok(!accepted.is_empty() || self.has_unstored_operations() || self.has_filled_holes())
    }

    /// Whether a change is accepted, or refused for ever.
    fn is_decided(&self, id: &ChangeId) -> bool {
        self.history().ordinal(id).is_some() || self.rejected.find(id).is_some()
    }

    fn keep_waiting(&mut self, change: VerifiedChange, from: Source, until: Until, room: &mut Room) {
        let distance = self.distance(&change);
        self.waiting.keep(self.id(), change, from, until, distance, room);
    }

    /// How many changes of its chain are to be accepted before a change, as far as the latest branches tell.
    fn distance(&self, change: &VerifiedChange) -> u64 {
        let history = self.history();
        let latest = history.branches_of(&change.chain()).iter().rev().take(BRANCHES_LOOKED_AT);
        let lasts = latest.filter_map(|branch| history.branches().get(*branch as usize)).map(Branch::last_seq);
        change.change().seq.saturating_sub(lasts.max().unwrap_or(0))
    }

    /// What waited for something that is so now is looked at before everything else: what comes next may need it.
    fn release(
        &mut self,
        admission: &mut Admission,
        until: Until,
        queue: &mut VecDeque<(VerifiedChange, Source)>,
        room: &mut Room,
    ) {
        release_all(self.waiting.release(until, room), admission, queue);
    }

    /// How many changes from a connection are not durable because they wait for others.
    pub(crate) fn waiting_from(&self, connection: ConnectionId) -> usize {
        let operations = self.members.as_ref().map_or(0, |members| members.waiting_from(connection));
        self.waiting.count_of(connection).saturating_add(operations)
    }

    /// Moves a change that waits into the share of another peer that sent it, if it has room.
    pub(crate) fn hand_over(&mut self, record: &Record, room: &mut Room) -> bool {
        self.waiting.hand_over(record, room)
    }

    /// Lets go of a change that waits, for want of room. Says who sent it.
    pub(crate) fn drop_waiting(&mut self, record: &Record, room: &mut Room) -> Vec<Source> {
        let dropped = self.waiting.remove(record, room);
        self.note_waiting();
        dropped.map(|(_, from)| from).unwrap_or_default()
    }

    /// Lets go of everything that waits: the document is removed.
    pub(crate) fn drop_all_waiting(&mut self, room: &mut Room) {
        self.waiting.clear(room);
    }

    fn note_waiting(&mut self) {
        self.state.waiting = self.waiting.len();
        self.state.branches_waiting = self.waiting.branches();
        self.state.waits_for = self.waiting.for_what().take(limits::WAITS_TOLD_MAX).collect();
    }

    fn refused_before(&self, change: &VerifiedChange) -> Option<Rule> {
        let is_dependent = || change.change().deps.iter().any(|dep| self.rejected.find(dep).is_some());
        self.rejected.find(&change.id()).copied().or_else(|| is_dependent().then_some(Rule::Dependencies))
    }

    fn accept(&mut self, valid: Valid, change: VerifiedChange, from: ConnectionId) -> Result<AuthorId, Rule> {
        let accepted = if let Some(members) = &mut self.members {
            members.accept(valid)?
        } else {
            let admitted = pistol_acl::judge(self.document.history(), valid)?;
            self.document.accept(admitted.into_valid()).map_err(|_| Rule::Chain)?
        };
        let author = change.change().author;
        if accepted.is_fork {
            self.state.forks.insert(author);
        }
        if author == self.key.id() && Some(change.change().session) == self.session {
            // Somebody writes in this session who is not this store: a copied profile. Leave it to the other.
            self.session = None;
            self.state.forks.insert(author);
        }
        self.unstored_bytes += change.bytes();
        self.unstored.push(Unstored::Foreign(change, from));
        Ok(author)
    }

    fn refuse(&mut self, admission: &mut Admission, from: Source, id: ChangeId, rule: Rule) {
        self.state.refuse(&rule.to_string());
        // A wrong place in a chain is the record's fault: the same change may come again in its right place.
        if rule != Rule::Chain {
            self.rejected.insert(id, rule);
        }
        admission.refused.push((from, id, rule));
    }
}

fn release_all(
    released: Vec<(VerifiedChange, Vec<Source>)>,
    admission: &mut Admission,
    queue: &mut VecDeque<(VerifiedChange, Source)>,
) {
    for (change, from) in released.into_iter().rev() {
        admission.released.extend(from.iter().map(|source| source.connection));
        if let Some(first) = from.first() {
            queue.push_front((change, *first));
        }
    }
}
