//! Envelopes: changes in causal order with the signed tips of their chains. Changes travel and rest in nothing else.
//!
//! Architecture Invariant: `Envelope` -> `Verified`. The changes inside are out of reach until every tip was checked.

mod columns;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::chain::{ChainId, Tip};
use crate::change::Change;
use crate::codec::{Malformed, Writer};
use crate::hash::{Context, Hasher};
use crate::id::{ChangeId, DocumentId, Link, Session};
use crate::key::{AuthorKey, Verifier};
use crate::limits::SIGNED_MAX;
#[cfg(feature = "redb")]
pub(crate) use columns::loose::{loosened, tightened};

/// A stretch of one chain inside an envelope, and the signature that covers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The chain.
    pub chain: ChainId,
    /// Place of its first change in the envelope, from 1.
    pub first_seq: u64,
    /// The link before that change.
    pub base: Link,
    /// Ids of changes after the last one in the envelope, up to the tip: their bodies are withheld.
    pub withheld: Vec<ChangeId>,
    /// The tip, at or beyond the last change.
    pub tip: Tip,
}

/// An envelope as it was received: well formed, not yet checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    document: DocumentId,
    runs: Vec<Run>,
    /// In causal order.
    changes: Vec<Entry>,
}

/// A change in an envelope.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    /// Index of its run.
    run: usize,
    change: Arc<Change>,
    id: ChangeId,
    /// How long its canonical form is.
    bytes: usize,
}

/// An envelope cannot be made of these parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "each run must be consecutive changes of its own chain with a tip right after the withheld ones; a signature covers 1000"
)]
pub struct NotAnEnvelope;

/// An envelope was refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A tip's link is not that of the changes under it.
    #[error("the changes are not those that the author signed; ask another peer for them")]
    Link,
    /// A tip's signature is not the author's.
    #[error("the signature is not the author's; ask another peer for the changes")]
    Signature,
}

impl Envelope {
    /// Puts an envelope together.
    ///
    /// # Errors
    /// [`NotAnEnvelope`] if a run is empty, not consecutive, of another chain, or its tip is not where it must be or covers too
    /// many changes.
    pub fn new(
        document: DocumentId,
        runs: Vec<Run>,
        changes: Vec<(usize, Arc<Change>)>,
    ) -> Result<Self, NotAnEnvelope> {
        let mut writer = Writer::new();
        let identify = |(run, change): (usize, Arc<Change>)| {
            let (id, bytes) = identify(&change, &mut writer);
            Entry { run, change, id, bytes }
        };
        Envelope::of(document, runs, changes.into_iter().map(identify).collect())
    }

    fn of(document: DocumentId, runs: Vec<Run>, changes: Vec<Entry>) -> Result<Self, NotAnEnvelope> {
        let mut next: Vec<u64> = runs.iter().map(|run| run.first_seq).collect();
        for Entry { run, change, .. } in &changes {
            let (Some(run), Some(seq)) = (runs.get(*run), next.get_mut(*run)) else {
                return Err(NotAnEnvelope);
            };
            let is_next =
                change.seq == *seq && change.author == run.chain.author && change.session == run.chain.session;
            *seq = seq.checked_add(1).filter(|_| is_next).ok_or(NotAnEnvelope)?;
        }
        for (run, next) in runs.iter().zip(next) {
            let is_empty = next == run.first_seq;
            // Whatever part of a run is sent on alone, what it must name of the rest then fits an envelope too.
            let covered = (next - run.first_seq).saturating_add(run.withheld.len() as u64);
            if is_empty
                || run.first_seq == 0
                || covered > SIGNED_MAX as u64
                || next.checked_add(run.withheld.len() as u64) != run.tip.seq.checked_add(1)
            {
                return Err(NotAnEnvelope);
            }
        }
        Ok(Envelope { document, runs, changes })
    }

    /// How many signatures it carries: one for each run.
    pub fn signatures(&self) -> usize {
        self.runs.len()
    }

    /// The bytes that travel and rest.
    pub fn to_bytes(&self) -> Vec<u8> {
        columns::encode(&self.runs, &self.changes)
    }

    /// Reads an envelope of a document, which its bytes do not name: signatures cover it, so one of another document does not
    /// pass [`Envelope::verify`]. Sizes are bounded by [`crate::limits`] before anything is allocated.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not an envelope of this version.
    pub fn from_bytes(document: DocumentId, bytes: &[u8]) -> Result<Self, Malformed> {
        let (runs, changes) = columns::decode(&document, bytes)?;
        Envelope::of(document, runs, changes).map_err(|NotAnEnvelope| Malformed::Order)
    }

    /// Where the keys of authors lie in the bytes of an envelope, ascending. Nothing is checked: there may be none, and none
    /// need be a key that anybody could use.
    pub fn author_places(bytes: &[u8]) -> Vec<usize> {
        columns::author_places(bytes)
    }

    /// The ids of the changes, for recognising duplicates before any signature is checked.
    pub fn ids(&self) -> Vec<ChangeId> {
        self.changes.iter().map(|entry| entry.id).collect()
    }

    /// Checks every tip: the only way to the changes inside.
    ///
    /// # Errors
    /// [`VerifyError`]; the envelope is then refused as a whole, and says nothing about the changes it named.
    pub fn verify(self, verifier: &mut Verifier) -> Result<Verified, VerifyError> {
        let covers = self.covers();
        for (run, cover) in self.runs.iter().zip(&covers) {
            if cover.links.last() != Some(&run.tip.link) {
                return Err(VerifyError::Link);
            }
            if !run.tip.is_signed(verifier, &self.document, &run.chain) {
                return Err(VerifyError::Signature);
            }
        }
        Ok(Verified::of(self, covers))
    }

    /// For each run, the ids up to its tip with their links.
    fn covers(&self) -> Vec<Cover> {
        let mut covers: Vec<Vec<ChangeId>> = self.runs.iter().map(|_| Vec::new()).collect();
        for entry in &self.changes {
            if let Some(run) = covers.get_mut(entry.run) {
                run.push(entry.id);
            }
        }
        let cover = |(run, mut ids): (&Run, Vec<ChangeId>)| {
            ids.extend_from_slice(&run.withheld);
            let next = |link: &mut Link, id: &ChangeId| {
                *link = link.then(id);
                Some(*link)
            };
            let links = ids.iter().scan(run.base, next).collect();
            Cover { first_seq: run.first_seq, base: run.base, ids, links, tip: run.tip }
        };
        self.runs.iter().zip(covers).map(cover).collect()
    }
}

/// The id of a change and the length of its canonical form, for which the writer lends its room.
fn identify(change: &Change, writer: &mut Writer) -> (ChangeId, usize) {
    let (mut hasher, mut bytes) = (Hasher::new(Context::Change), 0);
    change.write_in_parts(writer, |part| {
        hasher.add(part);
        bytes += part.len();
    });
    (ChangeId(hasher.finish()), bytes)
}

/// A stretch of a chain that one signature covers.
#[derive(Debug)]
struct Cover {
    first_seq: u64,
    base: Link,
    ids: Vec<ChangeId>,
    links: Vec<Link>,
    tip: Tip,
}

/// A change at its place in a chain.
#[derive(Clone, Debug)]
pub struct Linked {
    change: Arc<Change>,
    id: ChangeId,
    bytes: usize,
    base: Link,
    link: Link,
}

impl Linked {
    /// Puts a change of this node's own after `base`; what others send gets its place by verification alone.
    pub(crate) fn after(base: Link, change: Change) -> Self {
        let (id, bytes) = identify(&change, &mut Writer::new());
        Linked { change: Arc::new(change), id, bytes, base, link: base.then(&id) }
    }

    /// A change at the place at which the history holds it.
    pub(crate) fn placed(change: Arc<Change>, id: ChangeId, bytes: usize, base: Link, link: Link) -> Self {
        Linked { change, id, bytes, base, link }
    }

    fn entry(&self, run: usize) -> Entry {
        Entry { run, change: Arc::clone(&self.change), id: self.id, bytes: self.bytes }
    }

    /// The change.
    pub fn change(&self) -> &Arc<Change> {
        &self.change
    }

    /// Its id.
    pub fn id(&self) -> ChangeId {
        self.id
    }

    /// How long its canonical form is.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// About how many bytes it adds to an envelope.
    pub fn weight(&self) -> usize {
        let predicted = 80 + 32 * self.change.deps.len();
        self.bytes.saturating_sub(predicted).max(4)
    }

    /// The link before it.
    pub fn base(&self) -> Link {
        self.base
    }

    /// The link after it.
    pub fn link(&self) -> Link {
        self.link
    }

    /// Its chain.
    pub fn chain(&self) -> ChainId {
        ChainId { author: self.change.author, session: self.change.session }
    }
}

/// A change that its author provably wrote for this document, at this place of this chain.
#[derive(Clone, Debug)]
pub struct VerifiedChange {
    linked: Linked,
    cover: Arc<Cover>,
    /// Place in the cover.
    index: usize,
}

impl std::ops::Deref for VerifiedChange {
    type Target = Linked;

    fn deref(&self) -> &Linked {
        &self.linked
    }
}

impl VerifiedChange {
    /// How many changes lie between this one and the signature that covers it: an envelope that ends here names them.
    pub fn unsigned_after(&self) -> usize {
        self.cover.ids.len().saturating_sub(self.index + 1)
    }

    /// Bytes that it takes in memory, without what it shares with others under the same signature.
    pub fn memory(&self) -> usize {
        let change = self.linked.change();
        let predecessors: usize = change.ops.iter().map(|op| size_of_val(op.pred.as_slice())).sum();
        size_of::<Self>() + size_of::<Change>() + self.linked.bytes + size_of_val(change.ops.as_slice()) + predecessors
    }

    /// What it shares with others under the same signature: a number that is the same for all of them while any of them
    /// lives, and the bytes that it takes in memory.
    pub fn shared(&self) -> (usize, usize) {
        let bytes =
            size_of::<Cover>() + size_of_val(self.cover.ids.as_slice()) + size_of_val(self.cover.links.as_slice());
        (Arc::as_ptr(&self.cover).addr(), bytes)
    }

    /// The stretch from `first` to this change, with the tip that covers it.
    fn run_from(&self, first: &VerifiedChange) -> Run {
        Run {
            chain: self.chain(),
            first_seq: first.change().seq,
            base: first.base(),
            withheld: self.cover.ids.get(self.index + 1..).unwrap_or_default().to_vec(),
            tip: self.cover.tip,
        }
    }
}

/// The changes of an envelope whose every tip was checked.
#[derive(Clone, Debug)]
pub struct Verified {
    document: DocumentId,
    changes: Vec<VerifiedChange>,
}

impl Verified {
    /// The document.
    pub fn document(&self) -> DocumentId {
        self.document
    }

    /// The changes, in causal order.
    pub fn changes(&self) -> &[VerifiedChange] {
        &self.changes
    }

    /// The changes, in causal order.
    pub fn into_changes(self) -> Vec<VerifiedChange> {
        self.changes
    }

    /// Signs changes made here, consecutive in one chain of the key's: one signature for all of them.
    ///
    /// # Errors
    /// [`NotAnEnvelope`] if they are not consecutive, not the key's, or more than [`SIGNED_MAX`].
    pub fn sign(key: &AuthorKey, document: DocumentId, unsigned: &[Linked]) -> Result<Self, NotAnEnvelope> {
        let (first, last) = unsigned.first().zip(unsigned.last()).ok_or(NotAnEnvelope)?;
        let session: Session = first.change.session;
        let tip = Tip::sign(key, &document, session, last.change.seq, last.link);
        let chain = ChainId { author: key.id(), session };
        let run = Run { chain, first_seq: first.change.seq, base: first.base, withheld: Vec::new(), tip };
        let changes = unsigned.iter().map(|linked| linked.entry(0)).collect();
        let envelope = Envelope::of(document, vec![run], changes)?;
        let covers = envelope.covers();
        Ok(Verified::of(envelope, covers))
    }

    /// Lets one new signature, at the last of them, cover the changes of one of the key's chains among these, which are in
    /// causal order: an author may sign any place of its chain. They are left as they are if a signature ends there, or if
    /// they do not follow each other.
    pub fn sign_again(
        key: &AuthorKey,
        document: DocumentId,
        chain: ChainId,
        changes: &[VerifiedChange],
    ) -> Vec<VerifiedChange> {
        let is_own = |change: &&VerifiedChange| change.chain() == chain;
        let own = changes.iter().filter(is_own).map(|change| change.linked.clone()).collect::<Vec<Linked>>();
        let is_signed = changes.iter().rfind(is_own).is_none_or(|last| last.unsigned_after() == 0);
        let follow = own.iter().zip(own.iter().skip(1)).all(|(one, next)| one.link == next.base);
        let again = if is_signed || !follow || key.id() != chain.author {
            None
        } else {
            Verified::sign(key, document, &own).ok()
        };
        let mut again = again.into_iter().flat_map(Verified::into_changes);
        let next = |change: &VerifiedChange| if is_own(&change) { again.next() } else { None };
        let mut next = next;
        changes.iter().map(|change| next(change).unwrap_or_else(|| change.clone())).collect()
    }

    /// Puts verified changes, in causal order, into one envelope: each stretch of a chain with the tip that covers it.
    pub fn seal(document: DocumentId, changes: &[VerifiedChange]) -> Envelope {
        let mut runs: Vec<(&VerifiedChange, &VerifiedChange)> = Vec::new();
        let mut open: BTreeMap<(ChainId, Link), usize> = BTreeMap::new();
        let mut sealed = Vec::with_capacity(changes.len());
        for change in changes {
            let index = open.remove(&(change.chain(), change.base())).unwrap_or(runs.len());
            match runs.get_mut(index) {
                Some((_, last)) => *last = change,
                None => runs.push((change, change)),
            }
            open.insert((change.chain(), change.link()), index);
            sealed.push(change.entry(index));
        }
        let runs = runs.into_iter().map(|(first, last)| last.run_from(first)).collect();
        Envelope { document, runs, changes: sealed }
    }

    fn of(envelope: Envelope, covers: Vec<Cover>) -> Self {
        let covers: Vec<Arc<Cover>> = covers.into_iter().map(Arc::new).collect();
        let verified = |Entry { run, change, id, bytes }: Entry| {
            let cover = covers.get(run)?;
            let index = usize::try_from(change.seq.checked_sub(cover.first_seq)?).ok()?;
            let link = *cover.links.get(index)?;
            let base = index.checked_sub(1).map_or(Some(cover.base), |before| cover.links.get(before).copied())?;
            let linked = Linked { change, id, bytes, base, link };
            Some(VerifiedChange { linked, cover: Arc::clone(cover), index })
        };
        let document = envelope.document;
        Verified { document, changes: envelope.changes.into_iter().filter_map(verified).collect() }
    }
}
