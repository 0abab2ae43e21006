//! A desk where authors write: chains with real signatures, and a seeded source of odd but legal changes.

use std::sync::Arc;

use pistol_core::chain::{ChainId, Tip};
use pistol_core::change::{Action, Change, Kind, Mark, Op, Place, Reference, Scalar};
use pistol_core::envelope::{Envelope, Run, Verified, VerifiedChange};
use pistol_core::id::{AuthorityId, ChangeId, DocumentId, Link, Session};
use pistol_core::key::{AuthorKey, Verifier};

pub(crate) const DOCUMENT: DocumentId = DocumentId([0xd0; 32]);

/// A chain that is being written: what is not signed yet.
pub(crate) struct Chain {
    seed: u8,
    key: AuthorKey,
    session: Session,
    link: Link,
    pub(crate) seq: u64,
    pub(crate) last: Option<ChangeId>,
    /// Each with the link before it.
    unsigned: Vec<(Link, Arc<Change>)>,
}

impl Chain {
    pub(crate) fn new(seed: u8, session: u64) -> Self {
        let key = AuthorKey::from_seed(&[seed; 32]);
        let session = Session(session);
        let chain = ChainId { author: key.id(), session };
        Chain { seed, link: chain.root(&DOCUMENT), key, session, seq: 0, last: None, unsigned: Vec::new() }
    }

    /// Another branch of the same chain, from here on.
    pub(crate) fn fork(&self) -> Self {
        Chain { key: AuthorKey::from_seed(&[self.seed; 32]), unsigned: Vec::new(), ..*self }
    }

    /// Writes a change whose direct dependencies are the chain's last change and `others`.
    pub(crate) fn write(&mut self, others: &[ChangeId], time_ms: u64, ops: Vec<Op>) -> ChangeId {
        self.write_like(others, |change| {
            change.time_ms = time_ms;
            change.ops = ops;
        })
    }

    pub(crate) fn write_like(&mut self, others: &[ChangeId], edit: impl FnOnce(&mut Change)) -> ChangeId {
        self.seq += 1;
        let mut deps: Vec<ChangeId> = others.iter().copied().chain(self.last).collect();
        deps.sort_unstable();
        deps.dedup();
        let mut change = Change {
            author: self.key.id(),
            session: self.session,
            seq: self.seq,
            deps,
            authority: Vec::new(),
            time_ms: 0,
            message: None,
            table: Vec::new(),
            ops: Vec::new(),
        };
        edit(&mut change);
        let id = change.id();
        self.unsigned.push((self.link, Arc::new(change)));
        self.link = self.link.then(&id);
        self.last = Some(id);
        id
    }

    /// Signs what was written since the last time.
    pub(crate) fn sign(&mut self) -> Vec<VerifiedChange> {
        let unsigned = std::mem::take(&mut self.unsigned);
        let Some((base, first)) = unsigned.first() else { return Vec::new() };
        let tip = Tip::sign(&self.key, &DOCUMENT, self.session, self.seq, self.link);
        let chain = ChainId { author: self.key.id(), session: self.session };
        let run = Run { chain, first_seq: first.seq, base: *base, withheld: Vec::new(), tip };
        let changes = unsigned.iter().map(|(_, change)| (0, Arc::clone(change))).collect();
        let envelope = Envelope::new(DOCUMENT, vec![run], changes).unwrap();
        envelope.verify(&mut Verifier::default()).unwrap().into_changes()
    }
}

/// Seals the signed changes of several chains in the order in which they were written.
pub(crate) fn seal(order: &[ChangeId], changes: Vec<VerifiedChange>) -> Envelope {
    let mut changes = changes;
    changes.sort_by_key(|change| order.iter().position(|id| *id == change.id()));
    Verified::seal(DOCUMENT, &changes)
}

/// An operation that types a character.
pub(crate) fn typed(after: Option<Reference>, character: &str) -> Op {
    Op {
        object: Some(Reference::Skeleton(0)),
        place: Place::After(after),
        action: Action::Put(Scalar::Text(character.into())),
        pred: Vec::new(),
    }
}

/// An operation that deletes an element.
pub(crate) fn deleted(element: Reference) -> Op {
    Op { object: Some(Reference::Skeleton(0)), place: Place::At(element), action: Action::Delete, pred: vec![element] }
}

/// An operation that puts a value at a key of the root map.
pub(crate) fn put(key: &str, value: Scalar) -> Op {
    Op { object: None, place: Place::Key(key.into()), action: Action::Put(value), pred: Vec::new() }
}

/// A seeded source of numbers (splitmix64).
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// A number of any magnitude.
    pub(crate) fn number(&mut self) -> u64 {
        let shift = self.below(64);
        self.next() >> shift
    }

    fn number32(&mut self) -> u32 {
        u32::try_from(self.number() >> 32).unwrap()
    }

    fn signed(&mut self) -> i64 {
        self.number().cast_signed().wrapping_neg()
    }

    fn bytes32(&mut self) -> [u8; 32] {
        std::array::from_fn(|_| self.next().to_le_bytes()[0])
    }

    pub(crate) fn some<T: Copy>(&mut self, list: &[T], most: usize) -> Vec<T> {
        if list.is_empty() {
            return Vec::new();
        }
        (0..self.below(most + 1)).map(|_| list[self.below(list.len())]).collect()
    }

    fn text(&mut self, most: usize) -> String {
        const LETTERS: [char; 8] = ['a', 'b', ' ', 'é', 'ж', '字', '😀', '\0'];
        (0..self.below(most + 1)).map(|_| LETTERS[self.below(8)]).collect()
    }

    fn reference(&mut self) -> Reference {
        match self.below(5) {
            0 => Reference::Skeleton(self.number32()),
            1 => Reference::Entry(u32::try_from(self.below(1024)).unwrap(), self.number32()),
            2 => Reference::Own(self.number32()),
            _ => Reference::Own(u32::try_from(self.below(20)).unwrap()),
        }
    }

    fn scalar(&mut self) -> Scalar {
        match self.below(10) {
            0 => Scalar::Null,
            1 => Scalar::Bool(self.below(2) == 0),
            2 => Scalar::Int(self.signed()),
            3 => Scalar::Uint(self.next()),
            4 => Scalar::Float(self.next()),
            5 => Scalar::Bytes(self.text(5).into_bytes()),
            6 => Scalar::Timestamp(self.signed()),
            7 => Scalar::Counter(self.signed()),
            _ => Scalar::Text(self.text(4)),
        }
    }

    /// Any operation that has a canonical form, whether it makes sense or not.
    pub(crate) fn op(&mut self) -> Op {
        let place = match self.below(4) {
            0 => Place::Key(self.text(2)),
            1 => Place::At(self.reference()),
            2 => Place::After(None),
            _ => Place::After(Some(self.reference())),
        };
        let action = match self.below(10) {
            0 => Action::Make([Kind::Map, Kind::List, Kind::Text][self.below(3)]),
            1 => Action::Delete,
            2 => Action::Increment(self.signed()),
            3 => Action::MarkEnd { expand: self.below(2) == 0 },
            4 => {
                let (name, value, expand) = (self.text(2), self.scalar(), self.below(2) == 0);
                Action::MarkBegin(Box::new(Mark { name, value, expand }))
            }
            _ => Action::Put(self.scalar()),
        };
        let mut pred: Vec<Reference> = (0..self.below(3)).map(|_| self.reference()).collect();
        if let Place::At(element) = place
            && self.below(2) == 0
        {
            pred = vec![element];
        }
        pred.sort_unstable();
        pred.dedup();
        let object = (self.below(3) > 0).then(|| self.reference());
        Op { object, place, action, pred }
    }

    /// Fills in a change with anything that has a canonical form.
    pub(crate) fn fill(&mut self, change: &mut Change, known: &[ChangeId]) {
        change.time_ms = if self.below(2) == 0 { self.number() } else { 1000 };
        change.message = (self.below(3) == 0).then(|| self.text(2));
        if self.below(4) == 0 {
            change.authority = (0..self.below(5)).map(|_| AuthorityId([7; 32])).collect();
        }
        if self.below(3) == 0 {
            change.table = self.some(known, 3);
            change.table.extend((0..self.below(3)).map(|_| ChangeId(self.bytes32())));
            change.table.sort_unstable();
            change.table.dedup();
        }
        if self.below(8) == 0 {
            let room = 64 - change.deps.len();
            change.deps.extend((0..room).map(|_| ChangeId(self.bytes32())));
            change.deps.sort_unstable();
        }
        change.ops = (0..self.below(8)).map(|_| self.op()).collect();
    }
}

/// Any envelope: several authors and chains, forks, changes that are left out at either end, odd operations.
pub(crate) fn any_envelope(seed: u64) -> Envelope {
    let mut seed = Seed(seed);
    let mut chains: Vec<Chain> =
        (0..=seed.below(4)).map(|index| Chain::new(u8::try_from(index / 2).unwrap(), index as u64)).collect();
    let mut order = Vec::new();
    let mut signed = Vec::new();
    for _ in 0..=seed.below(40) {
        let count = chains.len();
        let at = seed.below(count);
        let known = seed.some(&order, 2);
        let id = chains[at].write_like(&known, |change| seed.fill(change, &order));
        order.push(id);
        if seed.below(10) == 0 {
            signed.extend(chains[at].sign());
            if seed.below(3) == 0 {
                chains.push(chains[at].fork());
            }
        }
    }
    for chain in chains.iter_mut().filter(|chain| !chain.unsigned.is_empty()) {
        signed.extend(chain.sign());
    }
    signed.sort_by_key(|change| order.iter().position(|id| *id == change.id()));
    let first = seed.below(signed.len());
    let last = first + seed.below(signed.len() - first);
    Verified::seal(DOCUMENT, &signed[first..=last])
}
