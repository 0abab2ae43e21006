//! The theorems about access that hold for documents as nodes keep them today, on whole nodes: random histories with hostile
//! authors, brought in any order and any parts, with crashes in between.
//!
//! Of documents with members the judge alone knows: `pistol-acl/tests/theorems.rs`. `HOSTILE_SEEDS=first..end` gives other
//! orders, `HISTORIES=first..end` other histories.

#![allow(missing_docs, unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "../pistol-acl/tests/support/entries.rs"]
mod entries;
#[path = "../pistol-core/tests/support/hand.rs"]
mod hand;
#[allow(dead_code, reason = "shared with the tests of hostile input")]
#[path = "hostile/machine.rs"]
mod machine;
#[allow(dead_code, reason = "shared with the tests of hostile input")]
#[path = "hostile/scene.rs"]
mod scene;
#[path = "../pistol-core/tests/support/replica.rs"]
mod support;

use entries::{Entries, Written};
use pistol_core::validate::Rule;
use scene::{Piece, Verdict};

/// Changes of a history that are brought: what builds on a refused change is refused on the connection that brought it, and
/// one connection brings no more.
const AT_ONCE: usize = 16;

fn verdict(change: &Written) -> Verdict {
    match (change.is_ready, change.broken) {
        (false, _) => Verdict::Refused(Rule::Dependencies),
        (true, Some(_)) => Verdict::Refused(Rule::FirstWriter),
        (true, None) => Verdict::Accepted,
    }
}

#[test]
fn t1_to_t5_nodes_accept_of_a_document_of_first_writers_what_the_oracle_accepts_and_show_the_same() {
    #[allow(clippy::disallowed_methods, reason = "a person asks for other histories so")]
    let given = std::env::var("HISTORIES").ok();
    let given = given.and_then(|text| text.split_once("..").and_then(|(a, b)| Some(a.parse().ok()?..b.parse().ok()?)));
    let mut seen = [0, 0, 0];
    for seed in given.unwrap_or(1000..1060) {
        let entries = Entries::random(seed);
        let mut pieces = Vec::new();
        for (number, change) in entries.changes.iter().take(AT_ONCE).enumerate() {
            let verdict = verdict(change);
            let name = format!("history {seed}, change {number}");
            pieces.push(Piece::of(&name, verdict, &entries.genesis, std::slice::from_ref(&change.signed)));
            seen[usize::from(verdict == Verdict::Accepted) + 2 * usize::from(!change.is_ready)] += 1;
        }
        scene::check(&entries.genesis, &pieces, 3);
    }
    assert!(seen.iter().all(|count| *count > 20), "refused, accepted, built on what is refused: {seen:?}");
}
