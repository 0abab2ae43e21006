//! What is packed comes out as it went in.

#![allow(clippy::cast_possible_truncation, reason = "a test fails by panicking")]

use super::*;
use crate::document::Document;
use crate::document::chunk::tests::stories::Story;
use crate::validate::Check;

/// Packs random histories and unpacks them, so many changes at once.
fn check(at_once: usize) {
    for seed in 0..60 {
        let story = Story::any(seed);
        let mut document = Document::new(Arc::clone(&story.genesis)).unwrap();
        let mut accepted = Vec::new();
        for change in &story.changes {
            if let Check::Valid(valid) = document.check(change) {
                accepted.push(document.accept(*valid).unwrap());
            }
        }
        let mut backlog = std::mem::take(&mut document.backlog);
        assert_eq!((backlog.len(), backlog.has_forks()), (accepted.len(), accepted.iter().any(|one| one.is_fork)));
        let rest = backlog.rest();
        backlog.take(&document.history, at_once);
        backlog.rewind(rest);
        let unpacked = std::iter::repeat_with(|| backlog.take(&document.history, at_once));
        let unpacked: Vec<Accepted> = unpacked.take_while(|taken| !taken.is_empty()).flatten().collect();
        assert_eq!(format!("{unpacked:?}"), format!("{accepted:?}"), "seed {seed}");
        assert_eq!((backlog.operations(), backlog.has_forks()), (0, false), "seed {seed}");
    }
}

#[test]
fn what_is_packed_comes_out_as_it_went_in() {
    check(usize::MAX);
    check(1);
    check(7);
}

#[test]
fn what_is_taken_while_more_comes_gives_its_room_back() {
    let story = Story::typed(2_100);
    let mut document = Document::new(Arc::clone(&story.genesis)).unwrap();
    let mut taken = 0;
    for change in &story.changes {
        let Check::Valid(valid) = document.check(change) else { panic!("not valid") };
        document.accept(*valid).unwrap();
        taken += document.backlog.take(&document.history, document.backlog.len() - 1).len();
    }
    assert!(taken >= 2_000);
    assert!(document.backlog.packed.as_bytes().len() <= 2 * SPENT_MOST);
}
