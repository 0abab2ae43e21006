//! Operations as bytes: each survives, and nothing else is read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use pistol_acl::SignedOp;
use pistol_acl::record::{AclOp, Action, Heads, Keep, Mode, OpError, Role, Subject};
use pistol_core::chain::{ChainId, Tip};
use pistol_core::codec::Malformed;
use pistol_core::id::{AuthorityId, ChangeId, DocumentId, Link, Session};
use pistol_core::key::{AuthorKey, Verifier};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

fn key(number: u8) -> AuthorKey {
    AuthorKey::from_seed(&[number; 32])
}

fn ids(max: usize) -> impl Strategy<Value = BTreeSet<[u8; 32]>> {
    btree_set(any::<[u8; 32]>(), 0..=max)
}

fn subject() -> impl Strategy<Value = Subject> {
    (0..4u8, any::<[u8; 32]>(), 1..4u8).prop_map(|(kind, id, number)| match kind {
        0 => Subject::Key(key(number).id()),
        1 => Subject::Identity(DocumentId(id)),
        2 => Subject::Group(DocumentId(id)),
        _ => Subject::Space(DocumentId(id)),
    })
}

fn kept() -> impl Strategy<Value = Heads> {
    (any::<[u8; 32]>(), ids(3), btree_set(any::<u64>(), 0..3)).prop_map(|(document, heads, sessions)| {
        let document = DocumentId(document);
        let tip = |session: u64| {
            let chain = ChainId { author: key(1).id(), session: Session(session) };
            (chain, Tip::sign(&key(1), &document, chain.session, session, Link([9; 32])))
        };
        Heads {
            document,
            heads: heads.into_iter().map(ChangeId).collect(),
            tips: sessions.into_iter().map(tip).collect(),
        }
    })
}

fn revocation() -> impl Strategy<Value = Action> {
    (subject(), any::<bool>(), any::<bool>(), vec(kept(), 0..3), ids(3)).prop_map(
        |(who, is_exact, cascade, mut changes, operations)| {
            changes.sort_by_key(|heads| heads.document);
            let mode = if is_exact { Mode::Exact } else { Mode::Endorsed };
            let operations = operations.into_iter().map(AuthorityId).collect();
            Action::Revoke { who, mode, cascade, keep: Keep { changes, operations } }
        },
    )
}

fn action() -> impl Strategy<Value = Action> {
    let id = any::<[u8; 32]>().prop_map(DocumentId);
    let role = prop_oneof![Just(Role::Relay), Just(Role::Reader), Just(Role::Writer), Just(Role::Admin)];
    prop_oneof![
        (subject(), role).prop_map(|(to, role)| Action::Grant { to, role }),
        revocation(),
        kept().prop_map(Action::Checkpoint),
        (1..9u8).prop_map(|number| Action::AddRoot { key: key(number).id() }),
        Just(Action::Relinquish),
        Just(Action::Release),
        id.prop_map(|document| Action::RemoveDocument { document }),
        (".{0,20}", any::<[u8; 32]>()).prop_map(|(name, target)| Action::Name { name, target: DocumentId(target) }),
        ids(3).prop_map(|names| Action::Witness { names: names.into_iter().map(AuthorityId).collect() }),
        any::<[u8; 32]>().prop_map(|document| Action::Successor { document: DocumentId(document) }),
    ]
}

fn operation() -> impl Strategy<Value = SignedOp> {
    (1..4u8, any::<[u8; 32]>(), vec(any::<[u8; 32]>(), 0..=4), ids(5), any::<usize>(), action()).prop_map(
        |(number, log, proof, prev, own, action)| {
            let own = own.checked_rem(prev.len() + 1).filter(|own| *own < prev.len());
            let prev = prev.into_iter().map(AuthorityId).collect();
            let proof = proof.into_iter().map(AuthorityId).collect();
            let op = AclOp { log: DocumentId(log), author: key(number).id(), proof, prev, own, action };
            SignedOp::sign(&key(number), &op).unwrap()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_operation_survives_being_written_and_read(signed in operation()) {
        let read = SignedOp::verify(signed.bytes(), &mut Verifier::default()).unwrap();
        prop_assert_eq!(read.op(), signed.op());
        prop_assert_eq!((read.id(), read.bytes()), (signed.id(), signed.bytes()));
    }

    #[test]
    fn no_operation_with_a_flipped_bit_is_read(signed in operation(), bit in any::<prop::sample::Index>()) {
        let mut bytes = signed.bytes().to_vec();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(SignedOp::verify(&bytes, &mut Verifier::default()).is_err());
    }

    #[test]
    fn what_is_read_is_what_would_be_written(bytes in vec(any::<u8>(), 0..300)) {
        let mut bytes = bytes;
        if let Some(version) = bytes.first_mut() {
            *version = AclOp::VERSION;
        }
        if let Ok(read) = SignedOp::verify(&bytes, &mut Verifier::default()) {
            prop_assert_eq!(read.bytes(), bytes.as_slice());
        }
    }
}

fn simple() -> AclOp {
    let prev = vec![AuthorityId([1; 32]), AuthorityId([2; 32])];
    AclOp { log: DocumentId([7; 32]), author: key(1).id(), proof: vec![], prev, own: None, action: Action::Release }
}

#[test]
fn an_operation_of_a_later_version_is_told_from_a_broken_one() {
    let mut bytes = SignedOp::sign(&key(1), &simple()).unwrap().bytes().to_vec();
    bytes[0] = 2;
    assert_eq!(SignedOp::verify(&bytes, &mut Verifier::default()).unwrap_err(), OpError::Version);
}

#[test]
fn what_is_out_of_order_too_long_or_another_authors_cannot_be_signed() {
    let unsorted = AclOp { prev: vec![AuthorityId([2; 32]), AuthorityId([1; 32])], ..simple() };
    let long = AclOp { proof: vec![AuthorityId([0; 32]); 5], ..simple() };
    let absent = AclOp { own: Some(2), ..simple() };
    let error = |op: &AclOp| SignedOp::sign(&key(1), op).unwrap_err();
    assert_eq!(error(&unsorted), OpError::Malformed(Malformed::Order));
    assert_eq!(error(&long), OpError::Malformed(Malformed::Limit));
    assert_eq!(error(&absent), OpError::Malformed(Malformed::Limit));
    assert_eq!(SignedOp::sign(&key(2), &simple()).unwrap_err(), OpError::WrongKey);
}

#[test]
fn the_id_of_an_operation_of_version_1_stays() {
    let id = SignedOp::sign(&key(1), &simple()).unwrap().id();
    let shown = ChangeId(id.0).to_string();
    assert_eq!(shown, include_str!("fixtures/release.id").trim());
}
