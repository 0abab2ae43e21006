//! A replica as a node holds it: what is ready is accepted, what lacks a dependency waits, the rest is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pistol_core::document::Document;
use pistol_core::envelope::{Envelope, Verified, VerifiedChange};
use pistol_core::genesis::Genesis;
use pistol_core::id::{ChangeId, Link};
use pistol_core::key::Verifier;
use pistol_core::validate::{Check, Rule};

use crate::chance::Chance;
use crate::finding::{Divergence, promise};
use crate::measure::step;

/// A replica.
#[derive(Debug)]
pub struct Replica {
    /// What it accepted.
    pub document: Document,
    accepted: Vec<VerifiedChange>,
    /// By record, not by change: the same change may come at another place of its chain.
    waiting: BTreeMap<(ChangeId, Link), VerifiedChange>,
    refused: BTreeMap<ChangeId, Rule>,
}

/// What replicas must agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What was accepted.
    pub accepted: BTreeSet<ChangeId>,
    /// What was refused, and why.
    pub refused: BTreeMap<ChangeId, Rule>,
    /// What waits.
    pub waiting: BTreeSet<ChangeId>,
    heads: Vec<[u8; 32]>,
    shown: String,
}

impl Replica {
    /// A replica of a new document.
    ///
    /// # Errors
    /// [`Divergence`] if the document cannot be made.
    pub fn new(genesis: &Arc<Genesis>) -> Result<Self, Divergence> {
        let document = Document::new(Arc::clone(genesis));
        let document = document.map_err(|rule| Divergence::new(format!("an honest document is refused: {rule}")))?;
        Ok(Replica { document, accepted: vec![], waiting: BTreeMap::new(), refused: BTreeMap::new() })
    }

    /// Takes changes in, in any order.
    ///
    /// # Errors
    /// [`Divergence`] if a change that was checked is not taken in.
    pub fn receive(&mut self, changes: &[VerifiedChange]) -> Result<(), Divergence> {
        step(|| self.take_in(changes))
    }

    fn take_in(&mut self, changes: &[VerifiedChange]) -> Result<(), Divergence> {
        self.waiting.extend(changes.iter().map(|change| ((change.id(), change.base()), change.clone())));
        let mut is_done = false;
        while !is_done {
            is_done = true;
            for (record, change) in std::mem::take(&mut self.waiting) {
                match self.document.check(&change) {
                    Check::Valid(valid) => {
                        let admitted = pistol_acl::judge(self.document.history(), *valid);
                        let Ok(admitted) = admitted.map_err(|rule| self.refuse(record.0, rule)) else {
                            continue;
                        };
                        let stale = |_| Divergence::new("a change that was just checked is stale");
                        self.document.accept(admitted.into_valid()).map_err(stale)?;
                        self.accepted.push(change);
                        is_done = false;
                    }
                    Check::Known => {}
                    Check::Missing(_) => drop(self.waiting.insert(record, change)),
                    Check::Rejected(rule) => self.refuse(record.0, rule),
                }
            }
        }
        Ok(())
    }

    /// A wrong place is the fault of one record: what is said of the change itself stays said, in any order.
    fn refuse(&mut self, id: ChangeId, rule: Rule) {
        if rule == Rule::Chain {
            self.refused.entry(id).or_insert(rule);
        } else {
            self.refused.insert(id, rule);
        }
    }

    /// Shows readers what was accepted.
    ///
    /// # Errors
    /// [`Divergence`] if Automerge fails.
    pub fn project(&mut self) -> Result<(), Divergence> {
        let projected = step(|| self.document.project());
        projected.map(drop).map_err(|_| Divergence::new("Automerge does not take what was accepted"))
    }

    /// Whether it is as it was after what it accepted.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.refused.is_empty()
    }

    /// Writes everything as a store does, and reads it again into a new document.
    ///
    /// # Errors
    /// [`Divergence`] if what was accepted is not accepted again.
    pub fn reload(&mut self) -> Result<(), Divergence> {
        let genesis = Arc::clone(self.document.history().genesis());
        let mut again = Replica::new(&genesis)?;
        for part in self.accepted.chunks(100) {
            let bytes = Verified::seal(genesis.id(), part).to_bytes();
            let read = Envelope::from_bytes(genesis.id(), &bytes);
            let read = read.map_err(|_| Divergence::new("what was sealed cannot be read"))?;
            let read = read.verify(&mut Verifier::default());
            again.receive(read.map_err(|_| Divergence::new("what was sealed is not signed"))?.changes())?;
        }
        promise(again.accepted.len() == self.accepted.len(), "what was accepted is not accepted again")?;
        std::mem::take(&mut self.refused).into_iter().for_each(|(id, rule)| again.refuse(id, rule));
        again.waiting.append(&mut self.waiting);
        *self = again;
        Ok(())
    }

    /// What it looks like now.
    ///
    /// # Errors
    /// [`Divergence`] if it cannot be shown, or what it saves cannot be loaded.
    pub fn picture(&mut self) -> Result<Picture, Divergence> {
        self.project()?;
        let accepted: BTreeSet<ChangeId> = self.accepted.iter().map(|change| change.id()).collect();
        let heads = self.document.projected_heads();
        let loaded = automerge::Automerge::load(&self.document.save());
        let loaded = loaded.map_err(|error| Divergence::new(format!("what was saved cannot be loaded: {error}")))?;
        let loaded: Vec<[u8; 32]> = loaded.get_heads().iter().map(|head| head.0).collect();
        promise(loaded == heads, "what was saved loads as something else")?;
        // A change at a wrong place of its chain is refused as a record only; if it came right too, it is accepted.
        let refused = self.refused.iter().filter(|(id, _)| !accepted.contains(id)).map(|(id, rule)| (*id, *rule));
        let waiting = self.waiting.keys().map(|(id, _)| *id).collect();
        Ok(Picture { refused: refused.collect(), waiting, accepted, heads, shown: self.shown() })
    }

    fn shown(&self) -> String {
        let content = self.document.content();
        let (list, map) = (content.list("list"), content.map("map"));
        let list: Vec<_> = (0..list.len()).map(|at| list.value(at)).collect();
        let map: Vec<_> = map.keys().into_iter().map(|key| (map.values(&key), key)).collect();
        let root: Vec<_> = content.keys().into_iter().map(|key| (content.values(&key), key)).collect();
        let body = content.text("body");
        format!("{body} {:?} {:?} {list:?} {map:?} {root:?}", body.marks(), body.spans())
    }

    /// Gives changes in any order, in batches, with a reload, a projection or neither between them.
    ///
    /// # Errors
    /// [`Divergence`].
    pub fn receive_anyhow(&mut self, changes: &[VerifiedChange], chance: &mut Chance) -> Result<(), Divergence> {
        let mut rest = changes.to_vec();
        chance.shuffle(&mut rest);
        let reload_at = chance.index(rest.len());
        let mut given = 0;
        for batch in rest.chunks(1 + chance.index(7)) {
            self.receive(batch)?;
            let end = given + batch.len();
            if (given..end).contains(&reload_at) {
                self.reload()?;
            }
            if chance.one_in(4) {
                self.project()?;
            }
            given = end;
        }
        Ok(())
    }
}
