//! A document as a file: read in full, with every signature and rule, before anything of it is taken in.

use std::sync::LazyLock;

use pistol_core::envelope::{Verified, VerifiedChange};
use pistol_core::hash::{Context, hash};
use pistol_engine::export::{Exported, write};

use crate::chance::Chance;
use crate::finding::{Outcome, promise};
use crate::history::stage::Stage;
use crate::mutate::mutate;

/// Bytes of the hash at the end.
const HASH_BYTES: usize = 32;

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| Stage::all().iter().take(8).map(exported).collect());

/// Makes what inputs begin with.
pub(super) fn prepare() {
    let _ = SEEDS.len();
}

fn exported(stage: &'static Stage) -> Vec<u8> {
    let seal = |changes: &[VerifiedChange]| Verified::seal(stage.genesis.id(), changes).to_bytes();
    let envelopes: Vec<Vec<u8>> = stage.honest.chunks(3).map(seal).collect();
    write(stage.genesis.bytes(), None, &envelopes)
}

/// Gives the bytes of a file.
///
/// # Errors
/// [`crate::finding::Divergence`] if a file is read as two different documents.
pub fn accepts(bytes: &[u8]) -> Outcome {
    let Ok(read) = Exported::read(bytes) else {
        return Ok(false);
    };
    let again = Exported::read(bytes).map(|again| (again.document(), again.changes()));
    promise(again.ok() == Some((read.document(), read.changes())), "a file is read as two documents")?;
    Ok(true)
}

/// Honest files.
pub fn seeds() -> Vec<Vec<u8>> {
    SEEDS.clone()
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let mut bytes = chance.pick(&SEEDS).cloned().unwrap_or_default();
    let other = chance.pick(&SEEDS).cloned().unwrap_or_default();
    if !chance.one_in(50) {
        mutate(&mut bytes, &other, chance);
    }
    // Mostly under a right hash: else nothing gets further.
    if !chance.one_in(8) {
        bytes.truncate(bytes.len().saturating_sub(HASH_BYTES));
        bytes.extend(hash(Context::Export, &[&bytes]));
    }
    accepts(&bytes)
}
