//! Spaces that this node follows: which of the documents that say they belong to one have their place there, and which of those
//! that peers tell of are looked for.
//!
//! Architecture Invariant: peers are told of documents that have their place, and of none that only says so.

mod acknowledge;
mod directory;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pistol_acl::{Access, Addition, Place};
use pistol_core::genesis::{self, Genesis, Kind, ReadKey};
use pistol_core::id::DocumentId;
use pistol_core::key::AuthorId;

pub(super) use directory::{Directory, Early};

use pistol_sync::node::NodeId;
use pistol_sync::proto::message::Message;

use super::Engine;
use crate::catalog::{Catalog, Log};
use crate::documents::lock;
use crate::effect::{Effect, ReplyError};
use crate::input::ConnectionId;
use crate::limits;
use crate::recent::Recent;

/// What the node knows of its spaces beside their logs.
#[derive(Debug, Default)]
pub(super) struct Spaces {
    surveyed: BTreeMap<DocumentId, Survey>,
    /// Spaces whose documents may stand otherwise than was found last.
    stale: BTreeSet<DocumentId>,
    /// Documents that came since their spaces were looked at.
    arrived: BTreeMap<DocumentId, BTreeSet<DocumentId>>,
    /// Documents that were told of as a space's and are nothing that its readers keep, each with that space: they are not asked for
    /// again.
    unfit: Unfit,
    /// Documents edited here that need nobody to speak for them, or have been spoken for, since the node began.
    acknowledged: BTreeSet<DocumentId>,
    /// Documents edited here whose place in their space is to be spoken for, if it is somebody else's.
    to_acknowledge: BTreeSet<DocumentId>,
    /// Connections on which a space is followed, and its directory is to be begun.
    to_begin: BTreeSet<(ConnectionId, DocumentId)>,
}

/// A space as it was found last.
#[derive(Debug, Default)]
struct Survey {
    /// Documents in the store that have their place, and that the space's readers may read.
    here: BTreeSet<DocumentId>,
    /// The operations of its log that were looked at.
    looked_at: u32,
    /// Those of all logs that it depends on.
    in_all: usize,
}

#[derive(Debug)]
struct Unfit(Recent<(DocumentId, DocumentId), ()>);

impl Default for Unfit {
    fn default() -> Self {
        Unfit(Recent::up_to(limits::UNFIT_LOGS_MAX))
    }
}

/// The key of a document and whose it is, as its genesis tells.
pub(super) type Wanted = (Arc<Genesis>, Option<ReadKey>);

/// Where the documents of a space stand that say they belong to it.
pub fn places(catalog: &Catalog, access: &Access, space: &DocumentId) -> Vec<(DocumentId, Place)> {
    judge(access, catalog.of_space(space))
}

fn judge(
    access: &Access,
    documents: impl IntoIterator<Item = (DocumentId, Arc<genesis::Addition>)>,
) -> Vec<(DocumentId, Place)> {
    let (mut places, mut creators) = (access.places(), BTreeMap::new());
    let mut judged = Vec::new();
    for (document, addition) in documents {
        // To read a key takes longer than all the rest, and few people make many documents.
        let creator = *creators.entry(addition.creator).or_insert_with(|| AuthorId::from_bytes(&addition.creator).ok());
        let Some(creator) = creator else { continue };
        let path = &addition.authority;
        judged.push((document, places.of(&Addition { document, creator, space: addition.space, path })));
    }
    judged
}

impl Spaces {
    /// A document is gone.
    pub(super) fn forget(&mut self, document: &DocumentId) {
        self.surveyed.remove(document);
        self.arrived.remove(document);
        self.to_acknowledge.remove(document);
        self.surveyed.values_mut().for_each(|survey| survey.here.retain(|id| id != document));
    }

    fn is_unfit(&self, space: DocumentId, document: DocumentId) -> bool {
        self.unfit.0.find(&(space, document)).is_some()
    }

    fn here(&self, space: &DocumentId) -> Option<&BTreeSet<DocumentId>> {
        self.surveyed.get(space).map(|survey| &survey.here)
    }
}

impl Engine {
    /// Something of a log is durable, or it was opened: where documents stand may have changed, if it is a space or a space depends
    /// on it.
    pub(super) fn touch_space(&mut self, log: &DocumentId) {
        match self.catalog.log(log) {
            Some(found) if found.kind == Kind::Space => drop(self.spaces.stale.insert(*log)),
            Some(found) => {
                let space = found.addition.filter(|_| found.is_durable).map(|addition| addition.space);
                let is_to_be_placed =
                    |space: &DocumentId| self.spaces.here(space).is_some_and(|here| !here.contains(log));
                if let Some(space) = space.filter(is_to_be_placed) {
                    self.spaces.arrived.entry(space).or_default().insert(*log);
                }
            }
            None => {}
        }
    }

    /// Looks at the spaces of which something changed, and tells peers. What is not judged yet is looked at later.
    pub(super) fn survey_spaces(&mut self, effects: &mut Vec<Effect>) {
        for space in std::mem::take(&mut self.spaces.stale) {
            if !self.survey(space, effects) && self.documents.is_open(&space) {
                self.spaces.stale.insert(space);
            }
        }
        for (space, documents) in std::mem::take(&mut self.spaces.arrived) {
            let additions = documents.iter().filter_map(|id| Some((*id, self.catalog.log(id)?.addition?)));
            let additions: Vec<_> = additions.collect();
            if let Some(judged) = self.with_access(&space, |access| judge(access, additions)) {
                self.found(space, judged, effects);
            } else {
                self.spaces.arrived.insert(space, documents);
                self.open_space(&space, effects);
            }
        }
        self.acknowledge_edited(effects);
        self.begin_directories(effects);
    }

    /// Looks at all documents of a space, if its log says something new about any. `false` if that cannot be known now.
    fn survey(&mut self, space: DocumentId, effects: &mut Vec<Effect>) -> bool {
        let before = self.spaces.surveyed.get(&space).map(|survey| (survey.looked_at, survey.in_all));
        let catalog = self.catalog.clone();
        let judged = self.with_access(&space, |access| {
            let now = (access.operation_count(&space), access.operations_in_all());
            let judged = (!is_silent(access, &space, before)).then(|| places(&catalog, access, &space));
            (now, judged)
        });
        let Some(((looked_at, in_all), judged)) = judged else { return false };
        let survey = self.spaces.surveyed.entry(space).or_default();
        (survey.looked_at, survey.in_all) = (looked_at, in_all);
        if before != Some((looked_at, in_all)) {
            effects.push(Effect::Changed { document: space, authors: Vec::new(), is_own: false });
        }
        if let Some(judged) = judged {
            self.found(space, judged, effects);
        }
        self.ask_for_held_back(&space, effects);
        true
    }

    /// What is to be known of a space is in its log.
    fn open_space(&mut self, space: &DocumentId, effects: &mut Vec<Effect>) {
        if self.catalog.holds(space) && !self.documents.is_open(space) {
            self.load(*space, effects);
        }
    }

    /// Looks into the log of a space that is open and judged.
    fn with_access<T>(&self, space: &DocumentId, look: impl FnOnce(&Access) -> T) -> Option<T> {
        let replica = self.documents.replica(space)?;
        let replica = lock(&replica);
        let access = replica.members().map(crate::replica::Members::access).filter(|access| access.is_settled())?;
        Some(look(access))
    }

    /// Notes where documents stand. Peers are told of those that came to have their place.
    fn found(&mut self, space: DocumentId, judged: Vec<(DocumentId, Place)>, effects: &mut Vec<Effect>) {
        let (mut come, mut gone) = (Vec::new(), Vec::new());
        for (document, place) in judged {
            let is_for_readers = |log: &Log| log.is_durable && (log.is_public || self.key_of_space(log).is_some());
            let is_here = place == Place::Here && self.catalog.log(&document).is_some_and(|log| is_for_readers(&log));
            let survey = self.spaces.surveyed.entry(space).or_default();
            if is_here && survey.here.insert(document) {
                come.push(document);
            } else if !is_here && survey.here.remove(&document) {
                gone.push(document);
            }
        }
        if come.is_empty() && gone.is_empty() {
            return;
        }
        self.announce(&space, &come, &gone, effects);
        effects.push(Effect::Changed { document: space, authors: Vec::new(), is_own: false });
    }

    /// The genesis of a document or log that a peer was asked for, with its key. `None` if it is nothing that this node keeps, or not
    /// now.
    ///
    /// # Errors
    /// It is not what was asked for.
    pub(super) fn read_wanted(
        &mut self,
        connection: ConnectionId,
        document: DocumentId,
        bytes: &[u8],
        effects: &mut Vec<Effect>,
    ) -> Result<Option<Wanted>, ReplyError> {
        let genesis = Genesis::verify_for(document, bytes, &mut self.verifier)
            .map_err(|error| ReplyError::BadTicket(error.to_string()))?;
        if self.is_log_meant(document, genesis.terms().kind) {
            return Ok(Some((Arc::new(genesis), None)));
        }
        let Some(space) = self.asked_for_space(connection, &document) else {
            self.logs.is_of_kind(document, genesis.terms().kind);
            return Ok(None);
        };
        match self.place_of_new(&space, &genesis) {
            Some((Place::Here, key)) => return Ok(Some((Arc::new(genesis), key))),
            Some((place @ (Place::Pending(_) | Place::Masked(_) | Place::Removed(_)), _)) => {
                // What is not known yet of the space may give it its place.
                self.hold_back(connection, &space, (document, matches!(place, Place::Pending(_))));
                self.open_space(&space, effects);
            }
            _ => self.spaces.unfit.0.insert((space, document), ()),
        }
        Ok(None)
    }

    /// Where a document stands that was told of as a space's, and its key. `None` if it is not that space's, or not for its readers.
    fn place_of_new(&self, space: &DocumentId, genesis: &Genesis) -> Option<(Place, Option<ReadKey>)> {
        let terms = genesis.terms();
        if terms.kind != Kind::Document || terms.space != Some(*space) {
            return None;
        }
        let key = self.key_in_space(space, genesis)?;
        let (document, creator, path) = (genesis.id(), genesis.creator(), terms.authority.as_slice());
        let place = |access: &Access| access.places().of(&Addition { document, creator, space: *space, path });
        let place = self.with_access(space, place).unwrap_or(Place::Pending(Vec::new()));
        Some((place, key))
    }

    /// The key of a document as its space's readers know it. The outer `None` says that it is not for them.
    #[expect(clippy::option_option, reason = "a public document has no key and is for all")]
    fn key_in_space(&self, space: &DocumentId, genesis: &Genesis) -> Option<Option<ReadKey>> {
        let of_space = self.catalog.log(space).and_then(|log| log.read_key);
        let key = of_space.map(|key| key.of_document(&genesis.terms().nonce));
        if genesis.is_readable_with(None) {
            return Some(None);
        }
        genesis.is_readable_with(key.as_ref()).then_some(key)
    }

    /// A ticket brought the key of a space whose log alone was followed: it is asked for again, with a proof.
    pub(super) fn leave_unread_space(&mut self, node: &NodeId, space: &DocumentId, effects: &mut Vec<Effect>) {
        let has_key = self.catalog.log(space).is_some_and(|log| log.kind == Kind::Space && log.read_key.is_some());
        let Some((connection, peer)) = self.peers.iter_mut().find(|(_, peer)| peer.node == *node) else { return };
        let Some(topic) = peer.topic_of(space).filter(|_| has_key) else { return };
        if peer.topics.get(&topic).is_some_and(|state| !state.is_reader) {
            peer.forget(topic);
            peer.ended.insert(topic, ());
            effects.push(super::peer::send(*connection, &Message::Leave(topic)));
        }
    }

    /// Whether a document would come again from the peers with whom its space is shared.
    pub(super) fn is_in_followed_space(&self, document: &DocumentId) -> bool {
        let Some(log) = self.catalog.log(document) else { return false };
        let is_for_readers = log.is_public || self.key_of_space(&log).is_some();
        log.addition.is_some_and(|addition| self.catalog.holds(&addition.space)) && is_for_readers
    }

    /// Whether a proof of a space's key opens a document: if its key is drawn from that.
    pub(super) fn key_of_space(&self, log: &Log) -> Option<ReadKey> {
        let addition = log.addition.as_ref()?;
        let of_space = self.catalog.log(&addition.space)?.read_key?;
        (log.read_key.as_ref() == Some(&of_space.of_document(&addition.nonce))).then_some(of_space)
    }
}

/// Whether the operations since then say nothing about where documents stand.
fn is_silent(access: &Access, space: &DocumentId, before: Option<(u32, usize)>) -> bool {
    let Some((looked_at, in_all)) = before else { return false };
    let new = access.operation_count(space).checked_sub(looked_at);
    let is_alone = new.is_some_and(|new| access.operations_in_all().checked_sub(in_all) == Some(new as usize));
    is_alone && access.operations(space, looked_at).all(|signed| signed.op().action.is_of_names())
}
