//! How a run ends: everything is well again, and all nodes must come to agree within a bound.

use super::{Event, World};
use crate::node::Node;
use crate::picture::{Picture, forks};
use crate::user::Made;
use pistol_engine::PeerState;

/// Simulated time within which all nodes agree once nothing goes wrong any more: the longest wait between two attempts
/// to reach a peer, twice.
const AGREED_WITHIN_MS: u64 = 60_000;
/// When users do a last thing.
const LAST_ACT_MS: u64 = 5_000;

impl World {
    pub(super) fn heal(&mut self) -> Result<(), String> {
        self.is_healed = true;
        self.weather.clear_up();
        self.net.unite();
        self.net.tampered_percent = 0;
        self.trace.happened(self.clock.now_ms(), 0, || "all is well again".to_owned());
        for index in 0..self.nodes.len() {
            if self.running(index).is_none() {
                self.start(index, true)?;
            }
            let made = self.made.iter().map(Made::id);
            self.nodes.get_mut(index).into_iter().for_each(|node| node.hold(made.clone()));
            self.open_all(index)?;
        }
        for made in 0..self.made.len() {
            if !(0..self.nodes.len()).any(|index| self.holds(index, made)) {
                continue;
            }
            let is_removed = self.made.get(made).is_some_and(|made| made.is_removed);
            // Where a store went back in time, what lets a document into the space may be gone.
            if self.comes_by_itself(made) && !is_removed && !self.was_restored {
                continue;
            }
            // What was removed is followed by those alone who have a ticket of its own.
            for index in 0..self.nodes.len() {
                if self.was_restored || is_removed || !self.holds(index, made) {
                    self.join(index, made)?;
                }
            }
        }
        self.clock.after(LAST_ACT_MS, Event::LastAct);
        Ok(())
    }

    pub(super) fn act_last(&mut self) -> Result<(), String> {
        (0..self.nodes.len()).try_for_each(|_| self.act())
    }

    /// Whether nothing is on its way.
    pub(super) fn is_at_rest(&self) -> bool {
        self.clock.planned().all(|event| matches!(event, Event::Wake { .. }))
    }

    /// Whether all nodes agree and are at rest; an error if they do not although their time is over.
    pub(super) fn is_ended(&mut self) -> Result<bool, String> {
        let is_late = self.clock.now_ms() > self.weather.span_ms + AGREED_WITHIN_MS;
        let is_at_rest = self.is_at_rest();
        if !is_at_rest && !is_late {
            return Ok(false);
        }
        match self.unlike() {
            None if is_at_rest => self.end().map(|()| true),
            None => Err("the nodes agree and do not come to rest".to_owned()),
            Some(why) if is_late => Err(format!("the nodes do not agree in time: {why}")),
            Some(_) => Ok(false),
        }
    }

    /// In what the nodes do not agree yet.
    pub(super) fn unlike(&self) -> Option<String> {
        self.made.iter().enumerate().find_map(|(made, document)| self.unlike_in(made, document))
    }

    fn unlike_in(&self, made: usize, document: &Made) -> Option<String> {
        let id = document.id();
        // A backup older than the document may have been put in place before anybody joined.
        if !(0..self.nodes.len()).any(|node| self.holds(node, made)) {
            return None;
        }
        let mut first: Option<Picture> = None;
        for (index, node) in self.nodes.iter().enumerate() {
            let Some(picture) = node.documents().and_then(|documents| Picture::of(&documents, &id)) else {
                return Some(format!("node {index} has no {id:?}"));
            };
            if let Some(difference) = first.as_ref().and_then(|first| first.difference(&picture)) {
                return Some(format!("node 0 and node {index} in {id:?}: {difference}"));
            }
            if let Some(id) = picture.held.iter().find(|id| !node.disk.platter.held.contains(id)) {
                return Some(format!("node {index} does not hold {id:?} durably"));
            }
            if let Some(why) = unlike_state(node, &id, self.was_restored || self.was_flooded) {
                return Some(format!("node {index} in {id:?}: {why}"));
            }
            first.get_or_insert(picture);
        }
        None
    }

    /// What must hold in the end beyond agreement.
    fn end(&mut self) -> Result<(), String> {
        let mut held = std::collections::BTreeSet::new();
        for made in &self.made {
            for documents in self.nodes.iter().filter_map(Node::documents) {
                let picture = Picture::of(&documents, &made.id());
                held.extend(picture.into_iter().flat_map(|picture| picture.held));
            }
            let forks = |node: &Node| node.documents()?.look(&made.id(), |insight| forks(insight.held)).ok();
            let forks = self.nodes.iter().find_map(forks).unwrap_or(0);
            self.report.forks += forks;
        }
        self.is_judged_alike()?;
        if self.nodes.iter().any(|node| !node.disk.is_tidy()) {
            return Err("rows that were sealed are still there".to_owned());
        }
        self.report.changes += held.iter().filter_map(|id| id.change()).count() as u64;
        self.report.simulated_ms = self.clock.now_ms();
        self.checker.is_kept(&held)
    }
}

/// How a node's own account of a document differs from the truth when all is equal and at rest.
///
/// Where a disk went back in time, a change may wait for one that is nowhere any more; a stranger's may from the beginning.
/// But none waits for what is here.
fn unlike_state(node: &Node, document: &pistol_core::id::DocumentId, is_lossy: bool) -> Option<String> {
    let state = node.documents()?.look(document, |insight| insight.state.clone()).ok()?;
    if state.waiting > 0 && !is_lossy {
        return Some(format!("{} changes still wait for others", state.waiting));
    }
    let is_here = |id| node.documents()?.look(document, |insight| insight.held.ordinal(id)).ok().flatten();
    if let Some((id, _)) = state.waits_for.iter().find(|(id, _)| is_here(id).is_some()) {
        return Some(format!("a change waits for {id:?}, which is here"));
    }
    if state.branches_waiting > 0 {
        return Some(format!("{} branches wait to be taken in", state.branches_waiting));
    }
    let is_forked = node.documents()?.look(document, |insight| forks(insight.held) > 0).ok()?;
    if is_forked && state.forks.is_empty() {
        return Some("a chain forked, and the node does not tell".to_owned());
    }
    let engine = node.engine.as_ref()?;
    let connected = engine.peers().into_iter().filter(|contact| contact.is_connected);
    let mut views = connected.filter_map(|contact| Some((contact.node, state.peers.get(&contact.node)?)));
    // A connected peer that neither side asks for this document counts as none.
    let is_well = |state: &PeerState| matches!(state, PeerState::Same | PeerState::NoPath { next_try_ms: None, .. });
    views.find(|(_, view)| !is_well(&view.state)).map(|(peer, view)| format!("with {peer:?} it is {:?}", view.state))
}
