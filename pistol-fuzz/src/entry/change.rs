//! The canonical bytes of a change, mutated, and signed by its author again.

use pistol_core::change::Change;
use pistol_core::envelope::VerifiedChange;

use super::envelope::{accepts as accepts_envelope, mutate_end, with_replica};
use crate::chance::Chance;
use crate::finding::{Outcome, promise};
use crate::history::stage::Stage;
use crate::sealing;

/// Gives the canonical bytes of a change, and the change as its author would send it after `place`.
///
/// # Errors
/// [`crate::finding::Divergence`] if it is written as other bytes, or as for an envelope.
pub fn accepts(bytes: &[u8], place: usize) -> Outcome {
    let Ok(change) = Change::from_bytes(bytes) else {
        return Ok(false);
    };
    promise(change.to_bytes() == bytes, "a change has two canonical forms")?;
    let Some(stage) = Stage::all().first() else {
        return Ok(false);
    };
    let base = if change.seq == 1 {
        pistol_core::chain::ChainId { author: change.author, session: change.session }.root(&stage.genesis.id())
    } else {
        let before = stage.honest.get(place.checked_rem(stage.honest.len()).unwrap_or(0));
        before.map_or(pistol_core::id::Link([0; 32]), |change| change.base())
    };
    let document = stage.genesis.id();
    if let Some(change) = sealing::sign(document, base, change.clone()) {
        with_replica(|replica| {
            let before = replica.document.history().next();
            replica.receive(std::slice::from_ref(&change))?;
            replica.picture().map(|_| replica.document.history().next() > before)
        })?;
    }
    match sealing::envelope(document, base, change) {
        Some(envelope) => accepts_envelope(&envelope.to_bytes()),
        None => Ok(false),
    }
}

/// Bytes for coverage-guided targets to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    honest().iter().map(|change| change.change().to_bytes()).collect()
}

fn honest() -> &'static [VerifiedChange] {
    Stage::all().first().map(|stage| stage.honest.as_slice()).unwrap_or_default()
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let place = chance.index(honest().len());
    let mut bytes = honest().get(place).map(|change| change.change().to_bytes()).unwrap_or_default();
    let other = chance.pick(honest()).map(|change| change.change().to_bytes()).unwrap_or_default();
    mutate_end(&mut bytes, &other, chance);
    accepts(&bytes, place)
}
