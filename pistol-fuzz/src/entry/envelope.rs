//! Envelopes, all the way: decode, verify, check, accept, project, on a document with a history.

use std::cell::RefCell;
use std::sync::LazyLock;

use pistol_core::envelope::{Envelope, Verified, VerifiedChange};
use pistol_core::key::Verifier;

use crate::chance::Chance;
use crate::finding::{Divergence, Outcome, promise};
use crate::history::replica::Replica;
use crate::history::stage::Stage;
use crate::mutate::mutate;
use crate::sealing::OneRun;

/// Envelopes of the stage's honest changes, as bytes.
struct Honest {
    stage: &'static Stage,
    sealed: Vec<Vec<u8>>,
    runs: Vec<OneRun>,
}

static HONEST: LazyLock<Option<Honest>> = LazyLock::new(Honest::new);

thread_local! {
    /// A replica that holds the history, kept as long as no input changes it.
    static REPLICA: RefCell<Option<Replica>> = const { RefCell::new(None) };
}

impl Honest {
    fn new() -> Option<Honest> {
        let stage = Stage::all().first()?;
        let document = stage.genesis.id();
        let seal = |changes: &[VerifiedChange]| Verified::seal(document, changes).to_bytes();
        let mut sealed: Vec<Vec<u8>> = stage.honest.iter().map(|change| seal(std::slice::from_ref(change))).collect();
        sealed.push(seal(&stage.honest));
        sealed.extend(stage.honest.chunks(3).map(seal));
        let mut runs: Vec<OneRun> =
            stage.honest.iter().filter_map(|change| OneRun::new(document, std::slice::from_ref(change))).collect();
        let chains: std::collections::BTreeSet<_> = stage.honest.iter().map(|change| change.chain()).collect();
        for chain in chains {
            let of_chain: Vec<VerifiedChange> =
                stage.honest.iter().filter(|change| change.chain() == chain).cloned().collect();
            runs.extend(OneRun::new(document, &of_chain));
        }
        Some(Honest { stage, sealed, runs })
    }
}

/// Makes what inputs begin with.
pub fn prepare() {
    let _ = HONEST.is_some();
    let _ = with_replica(|_| Ok(false));
}

fn honest() -> Result<&'static Honest, Divergence> {
    HONEST.as_ref().ok_or_else(|| Divergence::new("there is no honest history"))
}

/// Gives the bytes of an envelope of the document.
///
/// # Errors
/// [`Divergence`] if an envelope that was read is another one when it is written and read again, or if what was
/// accepted cannot be shown.
pub fn accepts(bytes: &[u8]) -> Outcome {
    let document = honest()?.stage.genesis.id();
    let Ok(envelope) = Envelope::from_bytes(document, bytes) else {
        return Ok(false);
    };
    let again = Envelope::from_bytes(document, &envelope.to_bytes());
    promise(again.as_ref() == Ok(&envelope), "an envelope changes when it is stored")?;
    let Ok(verified) = envelope.verify(&mut Verifier::default()) else {
        return Ok(false);
    };
    with_replica(|replica| {
        let before = replica.document.history().next();
        replica.receive(verified.changes())?;
        let is_new = replica.document.history().next() > before;
        if is_new {
            replica.picture()?;
            replica.reload()?;
        }
        Ok(is_new)
    })
}

/// Runs with the replica that every input begins with; one that an input changed is thrown away.
pub(super) fn with_replica(run: impl FnOnce(&mut Replica) -> Outcome) -> Outcome {
    let kept = REPLICA.take();
    let mut replica = if let Some(replica) = kept {
        replica
    } else {
        let stage = honest()?.stage;
        let mut replica = Replica::new(&stage.genesis)?;
        replica.receive(&stage.honest)?;
        replica.project()?;
        replica
    };
    let outcome = run(&mut replica);
    if outcome == Ok(false) && replica.is_idle() {
        REPLICA.set(Some(replica));
    }
    outcome
}

/// Bytes for coverage-guided targets to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    HONEST.as_ref().map(|honest| honest.sealed.clone()).unwrap_or_default()
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let honest = honest()?;
    if chance.one_in(3) {
        let mut bytes = chance.pick(&honest.sealed).cloned().unwrap_or_default();
        let other = chance.pick(&honest.sealed).cloned().unwrap_or_default();
        mutate(&mut bytes, &other, chance);
        return accepts(&bytes);
    }
    let (Some(run), Some(other)) = (chance.pick(&honest.runs), chance.pick(&honest.runs)) else {
        return Ok(false);
    };
    let mut inside = run.inside().to_vec();
    mutate_end(&mut inside, other.inside(), chance);
    accepts(&run.seal(&inside))
}

/// Mutates what comes last: what comes before it is nearly all hashes, where a flip says little.
pub(super) fn mutate_end(bytes: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    let room = if chance.one_in(4) { bytes.len() } else { 60 };
    let last = 1 + chance.index(room);
    let mut end = bytes.split_off(bytes.len().saturating_sub(last));
    mutate(&mut end, other, chance);
    bytes.extend(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inside_that_was_not_mutated_is_sealed_as_it_was() {
        let runs = &HONEST.as_ref().unwrap().runs;
        assert!(runs.len() > 5, "{}", runs.len());
        for run in runs {
            assert_eq!(run.seal(run.inside()), run.bytes);
        }
    }

    #[test]
    fn what_is_mutated_inside_passes_the_signatures() {
        let (mut read, mut verified) = (0, 0);
        let runs = &HONEST.as_ref().unwrap().runs;
        for number in 0..2000 {
            let mut chance = Chance::new(number);
            let run = chance.pick(runs).unwrap();
            let mut inside = run.inside().to_vec();
            mutate(&mut inside, &[], &mut chance);
            let envelope = Envelope::from_bytes(run.document, &run.seal(&inside)).ok();
            read += usize::from(envelope.is_some());
            verified += usize::from(envelope.is_some_and(|envelope| envelope.verify(&mut Verifier::default()).is_ok()));
        }
        assert!(verified > 100 && verified == read, "{read} read, {verified} verified");
    }
}
