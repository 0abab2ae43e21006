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
    /// A replica that holds part of the history, kept as long as no input changes it.
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

/// Gives the bytes of an envelope.
///
/// # Errors
/// [`Divergence`] if an envelope that was read is another one when it is written and read again, or if what was
/// accepted cannot be shown.
pub fn accepts(bytes: &[u8]) -> Outcome {
    let Ok(envelope) = Envelope::from_bytes(bytes) else {
        return Ok(false);
    };
    let again = Envelope::from_bytes(&envelope.to_bytes());
    promise(again.as_ref() == Ok(&envelope), "an envelope changes when it is stored")?;
    let Ok(verified) = envelope.verify(&mut Verifier::default()) else {
        return Ok(false);
    };
    with_replica(|replica| {
        if verified.document() != replica.document.history().genesis().id() {
            return Ok(false);
        }
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
    let mut replica = match kept {
        Some(replica) => replica,
        None => {
            let stage = honest()?.stage;
            let mut replica = Replica::new(&stage.genesis)?;
            replica.receive(stage.honest.get(..stage.honest.len() / 2).unwrap_or_default())?;
            replica.project()?;
            replica
        }
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
    mutate(&mut inside, other.inside(), chance);
    accepts(&run.seal(&inside))
}
