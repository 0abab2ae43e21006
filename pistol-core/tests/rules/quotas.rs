//! Rules about sizes (V1 and V5), with a genesis of small limits.

use pistol_core::change::{Action, Op, Scalar};
use pistol_core::genesis::Limits;
use pistol_core::limits;

use super::hand::{Hand, at_key, op};
use super::{Case, Rejected, Rule, Stage, Valid, check};

fn puts(count: usize) -> Vec<Op> {
    (0..count).map(|_| op(None, at_key("q"), Action::Put(Scalar::Null), &[])).collect()
}

fn by_bob(stage: &Stage, count: usize) -> super::VerifiedChange {
    stage.bob.sign(stage.bob.draft(&[], &[], puts(count)))
}

#[test]
fn a_change_and_a_chain_hold_so_many_operations_and_no_more() {
    let small = Limits { ops_per_change: 10, ops_per_chain: 11, ..Limits::default() };
    let cases: &[Case] = &[
        ("the most for a change and the chain", Valid, |s| by_bob(s, 10)),
        ("one more for a change", Rejected(Rule::ChangeTooLarge), |s| by_bob(s, 11)),
        ("the most for a branch of a chain", Valid, |s| s.left.sign(s.left.draft(&[], &[], puts(2)))),
        ("one more", Rejected(Rule::ChainTooLong), |s| s.left.sign(s.left.draft(&[], &[], puts(3)))),
        ("a branch counts from the fork on", Valid, |s| s.ann.sign(s.ann.draft(&[], &[], puts(3)))),
        ("one more there", Rejected(Rule::ChainTooLong), |s| s.ann.sign(s.ann.draft(&[], &[], puts(4)))),
        ("another session has its own quota", Valid, |s| {
            let fresh = Hand::new(s.genesis.id(), 1, 8);
            fresh.sign(fresh.draft(&[], &[], puts(10)))
        }),
    ];
    check(small, cases);
}

#[test]
fn a_change_and_a_chain_hold_so_many_bytes_and_no_more() {
    let stage = Stage::new(Limits::default());
    let bytes = by_bob(&stage, 100).bytes();
    let bob_first = stage.past[3].bytes();
    let one = u32::try_from(bytes).unwrap();
    for (limit, expected) in [(one, Valid), (one - 1, Rejected(Rule::ChangeTooLarge))] {
        let cases: &[Case] = &[("by bytes", expected, |s| by_bob(s, 100))];
        check(Limits { change_bytes: limit, ..Limits::default() }, cases);
    }
    let chain = u64::try_from(bytes + bob_first).unwrap();
    for (limit, expected) in [(chain, Valid), (chain - 1, Rejected(Rule::ChainTooLong))] {
        let cases: &[Case] = &[("by bytes", expected, |s| by_bob(s, 100))];
        check(Limits { bytes_per_chain: limit, ..Limits::default() }, cases);
    }
}

#[test]
fn times_messages_and_citations_stay_within_their_bounds() {
    let cases: &[Case] = &[
        ("the last time", Valid, |s| with_time(s, limits::EXACT_MAX)),
        ("a later time", Rejected(Rule::Value), |s| with_time(s, limits::EXACT_MAX + 1)),
        ("the end of time", Rejected(Rule::Value), |s| with_time(s, u64::MAX)),
        ("the longest message", Valid, |s| with_message(s, limits::MESSAGE_BYTES_MAX)),
        ("a longer message", Rejected(Rule::ChangeTooLarge), |s| with_message(s, limits::MESSAGE_BYTES_MAX + 1)),
        ("a longer path of authority", Rejected(Rule::ChangeTooLarge), |s| {
            let mut change = s.bob.draft(&[], &[], vec![]);
            change.authority = vec![pistol_core::id::AuthorityId([1; 32]); limits::AUTHORITY_MAX + 1];
            s.bob.sign(change)
        }),
    ];
    check(Limits::default(), cases);
}

fn with_time(stage: &Stage, time_ms: u64) -> super::VerifiedChange {
    let mut change = stage.bob.draft(&[], &[], vec![]);
    change.time_ms = time_ms;
    stage.bob.sign(change)
}

fn with_message(stage: &Stage, length: usize) -> super::VerifiedChange {
    let mut change = stage.bob.draft(&[], &[], vec![]);
    change.message = Some("m".repeat(length));
    stage.bob.sign(change)
}

/// A bomb: operations of the least size, to the limit of the change.
#[test]
fn the_largest_changes_are_checked_like_small_ones() {
    let stage = Stage::new(Limits::default());
    let many = |count: u32| (0..count).map(|n| op(None, at_key(&format!("{n:05x}")), Action::Put(Scalar::Null), &[]));
    let change = stage.bob.sign(stage.bob.draft(&[], &[], many(60_000).collect()));
    let mut replica = super::Replica::new(&stage.genesis, 9, 9);
    replica.receive(&stage.past);
    replica.receive(&[change]);
    assert!(replica.rejected.is_empty() && replica.waiting.is_empty());
    replica.document.project().unwrap();
    assert_eq!(replica.document.content().keys().len(), 60_000 + 4);
}
