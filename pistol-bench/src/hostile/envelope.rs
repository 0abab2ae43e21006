//! How small and how fast envelopes are, beside Automerge's bundles of the same changes. An envelope holds a thousand
//! changes at most, so ten thousand are ten envelopes in a row, beside one bundle of them all.

use std::time::{Duration, Instant};

use automerge::{Automerge, Bundle, ChangeHash};
use pistol_core::envelope::{Envelope, Verified};
use pistol_core::limits::ENVELOPE_CHANGES_MAX;

use super::typed::Typed;
use crate::Outcome;
use crate::figure::Figure;
use crate::samples::{ratio, us_each};

/// Stretches of each length that are measured, spread over the history.
const SAMPLES: usize = 200;

/// Bytes and times of a kind of container.
#[derive(Default)]
struct Cost {
    bytes: usize,
    encode: Duration,
    decode: Duration,
}

pub(crate) fn run(typed: &Typed) -> Outcome<()> {
    let raw = Automerge::load(&typed.document.save())?;
    let hashes: Vec<ChangeHash> = raw.get_changes_meta(&[]).iter().map(|meta| meta.hash).collect();
    // The document's first change is the skeleton, which has no author.
    let skeletons = hashes.len().checked_sub(typed.changes.len()).ok_or("changes are missing")?;
    let hashes = hashes.get(skeletons..).ok_or("changes are missing")?;
    for length in [10, 100, 1000, 10_000] {
        let step = (typed.changes.len() / length / SAMPLES).max(1);
        let in_envelope = length.min(ENVELOPE_CHANGES_MAX);
        let envelopes = typed.signed(in_envelope)?;
        let stretches = envelopes.chunks(length / in_envelope).zip(hashes.chunks(length));
        let whole = stretches.filter(|(_, hashes)| hashes.len() == length);
        let (mut own, mut bundle, mut count) = (Cost::default(), Cost::default(), 0);
        for (envelopes, hashes) in whole.step_by(step) {
            count += hashes.len();
            envelopes.iter().try_for_each(|changes| seal(typed, changes, &mut own))?;
            put_in_bundle(&raw, hashes, &mut bundle)?;
        }
        let us = |duration| us_each(duration, count);
        let bytes = |bytes| ratio(bytes, count);
        Figure::new("hostile", "envelope")
            .with("length", length)
            .with("authors", typed.keys.len())
            .with("bytes_per_keystroke", bytes(own.bytes))
            .with("encode_us", us(own.encode))
            .with("decode_us", us(own.decode))
            .with("bundle_bytes_per_keystroke", bytes(bundle.bytes))
            .with("bundle_encode_us", us(bundle.encode))
            .with("bundle_decode_us", us(bundle.decode))
            .print();
    }
    Ok(())
}

fn seal(typed: &Typed, changes: &[pistol_core::envelope::VerifiedChange], cost: &mut Cost) -> Outcome<()> {
    let document = typed.document.history().genesis().id();
    let begun = Instant::now();
    let bytes = Verified::seal(document, changes).to_bytes();
    cost.encode += begun.elapsed();
    cost.bytes += bytes.len();
    let begun = Instant::now();
    let envelope = Envelope::from_bytes(document, &bytes)?;
    cost.decode += begun.elapsed();
    if envelope.ids().len() == changes.len() { Ok(()) } else { Err("an envelope lost changes".into()) }
}

fn put_in_bundle(raw: &Automerge, hashes: &[ChangeHash], cost: &mut Cost) -> Outcome<()> {
    let begun = Instant::now();
    let bundle = raw.bundle(hashes.iter().copied())?;
    cost.encode += begun.elapsed();
    let bytes = bundle.bytes().to_vec();
    cost.bytes += bytes.len();
    let begun = Instant::now();
    let changes = Bundle::try_from(bytes.as_slice())?.to_changes()?;
    cost.decode += begun.elapsed();
    if changes.len() == hashes.len() { Ok(()) } else { Err("a bundle lost changes".into()) }
}
