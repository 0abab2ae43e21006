//! What it takes to check a change, step by step.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pistol_core::document::Document;
use pistol_core::envelope::{Envelope, Verified};
use pistol_core::key::Verifier;
use pistol_core::validate::Check;

use super::typed::Typed;
use crate::Outcome;
use crate::figure::Figure;
use crate::samples::{ratio, us_each};

/// Changes in an envelope, as a node seals them.
const LENGTH: usize = 1000;

pub(crate) fn run(typed: &Typed) -> Outcome<Figure> {
    let genesis = Arc::clone(typed.document.history().genesis());
    let id = genesis.id();
    let seal = |changes: &Vec<_>| Verified::seal(id, changes).to_bytes();
    let envelopes: Vec<Vec<u8>> = typed.signed(LENGTH)?.iter().map(seal).collect();
    let (mut parse, mut verify, mut check) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let mut verifier = Verifier::default();
    let mut document = Document::new(genesis)?;
    for bytes in &envelopes {
        let begun = Instant::now();
        let envelope = Envelope::from_bytes(id, bytes)?;
        parse += begun.elapsed();
        let begun = Instant::now();
        let verified = envelope.verify(&mut verifier)?;
        verify += begun.elapsed();
        let begun = Instant::now();
        for change in verified.changes() {
            let Check::Valid(valid) = document.check(change) else { return Err("a change was refused".into()) };
            document.accept(*valid)?;
        }
        check += begun.elapsed();
    }
    let begun = Instant::now();
    document.project()?;
    let projection = begun.elapsed();
    if document.projected_heads() != typed.document.projected_heads() {
        return Err("the projection is not what was typed".into());
    }
    let (canonical, hashed) = canonical(typed);
    let us = |duration| us_each(duration, typed.changes.len());
    let history = document.history();
    Ok(Figure::new("hostile", "validator")
        .with("us_per_change", us(check))
        .with("parse_us", us(parse))
        .with("verify_us", us(verify))
        .with("canonical_us", us(canonical))
        .with("hash_us", us(hashed.saturating_sub(canonical)))
        .with("projection_us", us(projection))
        .with("index_bytes_per_op", ratio(history.index_bytes(), history.operations())))
}

/// The time that canonical bytes take, and that with their hashes.
fn canonical(typed: &Typed) -> (Duration, Duration) {
    let begun = Instant::now();
    let bytes: usize = typed.changes.iter().map(|change| change.change().to_bytes().len()).sum();
    let canonical = begun.elapsed();
    let begun = Instant::now();
    let same = typed.changes.iter().filter(|change| change.change().id() == change.id()).count();
    let hashed = begun.elapsed();
    // Both results are used, so that the work cannot be left out.
    if bytes > 0 && same == typed.changes.len() { (canonical, hashed) } else { (Duration::ZERO, Duration::ZERO) }
}
