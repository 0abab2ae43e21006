//! What a flood is made of: frames, each well formed but for what its kind says.

use std::collections::VecDeque;
use std::sync::Arc;

use pistol::DocumentId;
use pistol::hostile::Message;
use pistol_core::chain::{ChainId, Tip};
use pistol_core::change::{Action, Change, Kind as Made, Op, Place, Reference, Scalar};
use pistol_core::envelope::{Envelope, Run};
use pistol_core::id::{ChangeId, Session};
use pistol_core::key::AuthorKey;

use super::Kind;
use crate::Outcome;

/// The number of the document on the stranger's connections.
const TOPIC: u32 = 0;
/// Characters of a huge change.
const HUGE: u32 = 50_000;
/// Rival values in one change.
const RIVALS: usize = 200;
/// Frames made before the flood begins, more than fit the windows of a connection: to make them would take the processor
/// from those that are measured.
const AHEAD: usize = 30_000;
/// The same of huge ones, a minute's work.
const AHEAD_HUGE: usize = 6_000;

/// Frames without end.
pub(super) struct Records {
    document: DocumentId,
    kind: Kind,
    key: AuthorKey,
    count: u64,
    repeated: Vec<u8>,
    ahead: VecDeque<Vec<u8>>,
}

impl Records {
    pub(super) fn new(document: DocumentId, kind: Kind) -> Outcome<Records> {
        let key = AuthorKey::from_seed(&[9; 32]);
        let mut records = Records { document, kind, key, count: 0, repeated: Vec::new(), ahead: VecDeque::new() };
        records.repeated = records.envelope(Session(0), Vec::new(), vec![put("k", 0)], false)?;
        let ahead = if kind == Kind::HugeChanges { AHEAD_HUGE } else { AHEAD };
        records.ahead = std::iter::repeat_with(|| records.make()).take(ahead).collect();
        Ok(records)
    }

    pub(super) fn next(&mut self) -> Vec<u8> {
        self.ahead.pop_front().unwrap_or_else(|| self.make())
    }

    fn make(&mut self) -> Vec<u8> {
        self.count += 1;
        let made = match self.kind {
            Kind::Orphans => self.envelope(Session(self.count), vec![ChangeId([7; 32])], vec![put("k", 0)], false),
            Kind::Forks => self.envelope(Session(1), Vec::new(), vec![put("k", 0)], false),
            Kind::BadSignatures => self.envelope(Session(self.count), Vec::new(), vec![put("k", 0)], true),
            Kind::Malformed => Ok(Message::Envelope(TOPIC, [vec![1], noise(self.count)].concat()).to_frame()),
            Kind::Puppets => {
                let mut seed = [5; 32];
                seed[..8].copy_from_slice(&self.count.to_le_bytes());
                self.key = AuthorKey::from_seed(&seed);
                self.envelope(Session(1), Vec::new(), vec![put("k", 0)], false)
            }
            Kind::RivalPuts => {
                let puts = (0..RIVALS).map(|number| put("k", number)).collect();
                self.envelope(Session(self.count), Vec::new(), puts, false)
            }
            Kind::HugeChanges => self.envelope(Session(self.count), Vec::new(), huge(), false),
            Kind::Repeats => Ok(self.repeated.clone()),
        };
        made.unwrap_or_default()
    }

    /// A change that begins a chain; its time tells it from all others.
    fn envelope(&self, session: Session, deps: Vec<ChangeId>, ops: Vec<Op>, is_forged: bool) -> Outcome<Vec<u8>> {
        let author = self.key.id();
        let (authority, message, table, time_ms) = (Vec::new(), None, Vec::new(), self.count);
        let change = Change { author, session, seq: 1, deps, authority, time_ms, message, table, ops };
        let chain = ChainId { author, session };
        let base = chain.root(&self.document);
        let mut tip = Tip::sign(&self.key, &self.document, session, 1, base.then(&change.id()));
        tip.signature.0[0] ^= u8::from(is_forged);
        let run = Run { chain, first_seq: 1, base, withheld: Vec::new(), tip };
        let envelope = Envelope::new(self.document, vec![run], vec![(0, Arc::new(change))])?;
        Ok(Message::Envelope(TOPIC, envelope.to_bytes()).to_frame())
    }
}

fn put(key: &str, value: usize) -> Op {
    let action = Action::Put(Scalar::Uint(value as u64));
    Op { object: None, place: Place::Key(key.to_owned()), action, pred: Vec::new() }
}

/// A text of its own, and many characters in it.
fn huge() -> Vec<Op> {
    let make =
        Op { object: None, place: Place::Key("huge".to_owned()), action: Action::Make(Made::Text), pred: Vec::new() };
    let character = |number| Op {
        object: Some(Reference::Own(0)),
        place: Place::After((number > 1).then(|| Reference::Own(number - 1))),
        action: Action::Put(Scalar::Text("x".to_owned())),
        pred: Vec::new(),
    };
    std::iter::once(make).chain((1..HUGE).map(character)).collect()
}

fn noise(seed: u64) -> Vec<u8> {
    let next = |number: &u64| Some(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    std::iter::successors(next(&seed), next).take(1000).map(|number| number.to_be_bytes()[0]).collect()
}
