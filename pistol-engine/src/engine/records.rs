//! Records that came: looked at once. What was refused, or held nothing new, is known again by its hash.
//!
//! The hash covers the whole record with its signatures, and the document for which it came: what is said of a record
//! says nothing of a change in it, so garbage under a good id keeps nobody's change out.

use pistol_core::codec::Malformed;
use pistol_core::envelope::{Envelope, VerifiedChange};
use pistol_core::hash::{Context, hash};
use pistol_core::id::DocumentId;
use pistol_sync::proto::message::Topic;

use super::Engine;
use crate::documents::lock;
use crate::effect::Effect;
use crate::input::ConnectionId;
use crate::replica::{RecordHash, Source};

/// What is remembered of a record.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// Everything in it was accepted.
    Known,
    /// It is refused, for ever.
    Refused(String),
}

/// What a record turned out to be.
enum Record {
    New(Vec<VerifiedChange>),
    Known,
    Refused(String),
    /// Only a later version can read it.
    Unreadable,
}

impl Engine {
    /// An envelope: checked outside any document, then kept for the end of the tick.
    pub(super) fn took_envelope(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        bytes: &[u8],
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let (node, is_dialled) = (peer.node, peer.is_dialled());
        if peer.has_ended(topic) {
            return;
        }
        let Some(state) = peer.topics.get_mut(&topic).filter(|state| state.is_following) else {
            return self.blame(connection, "it sent changes that nobody asked for", effects);
        };
        state.received += 1;
        let document = state.document;
        self.commits.acknowledge_when_stored(connection, topic);
        let record = hash(Context::Record, &[document.as_bytes(), bytes]);
        match self.look_at(document, record, bytes) {
            Record::New(changes) => {
                let source = Source { connection, node, is_dialled, record };
                self.inbox.entry(document).or_default().extend(changes.into_iter().map(|change| (change, source)));
            }
            Record::Known => {}
            Record::Refused(reason) => {
                if let Some(replica) = self.documents.replica(&document) {
                    lock(&replica).state.refuse(&reason);
                }
                self.blame(connection, &reason, effects);
            }
            Record::Unreadable => {
                if let Some(state) = self.topic_mut(connection, topic) {
                    state.unreadable += 1;
                }
                if let Some(replica) = self.documents.replica(&document) {
                    lock(&replica).state.refuse(&Malformed::Version.to_string());
                }
                self.not_kept(document, connection, node);
            }
        }
    }

    /// What was looked at before costs a hash; what is accepted already, no signature.
    fn look_at(&mut self, document: DocumentId, record: RecordHash, bytes: &[u8]) -> Record {
        let has_holes = self.has_holes(&document);
        match self.records.find(&record) {
            Some(Verdict::Known) if has_holes => {}
            Some(Verdict::Known) => return Record::Known,
            Some(Verdict::Refused(reason)) => return Record::Refused(reason.clone()),
            None => {}
        }
        match Envelope::from_bytes(document, bytes) {
            Err(Malformed::Version) => Record::Unreadable,
            Err(error) => self.refuse_record(record, format!("an envelope is malformed: {error}")),
            Ok(envelope) if !has_holes && self.holds_all_of(document, &envelope) => {
                self.records.insert(record, Verdict::Known);
                Record::Known
            }
            Ok(envelope) => match envelope.verify(&mut self.verifier) {
                Ok(verified) => {
                    if let Some(replica) = self.documents.replica(&document) {
                        lock(&replica).keep_received(&verified, bytes);
                    }
                    Record::New(verified.into_changes())
                }
                Err(error) => self.refuse_record(record, error.to_string()),
            },
        }
    }

    fn refuse_record(&mut self, record: RecordHash, reason: String) -> Record {
        self.records.insert(record, Verdict::Refused(reason.clone()));
        Record::Refused(reason)
    }

    fn holds_all_of(&self, document: DocumentId, envelope: &Envelope) -> bool {
        let Some(replica) = self.documents.replica(&document) else { return false };
        let replica = lock(&replica);
        envelope.ids().iter().all(|id| replica.history().ordinal(id).is_some())
    }
}
