//! More changes than can wait, in orders that make most of them wait: what had no room is asked for again until all is
//! here.

use std::collections::BTreeMap;

use pistol_core::hash::{Context, hash};
use pistol_core::id::{ChangeId, DocumentId, Link};
use pistol_sync::proto::message::Message;

use crate::machine::{Machine, pair};
use crate::stranger::Stranger;

/// In one envelope.
const TOGETHER: usize = 1000;

/// Authors who write on each other's last change, as the numbers say whose turn it is; each in envelopes of one author.
fn envelopes(document: DocumentId, turns: impl Iterator<Item = u8>) -> Vec<Message> {
    let mut last: Option<ChangeId> = None;
    let mut chains = BTreeMap::new();
    for number in turns {
        let stranger = Stranger::new(number, document);
        let (changes, own) = chains.entry(number).or_insert_with(|| (vec![], None));
        let mut deps: Vec<_> = last.into_iter().chain(*own).collect();
        deps.sort_unstable();
        deps.dedup();
        let mut change = stranger.chain(1, 1, deps).remove(0);
        change.seq = changes.len() as u64 + 1;
        (last, *own) = (Some(change.id()), Some(change.id()));
        changes.push(change);
    }
    let mut envelopes = vec![];
    for (number, (changes, _)) in chains {
        let stranger = Stranger::new(number, document);
        let mut base: Link = stranger.root(1);
        for part in changes.chunks(TOGETHER) {
            envelopes.push(stranger.record(base, part, |_| {}));
            base = part.iter().fold(base, |link, change| link.then(&change.id()));
        }
    }
    envelopes
}

/// How often a peer is asked for all of it, until everything is accepted.
fn passes(count: u64, envelopes: impl Fn(DocumentId) -> Vec<Message>) -> usize {
    let (mut one, _, document) = pair();
    let envelopes = envelopes(document);
    let accepted = |one: &Machine| one.engine.documents().look(&document, |insight| insight.document.history().next());
    let before = accepted(&one).unwrap();
    let mut passes = 0;
    let mut here = 0;
    while here < count {
        assert!(passes < 20, "{here} of {count} are here");
        for envelope in &envelopes {
            one.receive(1, envelope);
            one.sync();
        }
        passes += 1;
        here = u64::from(accepted(&one).unwrap() - before);
    }
    assert_eq!(one.engine.documents().look(&document, |insight| insight.state.waiting).unwrap(), 0);
    passes
}

fn in_turn(document: DocumentId, count: u64) -> Vec<Message> {
    envelopes(document, (0..count).map(|turn| 7 + (turn % 2) as u8))
}

#[test]
fn two_who_wrote_in_turn_are_taken_in_though_one_comes_first_and_the_other_from_the_end() {
    let passes = passes(20_000, |document| {
        let mut all = in_turn(document, 20_000);
        all[10..].reverse();
        all
    });
    assert!(passes <= 4, "{passes}");
}

#[test]
fn everything_from_the_end_is_taken_in() {
    let passes = passes(20_000, |document| in_turn(document, 20_000).into_iter().rev().collect());
    assert!(passes <= 4, "{passes}");
}

#[test]
fn what_one_wrote_after_all_of_another_keeps_nothing_out() {
    let turns = |document| envelopes(document, (0..20_000u64).map(|turn| if turn < 10_000 { 8 } else { 7 }));
    let passes = passes(20_000, |document| {
        let mut all = turns(document);
        all.reverse();
        all.rotate_left(10);
        all
    });
    assert!(passes <= 4, "{passes}");
}

#[test]
fn any_order_of_what_four_wrote_is_taken_in_after_few_passes() {
    for seed in 1..=3u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut draw = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let turns: Vec<u8> = (0..16_000).map(|_| 7 + (draw() % 4) as u8).collect();
        let passes = passes(16_000, |document| {
            let mut all = envelopes(document, turns.iter().copied());
            all.sort_by_cached_key(|envelope| hash(Context::Record, &[&seed.to_be_bytes(), &envelope.to_frame()]));
            all
        });
        assert!(passes <= 4, "seed {seed}: {passes}");
    }
}
