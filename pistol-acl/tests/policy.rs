//! Rule V8: who may write into a document, by its policy.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use pistol_acl::{judge, may_edit};
use pistol_core::chain::ChainId;
use pistol_core::document::{Document, EditAs, UNJUDGED};
use pistol_core::envelope::Verified;
use pistol_core::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use pistol_core::id::Session;
use pistol_core::key::AuthorKey;
use pistol_core::validate::{Check, Rule};

fn key(number: u8) -> AuthorKey {
    AuthorKey::from_seed(&[number; 32])
}

/// A document of two roots, keys 1 and 2.
fn genesis(policy: Policy) -> Arc<Genesis> {
    let mut roots = vec![key(1).id(), key(2).id()];
    roots.sort_unstable();
    let creator = u32::from(roots[0] != key(1).id());
    let terms = Terms {
        kind: Kind::Document,
        roots,
        creator,
        policy,
        limits: Limits::default(),
        read: Read::Public,
        skeleton: vec![],
        space: None,
        authority: vec![],
        app: uuid::Uuid::nil(),
        predecessor: None,
        nonce: [1; 16],
    };
    Arc::new(Genesis::sign(&key(1), terms).unwrap())
}

/// What is said of a change by a key, on a replica that did not write it.
fn verdict(policy: Policy, number: u8) -> Result<(), Rule> {
    let genesis = genesis(policy);
    let chain = ChainId { author: key(number).id(), session: Session(1) };
    let mut writer = Document::new(Arc::clone(&genesis)).unwrap();
    let made = writer
        .edit(&EditAs { chain, time_ms: 0, message: None, authority: &[], judge: UNJUDGED }, |edit| edit.put("a", 1))
        .unwrap();
    let signed = Verified::sign(&key(number), genesis.id(), &[made.changes[0].change.clone()]).unwrap();
    let reader = Document::new(Arc::clone(&genesis)).unwrap();
    let Check::Valid(valid) = reader.check(&signed.changes()[0]) else { panic!("structure is not the question") };
    let judged = judge(reader.history(), *valid).map(drop);
    assert_eq!(judged.is_ok(), may_edit(&genesis, &chain.author));
    judged
}

#[test]
fn the_roots_write_into_a_document_of_their_own_and_strangers_do_not() {
    assert_eq!(verdict(Policy::Owned, 1), Ok(()));
    assert_eq!(verdict(Policy::Owned, 2), Ok(()));
    assert_eq!(verdict(Policy::Owned, 3), Err(Rule::Policy));
}

#[test]
fn anyone_writes_into_a_document_of_the_world() {
    assert_eq!([1, 2, 3].map(|number| verdict(Policy::WorldWritable, number)), [Ok(()); 3]);
}
