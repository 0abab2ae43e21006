//! What users do, and what they are told.

use std::collections::BTreeSet;

use pistol_core::id::DocumentId;
use pistol_engine::{Command, Input, Reply, ReplyError, Token};
use pistol_sync::ticket::Ticket;

use super::{Asked, Event, World};
use crate::held::{self, Id};
use crate::picture::Picture;
use crate::{reopened, user};

impl World {
    pub(super) fn create(&mut self) -> Result<(), String> {
        let index = self.chance.index(self.nodes.len());
        let Some(node) = self.nodes.get(index) else { return Ok(()) };
        let has_members = self.chance.percent(self.weather.teams_percent);
        let make = if has_members { user::make_team } else { user::make };
        let made = make(&node.author(), &mut self.chance).map_err(|error| error.to_string())?;
        let (id, genesis, read_key) = (made.id(), made.genesis.clone(), made.read_key.clone());
        self.made.push(made);
        self.ask(index, Command::Create { genesis, read_key }, Asked::Other)?;
        if has_members { self.staff(index, id) } else { Ok(()) }
    }

    pub(super) fn ask(&mut self, node: usize, command: Command, asked: Asked) -> Result<(), String> {
        if self.running(node).is_none() {
            return Ok(());
        }
        self.next_token += 1;
        let token = self.next_token;
        self.asked.insert((node, token), asked);
        self.give(node, Input::Command { token, command })
    }

    pub(super) fn act(&mut self) -> Result<(), String> {
        let node = self.chance.index(self.nodes.len());
        let made = self.chance.index(self.made.len());
        if self.running(node).is_none() {
            return Ok(());
        }
        if !self.holds(node, made) {
            // Where it comes by itself it may still be joined first.
            let space = self.space.filter(|_| self.comes_by_itself(made) && self.chance.percent(70));
            return self.join(node, space.unwrap_or(made));
        }
        if self.is_space(made) {
            return match self.chance.below(10) {
                0..=5 if !self.is_healed => self.add_to_space(node),
                6 if !self.is_healed => self.remove_from_space(node),
                _ => self.made.get(made).map(user::Made::id).map_or(Ok(()), |space| self.sync(node, space)),
            };
        }
        let Some(document) = self.made.get(made).map(user::Made::id) else { return Ok(()) };
        if !self.is_healed && self.chance.percent(30) {
            // The user closes what is open, and opens it again with the next edit.
            self.nodes.get_mut(node).into_iter().for_each(|node| node.pins.clear());
        }
        if self.made.get(made).is_some_and(user::Made::has_members) && self.chance.percent(25) {
            return self.do_deed(node, document);
        }
        match self.chance.below(20) {
            0 | 1 => self.flush(node),
            2 => self.sync(node, document),
            3 => self.ask(node, Command::Name(document, "a name".to_owned()), Asked::Other),
            4 => self.ask(node, Command::Redial, Asked::Other),
            5 => self.ask(node, Command::Open(document), Asked::Other),
            6..=8 => (0..self.chance.between(2, 15)).try_for_each(|_| self.edit(node, document)),
            _ => self.edit(node, document),
        }
    }

    /// Whether a node's store holds a document.
    pub(super) fn holds(&self, node: usize, made: usize) -> bool {
        let engine = self.nodes.get(node).and_then(|node| node.engine.as_ref());
        let id = self.made.get(made).map(user::Made::id);
        engine.zip(id).is_some_and(|(engine, id)| engine.catalog().entry(&id).is_some())
    }

    /// A node is given a ticket by some node that was told that the document is in its store.
    pub(super) fn join(&mut self, node: usize, made: usize) -> Result<(), String> {
        let Some(id) = self.made.get(made).map(user::Made::id) else { return Ok(()) };
        let holds = |other: &usize| self.nodes.get(*other).is_some_and(|other| other.disk.holds(&id));
        let holders: Vec<usize> = (0..self.nodes.len()).filter(holds).collect();
        let is_somewhere = (0..self.nodes.len()).any(|other| self.holds(other, made));
        if holders.is_empty() && is_somewhere && self.is_healed {
            self.clock.after(500, Event::JoinAgain { node, made });
        }
        // Restored backups forget who else holds a document: in the end all find together at one of them.
        let inviting = if self.is_healed { holders.first().copied() } else { self.chance.pick(&holders) };
        let inviting = inviting.filter(|inviting| *inviting != node);
        let inviting = inviting.and_then(|inviting| self.nodes.get(inviting));
        let (Some(inviting), Some(invited)) = (inviting, self.made.get(made)) else { return Ok(()) };
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 7));
        let ticket = Ticket::new(invited.id(), invited.read_key.clone(), inviting.id, &[address]);
        self.ask(node, Command::Join(ticket), Asked::Join { made })
    }

    pub(super) fn type_on(&mut self, node: usize) -> Result<(), String> {
        let documents: Vec<_> = self.made.iter().map(user::Made::id).collect();
        documents.into_iter().try_for_each(|document| self.edit(node, document))
    }

    fn edit(&mut self, index: usize, document: DocumentId) -> Result<(), String> {
        let now = self.now();
        let Some(documents) = self.nodes.get(index).and_then(crate::node::Node::documents) else { return Ok(()) };
        if self.space.and_then(|space| self.made.get(space)).is_some_and(|space| space.id() == document) {
            return Ok(());
        }
        if documents.pins(&document) == 0 {
            self.nodes.get_mut(index).into_iter().for_each(|node| node.pins.push(documents.pin(document)));
        }
        if !documents.is_open(&document) {
            return self.ask(index, Command::Open(document), Asked::Open(document));
        }
        let is_large = self.weather.is_busy && self.chance.percent(60);
        let edited = user::edit(&documents, &document, now, is_large, &mut self.chance);
        let is_changed = edited.map_err(|error| format!("an edit failed: {error}"))?;
        self.trace.happened(now.steady_ms, index, || format!("edit of {document:?}: {is_changed}"));
        self.report.edits += u64::from(is_changed);
        self.give(index, Input::Wake)
    }

    pub(super) fn open_all(&mut self, index: usize) -> Result<(), String> {
        let documents: Vec<_> = self.made.iter().map(user::Made::id).collect();
        documents.into_iter().try_for_each(|document| self.ask(index, Command::Open(document), Asked::Open(document)))
    }

    /// All that a node holds of its open documents, or of one of them.
    fn held_of(&self, index: usize, document: Option<&DocumentId>) -> BTreeSet<Id> {
        let Some(documents) = self.nodes.get(index).and_then(crate::node::Node::documents) else {
            return BTreeSet::new();
        };
        let wanted = self.made.iter().map(user::Made::id).filter(|id| document.is_none_or(|wanted| wanted == id));
        let ids = |id: DocumentId| documents.look(&id, |insight| held::in_document(&insight)).unwrap_or_default();
        wanted.flat_map(ids).collect()
    }

    fn flush(&mut self, node: usize) -> Result<(), String> {
        let changes = self.held_of(node, None);
        self.ask(node, Command::Flush, Asked::Flush(changes))
    }

    fn sync(&mut self, node: usize, document: DocumentId) -> Result<(), String> {
        let held = self.held_of(node, Some(&document));
        let within_ms = self.chance.below(3000);
        self.ask(node, Command::Synced { document, within_ms }, Asked::Synced { document, held })
    }

    pub(super) fn replied(
        &mut self,
        index: usize,
        token: Token,
        reply: Result<Reply, ReplyError>,
    ) -> Result<(), String> {
        let asked = self.asked.remove(&(index, token)).ok_or("a node answered twice, or what nobody asked")?;
        match (asked, reply) {
            (_, Err(error @ ReplyError::Damaged(_))) => Err(format!("a node cannot read its store: {error}")),
            (Asked::Join { made }, Err(_)) if self.is_healed => {
                self.clock.after(500, Event::JoinAgain { node: index, made });
                Ok(())
            }
            (Asked::Flush(changes), Ok(_)) => self.flushed(index, &changes),
            (Asked::Synced { document, held }, Ok(_)) => self.synced(index, &document, &held),
            (Asked::Open(document), Ok(_)) => self.opened(index, &document),
            (_, _) => Ok(()),
        }
    }

    /// A document is open. However it was opened, it is what its rows say.
    fn opened(&mut self, index: usize, document: &DocumentId) -> Result<(), String> {
        let Some(node) = self.nodes.get(index) else { return Ok(()) };
        let Some(documents) = node.documents() else { return Ok(()) };
        let is_from_snapshot = |insight: pistol_engine::Insight<'_>| insight.state.is_from_snapshot;
        if !documents.look(document, is_from_snapshot).unwrap_or(false) {
            return Ok(());
        }
        let slow = reopened::picture(&node.disk, document)?;
        let fast = Picture::of(&documents, document).ok_or("a document that was opened is not open")?;
        // It may have been open for a while, with changes that are not on the disk yet.
        if fast.held == slow.held && fast.is_judged {
            self.report.opened_fast += 1;
            if let Some(difference) = slow.difference(&fast) {
                return Err(format!("node {index} opened {document:?} from a snapshot: {difference}"));
            }
        }
        Ok(())
    }

    fn flushed(&mut self, index: usize, changes: &BTreeSet<Id>) -> Result<(), String> {
        let Some(node) = self.nodes.get(index) else { return Ok(()) };
        self.checker.promise(changes);
        match changes.iter().find(|id| !node.disk.platter.held.contains(id)) {
            Some(id) => Err(format!("node {index} flushed, and {id:?} is not durable")),
            None => Ok(()),
        }
    }

    /// A node was told that it is equal with a peer: then some other node holds durably what it held when it asked.
    fn synced(&mut self, index: usize, document: &DocumentId, held: &BTreeSet<Id>) -> Result<(), String> {
        self.report.syncs += 1;
        let mut others = self.nodes.iter().enumerate().filter(|(other, _)| *other != index);
        let is_held = others.any(|(_, node)| held.is_subset(&node.disk.platter.held));
        let is_with_stranger = self.strangers_until_ms.get(&index).is_some_and(|until| *until >= self.clock.now_ms());
        if is_held || is_with_stranger || self.was_restored || self.is_tampered {
            return Ok(());
        }
        Err(format!("node {index} was told that {document:?} is equal with a peer's, and nobody holds it all"))
    }
}
