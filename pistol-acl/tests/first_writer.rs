//! Theorems for documents of first writers: random histories with hostile authors, in random orders, judged by the code in
//! use and by the oracle. `cargo run --release -p pistol-bench -- access --case theorems` counts over more of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "support/entries.rs"]
mod entries;
#[path = "../../pistol-core/tests/support/hand.rs"]
mod hand;
#[path = "support/judged.rs"]
mod judged;

use std::collections::BTreeMap;

use entries::Entries;
use judged::Verdicts;
use pistol_acl::Law;
use pistol_core::envelope::VerifiedChange;
use pistol_oracle::{Candidate, Chance, ChangeId, Person, Slot, read_slot};

const HISTORIES: u64 = 150;
const ORDERS: usize = 3;

#[test]
fn t1_to_t4_what_is_accepted_and_shown_is_what_the_oracle_says_in_any_order() {
    let mut tally: BTreeMap<Law, usize> = BTreeMap::new();
    let mut accepted = 0;
    for seed in 0..HISTORIES {
        let entries = Entries::random(seed);
        let told = Verdicts::told(&entries);
        let mut chance = Chance::new(!seed);
        let mut order: Vec<&VerifiedChange> = entries.changes.iter().map(|change| &change.signed).collect();
        let mut shown = None;
        for _ in 0..ORDERS {
            chance.shuffle(&mut order);
            let (verdicts, document) = Verdicts::of(&entries, &order);
            assert_eq!(verdicts, told, "history {seed}");
            let heads = document.projected_heads();
            assert_eq!(*shown.get_or_insert(heads.clone()), heads, "history {seed}");
        }
        told.refused.values().for_each(|(_, law)| *tally.entry(*law).or_default() += 1);
        accepted += told.accepted.len();
    }
    let laws = [Law::W1, Law::W2, Law::W3, Law::W4, Law::W5, Law::W6];
    let is_seen = |law: &Law| tally.get(law).is_some_and(|count| *count > 5);
    assert!(accepted > 500 && laws.iter().all(is_seen), "{accepted} accepted, refused by rule {tally:?}");
}

/// Who has a slot, by the code in use: the candidates that stay, in order of author.
fn stay(candidates: &[Candidate], is_past: impl Fn(ChangeId, ChangeId) -> bool) -> Vec<Candidate> {
    let author = |candidate: &Candidate| candidate.author;
    let mut stay =
        pistol_core::document::first_come(candidates.to_vec(), author, |one, other| is_past(one.change, other.change));
    stay.sort_unstable();
    stay
}

#[test]
fn a_shared_slot_is_read_as_the_oracle_reads_it_without_checkpoints() {
    let mut seen = [0, 0, 0];
    for seed in 0..5000 {
        let mut chance = Chance::new(seed);
        // Random pasts of up to six changes, closed under what comes before.
        let mut pasts: Vec<u64> = Vec::new();
        for change in 0..chance.below(7) {
            let direct = (0..change).filter(|_| chance.one_in(3)).collect::<Vec<_>>();
            pasts.push(direct.iter().fold(0, |past, before| past | 1 << before | pasts[*before]));
        }
        let is_past = |one: ChangeId, other: ChangeId| pasts[other.0 as usize] >> one.0 & 1 == 1;
        let mut candidate = |change: usize| Candidate {
            author: Person::Key(pistol_oracle::Author(chance.below(3) as u32)),
            change: ChangeId(change as u32),
        };
        let candidates: Vec<Candidate> = (0..pasts.len()).map(&mut candidate).collect();
        let stay = stay(&candidates, is_past);
        match read_slot(&candidates, is_past, &[]) {
            Slot::Empty => {
                seen[0] += 1;
                assert!(stay.is_empty());
            }
            Slot::Of(author, changes) => {
                seen[1] += 1;
                let of: Vec<Candidate> = changes.into_iter().map(|change| Candidate { author, change }).collect();
                assert_eq!(stay, of);
            }
            Slot::Contested(all) => {
                seen[2] += 1;
                assert_eq!(stay, all);
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
}
