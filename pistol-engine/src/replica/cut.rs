//! Where changes are cut into envelopes: few signatures, and few names of changes that lie elsewhere.

use std::collections::BTreeMap;

use pistol_core::chain::ChainId;
use pistol_core::envelope::{Linked, VerifiedChange};
use pistol_core::id::Link;
use pistol_core::limits::{ENVELOPE_CHAINS_MAX, ENVELOPE_OPERATIONS_MAX};

use crate::limits::{ROW_WEIGHT, TAIL_CHANGES};

/// What a change that is only named adds to an envelope, in bytes.
const NAME_WEIGHT: usize = 32;

/// Cuts own changes, consecutive in one chain, into stretches that get one signature and fit one envelope.
pub(super) fn stretches(changes: &[Linked]) -> impl Iterator<Item = &[Linked]> {
    pieces(changes, stretch_length)
}

/// Cuts changes into rows of one envelope each. Those of the `own` chain can be signed anywhere.
pub(crate) fn rows(changes: &[VerifiedChange], own: Option<ChainId>) -> impl Iterator<Item = &[VerifiedChange]> {
    pieces(changes, move |changes| row_length(changes, own))
}

/// Whether a row is as long as it should get.
pub(super) fn is_full(row: &[VerifiedChange], own: Option<ChainId>) -> bool {
    is_enough(row.len(), weight(row), row.last().is_some_and(|last| Some(last.chain()) == own))
}

/// One that ends with another author's signature may be cut there for good, so half of it is enough.
fn is_enough(changes: usize, weight: usize, is_last_own: bool) -> bool {
    let least = if is_last_own { TAIL_CHANGES } else { TAIL_CHANGES / 2 };
    changes >= least || weight * 2 >= ROW_WEIGHT
}

/// About how many bytes an envelope of these changes takes.
pub(super) fn weight(changes: &[VerifiedChange]) -> usize {
    changes.iter().map(|change| change.weight()).sum()
}

fn pieces<T>(changes: &[T], length: impl Fn(&[T]) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = changes;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at_checked(length(rest)).filter(|(piece, _)| !piece.is_empty())?;
        rest = after;
        Some(piece)
    })
}

fn stretch_length(changes: &[Linked]) -> usize {
    let mut size = Size::default();
    changes.iter().take(TAIL_CHANGES).take_while(|change| size.add(change)).count().max(1).min(changes.len())
}

/// How many of the first changes fit one envelope: at least one.
fn row_length(changes: &[VerifiedChange], own: Option<ChainId>) -> usize {
    let mut row = Row::new(own);
    changes.iter().take_while(|change| row.add(change)).count();
    row.length().min(changes.len())
}

/// A row to which changes are added. It ends where signatures do, if it can: else the changes between its last one and the
/// signature must be named, and the next envelope carries the signature again.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Its changes can be signed anywhere.
    own: Option<ChainId>,
    size: Size,
    count: usize,
    is_last_own: bool,
    /// Of each run how many changes lie between its last one here and the signature.
    runs: BTreeMap<(ChainId, Link), usize>,
    named: usize,
    /// How many changes end where all signatures do, and how many leave room for the names of others.
    whole: usize,
    fitting: usize,
    is_over: bool,
}

impl Row {
    pub(super) fn new(own: Option<ChainId>) -> Self {
        let (size, runs) = (Size::default(), BTreeMap::new());
        Row { own, size, count: 0, is_last_own: false, runs, named: 0, whole: 0, fitting: 0, is_over: false }
    }

    pub(super) fn is_of(&self, own: Option<ChainId>) -> bool {
        self.own == own
    }

    /// Adds a change; whether another may fit after it.
    pub(super) fn add(&mut self, change: &VerifiedChange) -> bool {
        self.is_over |= self.count >= TAIL_CHANGES;
        if self.is_over {
            return false;
        }
        self.count += 1;
        self.is_last_own = Some(change.chain()) == self.own;
        self.named -= self.runs.remove(&(change.chain(), change.base())).unwrap_or(0);
        let unsigned = if self.is_last_own { 0 } else { change.unsigned_after() };
        self.named += unsigned;
        self.runs.insert((change.chain(), change.link()), unsigned);
        self.is_over = !self.size.add(change) || self.runs.len() > ENVELOPE_CHAINS_MAX;
        if self.is_over {
            return false;
        }
        if self.named == 0 {
            self.whole = self.count;
        }
        if self.size.weight + self.named * NAME_WEIGHT <= ROW_WEIGHT {
            self.fitting = self.count;
        }
        true
    }

    fn length(&self) -> usize {
        [self.whole, self.fitting].into_iter().find(|count| *count > 0).unwrap_or(1)
    }

    /// Whether all that was added fits one envelope and leaves room for more.
    pub(super) fn has_room(&self) -> bool {
        !self.is_over
            && self.length().min(self.count) == self.count
            && !is_enough(self.count, self.size.weight, self.is_last_own)
    }
}

/// What changes in one envelope come to.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    weight: usize,
    operations: usize,
}

impl Size {
    /// Adds a change; whether all of them still fit.
    fn add(&mut self, change: &Linked) -> bool {
        self.weight += change.weight();
        self.operations += change.change().ops.len();
        self.weight <= ROW_WEIGHT && self.operations <= ENVELOPE_OPERATIONS_MAX
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pistol_core::chain::Tip;
    use pistol_core::change::Change;
    use pistol_core::envelope::{Envelope, Run, Verified};
    use pistol_core::id::{DocumentId, Session};
    use pistol_core::key::{AuthorKey, Verifier};

    use super::*;

    const DOCUMENT: DocumentId = DocumentId([7; 32]);

    /// A chain, signed after each of these counts of changes.
    fn signed(counts: &[u64]) -> Vec<VerifiedChange> {
        let (key, session) = (AuthorKey::from_seed(&[1; 32]), Session(1));
        let chain = ChainId { author: key.id(), session };
        let (mut seq, mut link, mut deps, mut all) = (0, chain.root(&DOCUMENT), Vec::new(), Vec::new());
        for count in counts {
            let (base, first_seq, mut changes) = (link, seq + 1, Vec::new());
            for _ in 0..*count {
                seq += 1;
                let (author, authority, table, ops) = (key.id(), Vec::new(), Vec::new(), Vec::new());
                let change = Change { author, session, seq, deps, authority, time_ms: 0, message: None, table, ops };
                let id = change.id();
                (deps, link) = (vec![id], link.then(&id));
                changes.push((0, Arc::new(change)));
            }
            let tip = Tip::sign(&key, &DOCUMENT, session, seq, link);
            let run = Run { chain, first_seq, base, withheld: Vec::new(), tip };
            let envelope = Envelope::new(DOCUMENT, vec![run], changes).unwrap();
            all.extend(envelope.verify(&mut Verifier::default()).unwrap().into_changes());
        }
        all
    }

    fn lengths(changes: &[VerifiedChange]) -> Vec<usize> {
        rows(changes, None).map(<[VerifiedChange]>::len).collect()
    }

    #[test]
    fn a_row_ends_where_a_signature_does() {
        assert_eq!(lengths(&signed(&[531, 1000, 515, 3])), [531, 1000, 518]);
        assert_eq!(lengths(&signed(&[1; 1500])), [1000, 500]);
    }

    #[test]
    fn a_row_of_own_changes_is_as_long_as_it_can_be_and_gets_one_signature() {
        let (key, changes) = (AuthorKey::from_seed(&[1; 32]), signed(&[531, 1000, 515, 3]));
        let chain = changes[0].chain();
        assert_eq!(rows(&changes, Some(chain)).map(<[VerifiedChange]>::len).collect::<Vec<_>>(), [1000, 1000, 49]);
        for row in rows(&changes, Some(chain)) {
            let again = Verified::sign_again(&key, DOCUMENT, chain, row);
            assert!(again.iter().map(|change| change.id()).eq(row.iter().map(|change| change.id())));
            assert_eq!(again.last().unwrap().unsigned_after(), 0);
            let envelope = Envelope::from_bytes(DOCUMENT, &Verified::seal(DOCUMENT, &again).to_bytes()).unwrap();
            assert_eq!(envelope.signatures(), 1);
            assert!(envelope.verify(&mut Verifier::default()).is_ok());
        }
    }

    #[test]
    fn a_row_that_grows_has_room_as_long_as_all_of_it_is_one_row_and_not_full() {
        let changes = signed(&[1, 3, 700, 40, 300, 9, 1]);
        let own = changes[0].chain();
        for own in [None, Some(own)] {
            let mut row = Row::new(own);
            assert!(row.has_room());
            for count in 1..=changes.len() {
                row.add(&changes[count - 1]);
                let all = &changes[..count];
                let is_one_row = rows(all, own).nth(1).is_none();
                assert_eq!(row.has_room(), is_one_row && !is_full(all, own), "{count} changes");
            }
        }
    }

    #[test]
    fn a_chain_of_another_key_is_not_signed_again() {
        let (key, changes) = (AuthorKey::from_seed(&[2; 32]), signed(&[20]));
        let again = Verified::sign_again(&key, DOCUMENT, changes[0].chain(), &changes[..10]);
        assert_eq!(again.last().unwrap().unsigned_after(), 10);
    }

    #[test]
    fn what_lacks_the_end_of_its_signature_is_cut_and_can_be_read_again() {
        let changes = signed(&[1000, 1000]);
        let changes = &changes[100..1100];
        assert_eq!(lengths(changes).iter().sum::<usize>(), changes.len());
        for row in rows(changes, None) {
            let envelope = Verified::seal(DOCUMENT, row);
            assert_eq!(Envelope::from_bytes(DOCUMENT, &envelope.to_bytes()), Ok(envelope));
        }
    }
}
