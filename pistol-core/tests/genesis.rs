//! The bytes of a genesis: how each policy is written, and that nothing else is read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "support/replica.rs"]
mod support;

use pistol_core::genesis::{
    Addition, Genesis, GenesisError, Glance, Insert, Kind, Limits, Policy, Read, ReadKey, Terms,
};
use pistol_core::hash::{Context, hash};
use pistol_core::id::{AuthorityId, DocumentId};
use pistol_core::key::Verifier;

/// Where the policy stands, after version, kind, one root and the creator.
const AT: usize = 1 + 1 + 1 + 32 + 1;

fn genesis(policy: Policy) -> Genesis {
    let terms = Terms { policy, ..support::genesis().terms().clone() };
    Genesis::sign(&support::author(0), terms).unwrap()
}

fn first_writer(flags: u8) -> Policy {
    let is_set = |bit: u8| flags >> bit & 1 == 1;
    let insert = if is_set(0) { Insert::OwnObject } else { Insert::Anywhere };
    Policy::FirstWriter { insert, shared_counters: is_set(1), shared_slots: is_set(2) }
}

/// The same with other bytes in its middle, signed again.
fn altered(genesis: &Genesis, alter: impl FnOnce(&mut Vec<u8>)) -> Result<Genesis, GenesisError> {
    let bytes = genesis.bytes();
    let mut body = bytes[..bytes.len() - 64].to_vec();
    alter(&mut body);
    let message = [b"pistol/genesis/1\0".as_slice(), &hash(Context::Genesis, &[&body])].concat();
    body.extend_from_slice(&support::author(0).sign(&message).0);
    Genesis::verify(&body, &mut Verifier::default())
}

#[test]
fn each_policy_has_its_bytes_and_is_read_as_it_was_written() {
    let first_writers = (0..8).map(|flags| (first_writer(flags), vec![2, flags & 1, flags >> 1 & 1, flags >> 2 & 1]));
    for (policy, bytes) in [(Policy::Owned, vec![0]), (Policy::WorldWritable, vec![1]), (Policy::Members, vec![3])]
        .into_iter()
        .chain(first_writers)
    {
        let genesis = genesis(policy);
        assert_eq!(genesis.bytes()[AT..AT + bytes.len()], bytes);
        assert_eq!(altered(&genesis, |_| {}).unwrap().terms().policy, policy);
        assert_eq!(genesis.creator(), support::author(0).id());
    }
}

#[test]
fn a_flag_that_is_neither_0_nor_1_and_a_policy_of_a_later_version_are_refused() {
    let genesis = genesis(first_writer(0));
    for (at, value) in [(0, 4), (0, 255), (1, 2), (2, 2), (3, 2), (3, 255)] {
        let altered = altered(&genesis, |body| body[AT + at] = value);
        assert!(matches!(altered, Err(GenesisError::Malformed(_))), "{at} {value}: {altered:?}");
    }
}

/// What a fixture holds.
fn bytes(shown: &str) -> Vec<u8> {
    let shown = shown.trim();
    let byte = |at: usize| u8::from_str_radix(&shown[at..at + 2], 16).unwrap();
    (0..shown.len()).step_by(2).map(byte).collect()
}

fn log_terms(kind: Kind) -> Terms {
    let limits = Limits { is_releasable: false, ..Limits::default() };
    Terms { kind, policy: Policy::Members, limits, skeleton: vec![], ..support::genesis().terms().clone() }
}

#[test]
fn an_identity_and_a_group_have_their_bytes_and_are_read_as_they_were_written() {
    for (kind, byte, shown) in [
        (Kind::Identity, 1, include_str!("fixtures/genesis-v1-identity.hex")),
        (Kind::Group, 2, include_str!("fixtures/genesis-v1-group.hex")),
    ] {
        let genesis = Genesis::sign(&support::author(0), log_terms(kind)).unwrap();
        assert_eq!(genesis.bytes()[..2], [1, byte]);
        assert_eq!(altered(&genesis, |_| {}).unwrap().terms().kind, kind);
        let glance = Glance { kind, policy: Policy::Members, read: Read::Public, addition: None };
        assert_eq!(Genesis::glance(genesis.bytes()), Ok(glance));
        assert_eq!(genesis.bytes(), bytes(shown));
    }
}

#[test]
fn a_log_of_its_own_has_members_no_content_and_no_secret() {
    let good = log_terms(Kind::Group);
    let skeleton = support::genesis().terms().skeleton.clone();
    assert!(!skeleton.is_empty());
    for bad in [
        Terms { policy: Policy::Owned, ..good.clone() },
        Terms { policy: Policy::WorldWritable, ..good.clone() },
        Terms { read: Read::Key([7; 32]), ..good.clone() },
        Terms { skeleton, ..good.clone() },
        Terms { space: Some(DocumentId([7; 32])), ..good.clone() },
        Terms { limits: Limits::default(), ..good.clone() },
    ] {
        assert!(matches!(Genesis::sign(&support::author(0), bad), Err(GenesisError::Malformed(_))));
    }
    let genesis = Genesis::sign(&support::author(0), good).unwrap();
    for kind in 4..=255 {
        assert!(altered(&genesis, |body| body[1] = kind).is_err(), "kind {kind} is kept");
    }
}

#[test]
fn a_space_says_who_may_add_documents_and_may_have_readers_of_its_own() {
    let good = Terms { read: Read::Key([7; 32]), ..log_terms(Kind::Space) };
    let signed = |terms| Genesis::sign(&support::author(0), terms);
    let space = signed(Terms { limits: Limits::default(), ..good.clone() }).unwrap();
    assert_eq!(space.bytes()[..2], [1, 3]);
    assert_eq!(space.bytes(), bytes(include_str!("fixtures/genesis-v1-space.hex")));
    for policy in [Policy::Owned, Policy::WorldWritable, Policy::Members] {
        let space = signed(Terms { policy, ..good.clone() }).unwrap();
        assert_eq!(altered(&space, |_| {}).unwrap().terms().policy, policy);
    }
    let skeleton = support::genesis().terms().skeleton.clone();
    for bad in [
        Terms { policy: first_writer(0), ..good.clone() },
        Terms { skeleton, ..good.clone() },
        Terms { space: Some(DocumentId([7; 32])), ..good.clone() },
        Terms { authority: vec![AuthorityId([7; 32])], ..good.clone() },
    ] {
        assert!(matches!(signed(bad), Err(GenesisError::Malformed(_))));
    }
}

#[test]
fn a_document_names_its_space_and_what_let_its_creator_add_it() {
    let (space, authority) = (Some(DocumentId([7; 32])), vec![AuthorityId([8; 32]), AuthorityId([9; 32])]);
    let terms = Terms { space, authority, ..support::genesis().terms().clone() };
    let genesis = Genesis::sign(&support::author(0), terms.clone()).unwrap();
    assert_eq!(genesis.terms(), &terms);
    let creator = *support::author(0).id().as_bytes();
    let addition = Addition { space: space.unwrap(), creator, authority: terms.authority.clone(), nonce: terms.nonce };
    assert_eq!(Genesis::glance(genesis.bytes()).unwrap().addition, Some(addition));
    assert_eq!(genesis.bytes(), bytes(include_str!("fixtures/genesis-v1-in-a-space.hex")));
    let without = Terms { space: None, ..terms };
    assert!(matches!(Genesis::sign(&support::author(0), without), Err(GenesisError::Malformed(_))));
}

#[test]
fn the_key_of_a_document_in_a_space_is_drawn_from_the_space_s_and_differs_for_each() {
    let space = ReadKey([1; 32]);
    let key = space.of_document(&[2; 16]);
    assert_eq!(key, space.of_document(&[2; 16]));
    assert_ne!(key, space.of_document(&[3; 16]));
    assert_ne!(key, ReadKey([2; 32]).of_document(&[2; 16]));
}

#[test]
fn a_document_keeps_its_bytes() {
    let kept = [
        (first_writer(0), include_str!("fixtures/genesis-v1-first-writer.hex")),
        (Policy::Members, include_str!("fixtures/genesis-v1-members.hex")),
    ];
    for (policy, shown) in kept {
        assert_eq!(genesis(policy).bytes(), bytes(shown));
    }
}
