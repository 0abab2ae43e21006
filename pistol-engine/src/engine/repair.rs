//! Documents of which something was lost here: peers are asked for it as for anything that is not here, since the heads
//! tell of what is left. Until it has come back nobody is shown a part for the whole, unless the owner of the store wants it.

use std::collections::BTreeMap;

use pistol_core::hash::{Context, hash};
use pistol_core::id::{ChangeId, DocumentId};
use pistol_core::store::schema::{Damage, EndRecord};
use pistol_core::store::{Row, Table, Write};
use pistol_core::validate::Ordinal;
use pistol_sync::proto::heads;
use pistol_sync::proto::message::{Message, Topic};

use super::peer::send;
use super::{Engine, answer, load};
use crate::documents::lock;
use crate::effect::{Effect, Reply, ReplyError};
use crate::input::{ConnectionId, Token};
use crate::limits;
use crate::replica::Source;

/// What was set aside comes from no connection.
const FROM_STORE: ConnectionId = ConnectionId::MAX;

/// The key of a row that was set aside, and the changes in it.
type Aside = (Vec<u8>, Vec<ChangeId>);

#[derive(Debug, Default)]
pub(super) struct Repairs {
    /// Documents of which something is missing; rows that were set aside, and the changes in them.
    aside: BTreeMap<DocumentId, Vec<Aside>>,
    waiting: Vec<Waiting>,
}

/// Somebody waits for a document to be whole.
#[derive(Debug)]
struct Waiting {
    token: Token,
    document: DocumentId,
    deadline_ms: u64,
}

impl Repairs {
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        self.waiting.iter().map(|waiting| waiting.deadline_ms).min()
    }
}

impl Engine {
    /// Answers that a loaded document is open; one of which something is missing, when that has come or will not come.
    pub(super) fn open_or_wait(&mut self, token: Token, document: DocumentId, effects: &mut Vec<Effect>) {
        if self.damage_of(&document).is_none_or(|damage| damage.is_accepted) {
            return effects.push(answer(token, Ok(Reply::Document(document))));
        }
        let deadline_ms = self.now.steady_ms.saturating_add(limits::JOIN_MS);
        self.repairs.waiting.push(Waiting { token, document, deadline_ms });
    }

    fn damage_of(&self, document: &DocumentId) -> Option<Damage> {
        self.documents.replica(document).and_then(|replica| lock(&replica).state.damage)
    }

    /// A document was loaded of which something is missing. What was set aside is given to it like something received: it
    /// waits for what is missing.
    pub(super) fn begin_repair(&mut self, document: DocumentId, rows: Vec<Row>) {
        let mut aside = Vec::new();
        for (key, bytes) in rows {
            // What is damaged in its turn says nothing; its row goes when the document is whole.
            let changes = load::verified(document, &bytes, &mut self.verifier).unwrap_or_default();
            let record = hash(Context::Record, &[document.as_bytes(), &bytes]);
            let source = Source { connection: FROM_STORE, node: self.node, is_dialled: false, record };
            aside.push((key, changes.iter().map(|change| change.id()).collect()));
            self.inbox.entry(document).or_default().extend(changes.into_iter().map(|change| (change, source)));
        }
        self.repairs.aside.insert(document, aside);
    }

    /// Answers those who wait for documents that are whole again, or will not be soon.
    pub(super) fn check_repairs(&mut self, effects: &mut Vec<Effect>) {
        let documents: Vec<DocumentId> = self.repairs.aside.keys().copied().collect();
        documents.into_iter().for_each(|document| self.check_repair(document));
        for waiting in std::mem::take(&mut self.repairs.waiting) {
            let is_over = self.now.steady_ms >= waiting.deadline_ms || !self.may_be_sent(&waiting.document);
            match self.damage_of(&waiting.document) {
                None => effects.push(answer(waiting.token, Ok(Reply::Document(waiting.document)))),
                Some(damage) if is_over => {
                    let reason = self.what_is_missing(&waiting.document, damage);
                    effects.push(answer(waiting.token, Err(ReplyError::Damaged(reason))));
                }
                Some(_) => self.repairs.waiting.push(waiting),
            }
        }
    }

    /// Whether a peer that may hold the document is connected, or being reached for the first time.
    fn may_be_sent(&self, document: &DocumentId) -> bool {
        let is_followed = self.peers.values().any(|peer| peer.topic_of(document).is_some());
        is_followed || self.contacts.is_being_reached(document)
    }

    /// A document is whole when it has as many changes as it had, all that was set aside among them, and is equal with a peer's.
    fn check_repair(&mut self, document: DocumentId) {
        let Some(replica) = self.documents.replica(&document) else { return };
        let Some(damage) = self.damage_of(&document) else { return };
        let aside = self.repairs.aside.get(&document);
        let is_whole = {
            let replica = lock(&replica);
            let history = replica.history();
            let mut aside = aside.into_iter().flatten().flat_map(|(_, ids)| ids);
            replica.rows().end() >= damage.expected && aside.all(|id| history.ordinal(id).is_some())
        };
        if !is_whole || !self.is_equal_with_any(&document) {
            return;
        }
        let mut replica = lock(&replica);
        replica.state.damage = None;
        let log = replica.log();
        let end = EndRecord { end: replica.rows().end(), damage: None, operations: replica.durable_operations() };
        drop(replica);
        let value = Some(end.to_value());
        self.commits.write(Write { table: Table::Ends, key: log.key(), value });
        for (key, _) in self.repairs.aside.remove(&document).unwrap_or_default() {
            self.commits.write(Write { table: Table::Ends, key, value: None });
        }
    }

    fn what_is_missing(&self, document: &DocumentId, damage: Damage) -> String {
        let end = self.documents.replica(document).map_or(1, |replica| lock(&replica).rows().end());
        let missing = damage.expected.saturating_sub(end);
        format!("{missing} of its changes were lost here, and no peer has sent them yet")
    }
}

/// Damaged rows of a document that is open.
impl Engine {
    pub(super) fn has_holes(&self, document: &DocumentId) -> bool {
        self.documents.replica(document).is_some_and(|replica| !lock(&replica).holes().is_empty())
    }

    /// The row of a wanted change cannot be sent: peers are asked for what lies in it.
    pub(super) fn rows_are_damaged(
        &mut self,
        document: DocumentId,
        lost: Option<(Ordinal, Ordinal)>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(((first, last), replica)) = lost.zip(self.documents.replica(&document)) else { return };
        if !lock(&replica).rows_are_damaged(first, last) {
            return;
        }
        let of = |(id, peer): (&ConnectionId, &super::Peer)| Some((*id, peer.topic_of(&document)?));
        let topics: Vec<_> = self.peers.iter().filter_map(of).collect();
        for (connection, topic) in topics {
            if let Some(state) = self.topic_mut(connection, topic) {
                state.is_asked_for_holes = false;
            }
            self.ask_for_holes(connection, topic, effects);
        }
    }

    /// Tells a peer of no more than lies in whole rows, once: so it sends the rest again.
    pub(super) fn ask_for_holes(&mut self, connection: ConnectionId, topic: Topic, effects: &mut Vec<Effect>) {
        let Some(state) = self.topic_mut(connection, topic) else { return };
        if !state.is_following || state.is_asked_for_holes {
            return;
        }
        let document = state.document;
        let Some(replica) = self.documents.replica(&document) else { return };
        let replica = lock(&replica);
        if replica.holes().is_empty() {
            return;
        }
        let heads = heads::heads_of(replica.history(), replica.whole_before());
        let heads = heads::part(&heads, None);
        drop(replica);
        if let Some(state) = self.topic_mut(connection, topic) {
            state.is_asked_for_holes = true;
        }
        effects.push(send(connection, &Message::Heads(topic, heads)));
    }
}
