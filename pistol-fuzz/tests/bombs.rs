//! A few hundred bytes that stand for as many operations as an envelope may hold.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use pistol_core::change::{Action, Change, Op, Place, Reference, Scalar};
use pistol_core::envelope::Envelope;
use pistol_core::id::DocumentId;
use pistol_core::key::Verifier;
use pistol_core::limits::{KEY_BYTES_MAX, OPERATIONS_PER_CHANGE_MAX};
use pistol_fuzz::history::stage::{TEXT, key, op, text};
use pistol_fuzz::measure::measured;
use pistol_fuzz::sealing;

const DOCUMENT: DocumentId = DocumentId([1; 32]);

/// An envelope of one change with so many operations.
fn bomb(count: usize, operation: impl Fn(u32) -> Op) -> Vec<u8> {
    let author = sealing::author(1).id();
    let session = pistol_core::id::Session(1);
    let chain = pistol_core::chain::ChainId { author, session };
    let ops = (0..u32::try_from(count).unwrap()).map(operation).collect();
    let (deps, authority, table, message) = (vec![], vec![], vec![], None);
    let change = Change { author, session, seq: 1, deps, authority, time_ms: 1, message, table, ops };
    sealing::envelope(DOCUMENT, chain.root(&DOCUMENT), change).unwrap().to_bytes()
}

/// What one envelope without marks may be made to take: as many operations as there may be, and what they hold.
const BYTES_MAX: usize = 16 << 20;

// One test alone in its process: the memory of others would be counted too.
#[test]
fn few_bytes_that_stand_for_many_operations_take_a_bounded_amount_of_memory() {
    let most = OPERATIONS_PER_CHANGE_MAX;
    let letter = |_| op(TEXT, Place::After(None), text("a"), &[]);
    let put = |number: u32| {
        let before: Vec<Reference> = number.checked_sub(1).map(Reference::Own).into_iter().collect();
        op(None, key("k"), Action::Put(Scalar::Null), &before)
    };
    let key_of_32 = |_| op(None, key(&"k".repeat(32)), Action::Put(Scalar::Null), &[]);
    let rivals = |number: u32| {
        let all: Vec<Reference> = (0..number.min(4096)).map(Reference::Own).collect();
        op(None, key("k"), Action::Put(Scalar::Null), &all)
    };
    let long_key = |_| op(None, key(&"k".repeat(KEY_BYTES_MAX)), Action::Put(Scalar::Null), &[]);
    let bombs = [
        ("letters", bomb(most, letter)),
        ("one letter less than is refused", bomb(100_000, letter)),
        ("puts", bomb(most, put)),
        ("puts at keys of 32 bytes", bomb(100_000, key_of_32)),
        ("rivals", bomb(900, rivals)),
        ("long keys", bomb(900, long_key)),
    ];
    for (name, bytes) in bombs {
        let read = || Envelope::from_bytes(DOCUMENT, &bytes);
        let decode = || Ok(read().is_ok_and(|read| read.verify(&mut Verifier::default()).is_ok()));
        let taken = measured(decode).bytes;
        eprintln!("{name}: {} bytes stand for {taken}", bytes.len());
        assert!(taken < BYTES_MAX, "{name}: {} bytes stand for {taken}", bytes.len());
    }
}
