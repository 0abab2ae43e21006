//! Somebody who may have a part in a document with members and abuses it: who forks its log, writes operations and changes as
//! if they were old, gives parts to puppets, writes on after a revocation, and tells each node something else.

use std::collections::BTreeSet;

use pistol_acl::record::{AclOp, Action, Heads, Keep, Mode, Role, SignedOp, Subject};
use pistol_core::id::{AuthorityId, ChangeId};
use pistol_core::key::{AuthorId, AuthorKey};
use pistol_sync::proto::message::Message;

use crate::chance::Chance;
use crate::reopened::Reopened;
use crate::stranger::{Forged, TOPIC, letters};
use crate::user::Made;

/// Steps of one plot at most.
const STEPS_MAX: u64 = 5;

/// A traitor, and whom it lets write in its place.
#[derive(Debug)]
pub(crate) struct Traitor {
    pub(crate) key: AuthorKey,
    puppet: AuthorKey,
}

impl Traitor {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        Traitor { key: AuthorKey::from_seed(&chance.bytes()), puppet: AuthorKey::from_seed(&chance.bytes()) }
    }

    /// Whether it signs as this author.
    pub(crate) fn is(&self, author: &AuthorId) -> bool {
        [&self.key, &self.puppet].into_iter().any(|key| key.id() == *author)
    }
}

/// What is made by a traitor who knows what some node holds.
pub(crate) struct Plot<'a> {
    traitor: &'a Traitor,
    document: &'a Made,
    /// Operations that it knows, or pretends to know.
    known: Vec<SignedOp>,
    changes: Vec<ChangeId>,
    /// The changes that no other depends on.
    heads: Vec<ChangeId>,
    /// Whom it may act against.
    others: &'a [AuthorId],
    frames: Vec<Vec<u8>>,
}

impl<'a> Plot<'a> {
    pub(crate) fn new(traitor: &'a Traitor, document: &'a Made, others: &'a [AuthorId], rows: &Reopened) -> Self {
        let changes: Vec<ChangeId> = rows.changes.iter().map(|change| change.id()).collect();
        let built_on: BTreeSet<&ChangeId> = rows.changes.iter().flat_map(|change| &change.change().deps).collect();
        let heads = changes.iter().filter(|id| !built_on.contains(id)).copied();
        let (known, heads) = (rows.operations.clone(), heads.take(60).collect());
        Plot { traitor, document, known, changes, heads, others, frames: Vec::new() }
    }

    /// The frames of some steps, in the order in which they build on each other.
    pub(crate) fn frames(mut self, chance: &mut Chance) -> Vec<Vec<u8>> {
        for _ in 0..chance.between(1, STEPS_MAX) {
            if chance.percent(55) {
                self.operate(chance);
            } else {
                self.write(chance);
            }
        }
        self.frames
    }

    /// An operation that follows on whatever suits it, often on something old.
    fn operate(&mut self, chance: &mut Chance) {
        let by = if chance.percent(80) { &self.traitor.key } else { &self.traitor.puppet };
        let Some(proof) = self.grant_of(by.id(), chance) else { return };
        let age = if chance.percent(50) { self.known.len() } else { chance.index(self.known.len()) + 1 };
        let known: Vec<&SignedOp> =
            self.known.iter().take(age).filter(|signed| signed.op().action != Action::Release).collect();
        let mut prev: Vec<AuthorityId> =
            (0..chance.between(0, 2)).filter_map(|_| chance.pick(&known)).map(SignedOp::id).collect();
        prev.sort_unstable();
        prev.dedup();
        let is_own = |id: &AuthorityId| known.iter().any(|signed| signed.id() == *id && signed.op().author == by.id());
        let own = prev.iter().position(is_own).filter(|_| chance.percent(60));
        let op = AclOp {
            log: self.document.id(),
            author: by.id(),
            proof: vec![proof],
            prev,
            own,
            action: self.action(by.id(), chance),
        };
        let Ok(signed) = SignedOp::sign(by, &op) else { return };
        self.frames.push(Message::Operations(TOPIC, vec![signed.bytes().to_vec()]).to_frame());
        self.known.push(signed);
    }

    fn action(&self, by: AuthorId, chance: &mut Chance) -> Action {
        let puppet = self.traitor.puppet.id();
        let whom = if chance.percent(50) { puppet } else { chance.pick(self.others).unwrap_or(puppet) };
        let (to, document) = (Subject::Key(whom), self.document.id());
        let named = |chance: &mut Chance| {
            let mut heads: Vec<ChangeId> = (0..2).filter_map(|_| chance.pick(&self.changes)).collect();
            heads.sort_unstable();
            heads.dedup();
            Heads { document, heads, tips: Vec::new() }
        };
        let revoke = |who, mode, changes: Vec<Heads>, cascade| {
            let changes = changes.into_iter().filter(|kept| !kept.heads.is_empty()).collect();
            Action::Revoke { who, mode, cascade, keep: Keep { changes, operations: Vec::new() } }
        };
        match chance.below(9) {
            0..=3 => Action::Grant { to, role: if chance.percent(60) { Role::Writer } else { Role::Admin } },
            4 => revoke(to, Mode::Endorsed, vec![named(chance)], chance.percent(30)),
            5 => revoke(to, Mode::Exact, vec![named(chance)], false),
            6 => revoke(Subject::Key(by), Mode::Endorsed, vec![named(chance)], false),
            7 if !self.changes.is_empty() => Action::Checkpoint(named(chance)),
            _ => Action::Witness { names: Vec::new() },
        }
    }

    /// Changes on whatever suits it: what is newest, something old, or nothing.
    fn write(&mut self, chance: &mut Chance) {
        let by = if chance.percent(60) { &self.traitor.key } else { &self.traitor.puppet };
        let Some(grant) = self.grant_of(by.id(), chance) else { return };
        let deps = match chance.below(5) {
            0 => Vec::new(),
            1 | 2 => chance.pick(&self.changes).into_iter().collect(),
            _ => self.heads.clone(),
        };
        let (session, time_ms) = (chance.below(1 << 40), chance.below(1 << 40));
        let changes = chance.index(3) + 1;
        let forged = Forged { session, changes, deps, authority: vec![grant], time_ms, ops: letters(self.document, 1) };
        let envelope = forged.envelope(by, self.document.id(), false);
        let written = crate::held::changes_in(&envelope);
        self.changes.extend(written.into_iter().filter_map(crate::held::Id::change));
        self.frames.push(Message::Envelope(TOPIC, envelope).to_frame());
    }

    /// Some operation that gives somebody a part, be it revoked long since.
    fn grant_of(&self, author: AuthorId, chance: &mut Chance) -> Option<AuthorityId> {
        let names = |signed: &&SignedOp| match &signed.op().action {
            Action::Grant { to, .. } => *to == Subject::Key(author),
            Action::AddRoot { key } => *key == author,
            _ => false,
        };
        let grants: Vec<AuthorityId> = self.known.iter().filter(names).map(SignedOp::id).collect();
        chance.pick(&grants)
    }
}
