//! Every kind of hostile change becomes what it must, on every replica.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use pistol_fuzz::chance::Chance;
use pistol_fuzz::history::{deliver_kind, kinds};

#[test]
fn there_are_more_than_100_kinds_each_with_a_name_of_its_own() {
    let names: BTreeSet<&str> = kinds::all().iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), kinds::all().len());
    assert!(names.len() > 100, "{}", names.len());
}

#[test]
fn every_kind_becomes_what_it_must_on_every_replica() {
    let mut broken = Vec::new();
    for kind in kinds::all() {
        let tried =
            |seed| deliver_kind(&kind, &mut Chance::new(seed)).err().map(|error| format!("seed {seed}: {error}"));
        broken.extend((0..4).find_map(tried));
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
