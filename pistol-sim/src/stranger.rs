//! A stranger who holds a ticket, and what it floods nodes with: frames that are well formed but for what their kind says.

use std::sync::Arc;

use pistol_core::chain::{ChainId, Tip};
use pistol_core::change::{Action, Change, Op, Place, Reference, Scalar};
use pistol_core::envelope::{Envelope, Run};
use pistol_core::id::{AuthorityId, ChangeId, DocumentId, Session};
use pistol_core::key::AuthorKey;
use pistol_engine::limits::WAITING_A_PEER;
use pistol_sync::proto::message::{Head, Heads, Message, Topic};

use crate::chance::Chance;
use crate::user::Made;

/// The number of the document on the stranger's connections: those of a dialler are even.
pub(crate) const TOPIC: Topic = 0;
/// Changes of one envelope that wait for the same.
const TOGETHER: usize = 1000;
/// Letters of a huge change.
const HUGE: usize = 3000;
/// Rival values in one change.
const RIVALS: usize = 40;

/// What the stranger sends, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Changes after one that nobody has.
    Orphans,
    /// More of them than have room.
    TooManyOrphans,
    /// First changes of one chain, each another one.
    Forks,
    /// Each change by an author of its own.
    Puppets,
    /// Values for one key, next to each other.
    Rivals,
    /// Changes of thousands of operations.
    Huge,
    /// Changes whose signature is wrong, by a bit.
    BadSignatures,
    /// Bytes that are no envelope.
    Noise,
    /// One good change.
    Repeats,
    /// Ends of chains that are nowhere.
    Heads,
}

impl Kind {
    pub(crate) fn of(chance: &mut Chance) -> Kind {
        let cheap = [
            Kind::Orphans,
            Kind::Forks,
            Kind::Puppets,
            Kind::Rivals,
            Kind::BadSignatures,
            Kind::Noise,
            Kind::Repeats,
            Kind::Heads,
        ];
        match chance.below(30) {
            0 => Kind::TooManyOrphans,
            1 => Kind::Huge,
            _ => chance.pick(&cheap).unwrap_or(Kind::Noise),
        }
    }

    /// How many frames a flood of the kind has.
    pub(crate) fn frames(self, chance: &mut Chance) -> u64 {
        match self {
            Kind::TooManyOrphans => (WAITING_A_PEER / TOGETHER) as u64 + 2,
            Kind::Huge => 3,
            _ => chance.between(20, 120),
        }
    }
}

/// Frames of one kind, without end.
#[derive(Debug)]
pub(crate) struct Flood<'a> {
    document: &'a Made,
    kind: Kind,
    key: AuthorKey,
    count: u64,
}

impl<'a> Flood<'a> {
    pub(crate) fn new(document: &'a Made, kind: Kind, chance: &mut Chance) -> Self {
        Flood { document, kind, key: AuthorKey::from_seed(&chance.bytes()), count: chance.below(1 << 40) }
    }

    pub(crate) fn next(&mut self, chance: &mut Chance) -> Vec<u8> {
        self.count += 1;
        let nowhere = vec![ChangeId([7; 32])];
        let envelope = match self.kind {
            Kind::Orphans => self.record(self.count, 1, nowhere, self.letters(1), false),
            Kind::TooManyOrphans => self.record(self.count, TOGETHER, nowhere, Vec::new(), false),
            Kind::Forks => self.record(1, 1, Vec::new(), self.letters(1), false),
            Kind::Puppets => {
                self.key = AuthorKey::from_seed(&chance.bytes());
                self.record(1, 1, Vec::new(), self.letters(1), false)
            }
            Kind::Rivals => self.record(self.count, 1, Vec::new(), puts(RIVALS), false),
            Kind::Huge => self.record(self.count, 1, Vec::new(), self.letters(HUGE), false),
            Kind::BadSignatures => self.record(self.count, 1, Vec::new(), self.letters(1), true),
            Kind::Noise => chance.bytes::<80>().to_vec(),
            Kind::Repeats => {
                self.count -= 1;
                self.record(0, 1, Vec::new(), self.letters(1), false)
            }
            Kind::Heads => {
                let head = Head { author: chance.bytes(), session: self.count, seq: 1, link: chance.bytes() };
                return Message::Heads(TOPIC, Heads::all(vec![head; chance.index(8)])).to_frame();
            }
        };
        Message::Envelope(TOPIC, envelope).to_frame()
    }

    fn record(&self, session: u64, changes: usize, deps: Vec<ChangeId>, ops: Vec<Op>, is_forged: bool) -> Vec<u8> {
        let forged = Forged { session, changes, deps, authority: Vec::new(), time_ms: self.count, ops };
        forged.envelope(&self.key, self.document.id(), is_forged)
    }

    fn letters(&self, count: usize) -> Vec<Op> {
        letters(self.document, count)
    }
}

/// A chain from its beginning, under one signature. Its time tells each record from all others.
pub(crate) struct Forged {
    pub(crate) session: u64,
    pub(crate) changes: usize,
    /// What the first change depends on.
    pub(crate) deps: Vec<ChangeId>,
    pub(crate) authority: Vec<AuthorityId>,
    pub(crate) time_ms: u64,
    pub(crate) ops: Vec<Op>,
}

impl Forged {
    pub(crate) fn envelope(self, key: &AuthorKey, document: DocumentId, is_forged: bool) -> Vec<u8> {
        let chain = ChainId { author: key.id(), session: Session(self.session) };
        let base = chain.root(&document);
        let (mut link, mut deps) = (base, self.deps);
        let next = |seq| {
            let change = Change {
                author: chain.author,
                session: chain.session,
                seq,
                deps: std::mem::take(&mut deps),
                authority: self.authority.clone(),
                time_ms: self.time_ms,
                message: None,
                table: Vec::new(),
                ops: self.ops.clone(),
            };
            deps.push(change.id());
            link = link.then(&change.id());
            (0, Arc::new(change))
        };
        let changes: Vec<_> = (1..).take(self.changes).map(next).collect();
        let mut tip = Tip::sign(key, &document, chain.session, changes.len() as u64, link);
        tip.signature.0[0] ^= u8::from(is_forged);
        let run = Run { chain, first_seq: 1, base, withheld: Vec::new(), tip };
        seal(document, run, changes)
    }
}

/// Letters in front of the text that everybody writes, if the document began with one; else values.
pub(crate) fn letters(document: &Made, count: usize) -> Vec<Op> {
    if document.genesis.terms().skeleton.is_empty() {
        return puts(count);
    }
    let letter = Op {
        object: Some(Reference::Skeleton(0)),
        place: Place::After(None),
        action: Action::Put(Scalar::Text("!".to_owned())),
        pred: Vec::new(),
    };
    vec![letter; count]
}

fn seal(document: DocumentId, run: Run, changes: Vec<(usize, Arc<Change>)>) -> Vec<u8> {
    Envelope::new(document, vec![run], changes).map(|envelope| envelope.to_bytes()).unwrap_or_default()
}

fn puts(count: usize) -> Vec<Op> {
    let put = |value| Op {
        object: None,
        place: Place::Key("flood".to_owned()),
        action: Action::Put(Scalar::Uint(value)),
        pred: Vec::new(),
    };
    (0..).take(count).map(put).collect()
}
