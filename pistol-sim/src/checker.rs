//! What must hold whenever a node says something, and what was promised with it.

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::id::AuthorityId;
use pistol_engine::ConnectionId;
use pistol_sync::proto::message::{Acknowledge, Follow, Message, Topic};

use crate::disk::Disk;
use crate::held::{Id, changes_in, operations_in};

/// What was promised to somebody.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    /// What was in envelopes and among operations sent, in order.
    sent: BTreeMap<(ConnectionId, usize, Topic), Vec<Vec<Id>>>,
    /// What was acknowledged to a user or a peer: it must be everywhere in the end.
    promised: BTreeSet<Id>,
}

impl Checker {
    /// A frame leaves a node that has this disk.
    pub(crate) fn sends(
        &mut self,
        (connection, sender, receiver): (ConnectionId, usize, usize),
        frame: &[u8],
        disk: &Disk,
        is_tampered: bool,
    ) -> Result<(), String> {
        let durable = &disk.platter.held;
        match Message::from_frame(frame) {
            Ok(Some(Message::Envelope(topic, bytes))) => {
                let ids = changes_in(&bytes);
                if ids.is_empty() {
                    return Err("a node sent an envelope that cannot be read".to_owned());
                }
                self.gives((connection, sender, topic), ids, durable)
            }
            Ok(Some(Message::Operations(topic, operations))) => {
                let ids = operations_in(operations.iter().map(Vec::as_slice));
                self.gives((connection, sender, topic), ids, durable)
            }
            Ok(Some(Message::LogHeads(_, told))) => {
                let mut told = told.heads.iter().chain(&told.samples).map(|id| Id::Operation(AuthorityId(*id)));
                match told.find(|id| !durable.contains(id)) {
                    Some(id) => Err(format!("a node told of {id:?} before it was durable there")),
                    None => Ok(()),
                }
            }
            Ok(Some(Message::Acknowledge(acknowledge))) if !is_tampered => {
                self.acknowledges((connection, receiver), &acknowledge, durable)
            }
            Ok(Some(Message::Follow(Follow { genesis: Some(genesis), .. }))) if !disk.holds_genesis(&genesis) => {
                Err("a node sent a document before it was durable there".to_owned())
            }
            Ok(_) => Ok(()),
            Err(error) => Err(format!("a node sent a frame that cannot be read: {error}")),
        }
    }

    /// Nothing leaves a node before it is durable there.
    fn gives(&mut self, by: (ConnectionId, usize, Topic), ids: Vec<Id>, durable: &BTreeSet<Id>) -> Result<(), String> {
        if let Some(id) = ids.iter().find(|id| !durable.contains(id)) {
            return Err(format!("a node sent {id:?} before it was durable there"));
        }
        self.sent.entry(by).or_default().push(ids);
        Ok(())
    }

    fn acknowledges(
        &mut self,
        (connection, sender): (ConnectionId, usize),
        acknowledge: &Acknowledge,
        durable: &BTreeSet<Id>,
    ) -> Result<(), String> {
        let sent = self.sent.get(&(connection, sender, acknowledge.topic)).map_or(&[][..], Vec::as_slice);
        let count = usize::try_from(acknowledge.count).unwrap_or(usize::MAX);
        if acknowledge.waiting > 0 {
            return Ok(());
        }
        let taken = sent.get(..count).ok_or("a node acknowledged what was never sent")?;
        for id in taken.iter().flatten() {
            let is_refused = acknowledge.refused.iter().any(|(refused, _)| refused == id.bytes());
            if !is_refused && !durable.contains(id) {
                return Err(format!("a node acknowledged {id:?}, which is not durable there"));
            }
            self.promised.insert(*id);
        }
        Ok(())
    }

    /// A user was told that these are safe.
    pub(crate) fn promise(&mut self, ids: &BTreeSet<Id>) {
        self.promised.extend(ids);
    }

    /// A backup took the place of a store: what nobody else holds is lost, and nobody could help it.
    pub(crate) fn lost(&mut self, lost: &BTreeSet<Id>) {
        self.promised.retain(|id| !lost.contains(id));
    }

    /// In the end: everything promised is among what all hold.
    pub(crate) fn is_kept(&self, held: &BTreeSet<Id>) -> Result<(), String> {
        match self.promised.iter().find(|id| !held.contains(id)) {
            Some(id) => Err(format!("{id:?} was acknowledged and is gone")),
            None => Ok(()),
        }
    }
}
