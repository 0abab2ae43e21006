//! Rules about what is signed: tips, envelopes and the genesis.

use std::sync::Arc;

use pistol_core::chain::{ChainId, Tip};
use pistol_core::change::{Action, Place, Reference, Scalar};
use pistol_core::document::Document;
use pistol_core::envelope::{Envelope, Run, Verified, VerifyError};
use pistol_core::genesis::{Genesis, GenesisError, Limits};
use pistol_core::id::{DocumentId, Link};
use pistol_core::key::{AuthorId, Verifier};
use pistol_core::validate::Rule;

use super::hand::{self, Hand, at_key, op, text};
use super::support::{self, Replica};
use super::{Stage, Valid};

fn verify(envelope: Envelope) -> Result<Verified, VerifyError> {
    envelope.verify(&mut Verifier::default())
}

/// Three changes of one chain under one signature.
fn three(stage: &Stage) -> (Vec<pistol_core::envelope::VerifiedChange>, Tip) {
    let mut hand = Hand::new(stage.genesis.id(), 3, 1);
    let all: Vec<_> = (0..3).map(|_| hand.write(&[], &[], vec![])).collect();
    (all, Tip::sign(&hand::key(3), &stage.genesis.id(), hand.session, 3, hand.link))
}

fn run(stage: &Stage, tip: Tip) -> Run {
    let chain = ChainId { author: hand::key(3).id(), session: pistol_core::id::Session(1) };
    Run { chain, first_seq: 1, base: chain.root(&stage.genesis.id()), withheld: vec![], tip }
}

#[test]
fn one_signature_vouches_for_a_chain_in_parts_with_and_without_bodies() {
    let stage = Stage::new(Limits::default());
    let (all, tip) = three(&stage);
    let bodies = |count: usize| all[..count].iter().map(|change| (0, Arc::clone(change.change()))).collect::<Vec<_>>();
    let withheld = Run { withheld: vec![all[1].id(), all[2].id()], ..run(&stage, tip) };
    let part = verify(Envelope::new(stage.genesis.id(), vec![withheld], bodies(1)).unwrap()).unwrap();
    assert_eq!(stage.verdict(&part.changes()[0]), Valid);
    let whole = verify(Envelope::new(stage.genesis.id(), vec![run(&stage, tip)], bodies(3)).unwrap()).unwrap();
    let mut replica = Replica::new(&stage.genesis, 9, 9);
    replica.receive(part.changes());
    replica.receive(whole.changes());
    assert_eq!(replica.document.history().next(), 4);
    assert!(Envelope::new(stage.genesis.id(), vec![run(&stage, tip)], bodies(2)).is_err(), "an unsigned suffix");
    let lie = Run { withheld: vec![all[2].id(), all[1].id()], ..run(&stage, tip) };
    let lie = Envelope::new(stage.genesis.id(), vec![lie], bodies(1)).unwrap();
    assert_eq!(verify(lie).unwrap_err(), VerifyError::Link);
}

#[test]
fn a_tip_of_another_document_author_place_or_link_is_refused() {
    let stage = Stage::new(Limits::default());
    let (all, tip) = three(&stage);
    let bodies: Vec<_> = all.iter().map(|change| (0, Arc::clone(change.change()))).collect();
    let with = |document, tip| verify(Envelope::new(document, vec![run(&stage, tip)], bodies.clone()).unwrap()).err();
    let id = stage.genesis.id();
    let session = pistol_core::id::Session(1);
    assert_eq!(with(id, tip), None);
    assert_eq!(with(DocumentId([9; 32]), tip), Some(VerifyError::Signature), "replayed into another document");
    let other = Tip::sign(&hand::key(4), &id, session, 3, tip.link);
    assert_eq!(with(id, other), Some(VerifyError::Signature), "signed by another");
    let earlier = Tip { signature: Tip::sign(&hand::key(3), &id, session, 2, tip.link).signature, ..tip };
    assert_eq!(with(id, earlier), Some(VerifyError::Signature), "signed for another place");
    assert_eq!(with(id, Tip { link: Link([1; 32]), ..tip }), Some(VerifyError::Link));
    for bit in 0..512 {
        let mut flipped = tip;
        flipped.signature.0[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(with(id, flipped), Some(VerifyError::Signature), "bit {bit}");
    }
    assert_eq!(with(id, tip), None, "the original is still good");
}

#[test]
fn a_chain_reaches_no_further_than_the_largest_seq() {
    let stage = Stage::new(Limits::default());
    let mut change = stage.bob.draft(&[], &[], vec![]);
    change.seq = u64::MAX;
    let chain = ChainId { author: change.author, session: change.session };
    let link = stage.bob.link.then(&change.id());
    let tip = Tip::sign(&hand::key(2), &stage.genesis.id(), change.session, u64::MAX, link);
    let run = Run { chain, first_seq: u64::MAX, base: stage.bob.link, withheld: vec![], tip };
    assert!(Envelope::new(stage.genesis.id(), vec![run], vec![(0, Arc::new(change))]).is_err());
}

#[test]
fn a_genesis_is_its_creators_to_the_last_bit() {
    let genesis = support::genesis();
    let bytes = genesis.bytes().to_vec();
    let read = |bytes: &[u8]| Genesis::verify(bytes, &mut Verifier::default());
    assert_eq!(read(&bytes).unwrap().id(), genesis.id());
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length]).is_err(), "cut at {length}");
    }
    assert!(read(&[bytes.as_slice(), &[0]].concat()).is_err(), "a byte more");
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&flipped).is_err(), "bit {bit}");
    }
    let mut other = genesis.terms().clone();
    other.nonce = [9; 16];
    let other = Genesis::sign(&support::author(0), other).unwrap();
    let asked = Genesis::verify_for(genesis.id(), other.bytes(), &mut Verifier::default());
    assert_eq!(asked.unwrap_err(), GenesisError::WrongId);
}

#[test]
fn a_genesis_of_wrong_roots_or_limits_is_refused() {
    let terms = support::genesis().terms().clone();
    let creator = support::author(0);
    let is_refused = |terms| Genesis::sign(&creator, terms).is_err();
    let two = |sorted: bool| {
        let mut roots = vec![creator.id(), support::author(5).id()];
        roots.sort_unstable();
        if !sorted {
            roots.reverse();
        }
        let place = roots.iter().position(|root| *root == creator.id()).unwrap();
        pistol_core::genesis::Terms { creator: u32::try_from(place).unwrap(), roots, ..terms.clone() }
    };
    assert!(!is_refused(two(true)));
    assert!(is_refused(two(false)), "unsorted roots");
    let twice = pistol_core::genesis::Terms { roots: vec![creator.id(); 2], ..terms.clone() };
    assert!(is_refused(twice), "one root twice");
    assert!(is_refused(pistol_core::genesis::Terms { roots: vec![], ..terms.clone() }), "no roots");
    assert!(is_refused(pistol_core::genesis::Terms { creator: 1, ..terms.clone() }), "creator out of range");
    assert!(is_refused(pistol_core::genesis::Terms { creator: u32::MAX, ..terms.clone() }));
    let more = Limits { deps: 65, ..Limits::default() };
    assert!(is_refused(pistol_core::genesis::Terms { limits: more, ..terms.clone() }), "limits past the protocol's");
    assert!(Genesis::sign(&support::author(5), terms).is_err(), "signed by another than its creator");
    let mut weak = [0; 32];
    weak[0] = 1;
    assert!(AuthorId::from_bytes(&weak).is_err(), "a point of small order");
}

#[test]
fn a_skeleton_keeps_the_rules_of_operations() {
    let with = |skeleton| {
        let terms = pistol_core::genesis::Terms { skeleton, ..support::genesis().terms().clone() };
        let genesis = Genesis::sign(&support::author(0), terms).unwrap();
        Document::new(Arc::new(genesis)).err()
    };
    let list = op(None, at_key("l"), Action::Make(super::Kind::List), &[]);
    let (first, own) = (Reference::Skeleton(0), Reference::Own(0));
    let int = Action::Put(Scalar::Int(1));
    assert_eq!(with(vec![]), None);
    assert_eq!(with(vec![list.clone(), op(Some(first), Place::After(None), int.clone(), &[])]), None);
    let after = |object| op(Some(object), Place::After(None), int.clone(), &[]);
    assert_eq!(with(vec![list.clone(), after(own)]), Some(Rule::Reference));
    assert_eq!(with(vec![list.clone(), after(Reference::Entry(0, 0))]), Some(Rule::Reference));
    assert_eq!(with(vec![after(first), list.clone()]), Some(Rule::Reference));
    assert_eq!(with(vec![op(None, Place::After(None), text("x"), &[])]), Some(Rule::Operation));
    assert_eq!(with(vec![list.clone(), op(None, at_key("x"), int.clone(), &[first])]), Some(Rule::Operation));
    assert_eq!(with(vec![op(None, at_key("x"), Action::Delete, &[])]), Some(Rule::Operation));
}
