//! One hostile history, given to three replicas in three orders: they must agree, and nothing honest may be lost.

use std::collections::BTreeSet;

use pistol_core::chain::ChainId;
use pistol_core::document::{EditAs, EditError};
use pistol_core::envelope::{Envelope, Verified, VerifiedChange};
use pistol_core::id::{ChangeId, Session};

use super::forge::Forge;
use super::kinds::{self, Expected, Kind, Make};
use super::replica::{Picture, Replica};
use super::stage::{Stage, any_edit};
use crate::chance::Chance;
use crate::finding::{Divergence, Outcome, promise};
use crate::sealing;

/// How many replicas must agree.
const REPLICAS: usize = 3;

/// Delivers a history of any kind.
///
/// # Errors
/// [`Divergence`]
pub fn deliver(chance: &mut Chance) -> Outcome {
    let kinds = kinds::all();
    match chance.pick(&kinds) {
        Some(kind) => deliver_kind(kind, chance),
        None => Ok(false),
    }
}

/// Delivers a history of any kind into a large text, where readers are shown each change as it comes: by transactions,
/// as far as that goes. Another replica shows all at once.
///
/// # Errors
/// [`Divergence`]
pub fn deliver_live(chance: &mut Chance) -> Outcome {
    let kinds = kinds::all();
    let kind = chance.pick(&kinds).ok_or_else(|| Divergence::new("there is no kind"))?;
    let stage = chance.pick(Stage::large()).ok_or_else(|| Divergence::new("there is no stage"))?;
    let Forge { given, failure, .. } = forged(stage, kind, chance);
    failure?;
    let given: Vec<VerifiedChange> = given.into_iter().map(|(change, _)| change).collect();
    let mut replicas = vec![Replica::new(&stage.genesis)?, Replica::new(&stage.genesis)?];
    if let [live, at_once] = replicas.as_mut_slice() {
        at_once.receive(&stage.honest)?;
        at_once.receive(&given)?;
        for change in stage.honest.iter().chain(&given) {
            live.receive(std::slice::from_ref(change))?;
            live.project()?;
        }
    }
    let picture =
        same_picture(&mut replicas).map_err(|divergence| Divergence::new(format!("{}: {divergence}", kind.name)))?;
    go_on(&mut replicas, chance)?;
    Ok(given.iter().any(|change| picture.accepted.contains(&change.id())))
}

/// Delivers a history of any kind into a document of first writers: what is good elsewhere may be refused there, since it
/// touches what is Ann's, and everybody must refuse the same.
///
/// # Errors
/// [`Divergence`]
pub fn deliver_among_first_writers(chance: &mut Chance) -> Outcome {
    let kinds = kinds::all();
    let kind = chance.pick(&kinds).ok_or_else(|| Divergence::new("there is no kind"))?;
    let stage = chance.pick(Stage::of_first_writers()).ok_or_else(|| Divergence::new("there is no stage"))?;
    let Forge { given, failure, .. } = forged(stage, kind, chance);
    failure?;
    let other = |expected| if expected == Expected::Accepted { Expected::Either } else { expected };
    let given: Vec<_> = given.into_iter().map(|(change, expected)| (change, other(expected))).collect();
    let agreed = agree(stage, &given, chance);
    agreed.map_err(|divergence| Divergence::new(format!("{} among first writers: {}", kind.name, divergence.0)))
}

/// Delivers a history with one kind of mutation.
///
/// # Errors
/// [`Divergence`]
pub fn deliver_kind(kind: &Kind, chance: &mut Chance) -> Outcome {
    let stage = chance.pick(Stage::all()).ok_or_else(|| Divergence::new("there is no stage"))?;
    let Forge { given, failure, .. } = forged(stage, kind, chance);
    let outcome = failure.and_then(|()| agree(stage, &given, chance));
    outcome.map_err(|divergence| Divergence::new(format!("{}: {}", kind.name, divergence.0)))
}

fn forged<'a>(stage: &'a Stage, kind: &Kind, chance: &mut Chance) -> Forge<'a> {
    let mut forge = Forge::new(stage, Chance::new(chance.number()));
    match kind.make {
        Make::Alter(alter) => {
            let hand = forge.any_hand();
            let mut draft = forge.draft(hand);
            alter(&mut draft);
            forge.give(draft, kind.expected);
        }
        Make::Scene(scene) => scene(&mut forge),
    }
    forge
}

/// The changes of a hostile history of any kind, in any order, and what a replica accepts of them.
///
/// # Errors
/// [`Divergence`]
pub fn any_history(chance: &mut Chance) -> Result<(Vec<VerifiedChange>, BTreeSet<ChangeId>), Divergence> {
    let (stage, kinds) = (chance.pick(Stage::all()), kinds::all());
    let (Some(stage), Some(kind)) = (stage, chance.pick(&kinds)) else {
        return Err(Divergence::new("there is no stage"));
    };
    let given = forged(stage, kind, chance).given;
    let mut all: Vec<VerifiedChange> =
        stage.honest.iter().chain(given.iter().map(|(change, _)| change)).cloned().collect();
    // What cannot be written as bytes does not travel.
    let document = stage.genesis.id();
    all.retain(|change| {
        let bytes = Verified::seal(document, std::slice::from_ref(change)).to_bytes();
        Envelope::from_bytes(document, &bytes).is_ok()
    });
    chance.shuffle(&mut all);
    let mut replica = Replica::new(&stage.genesis)?;
    replica.receive(&all)?;
    let accepted = replica.picture()?.accepted;
    Ok((all, accepted))
}

fn agree(stage: &Stage, given: &[(VerifiedChange, Expected)], chance: &mut Chance) -> Outcome {
    let late = if chance.one_in(4) { chance.index(stage.honest.len()) } else { usize::MAX };
    let late = stage.honest.get(late);
    let is_late = |change: &&VerifiedChange| late.is_some_and(|late| late.id() == change.id());
    let honest: Vec<VerifiedChange> = stage.honest.iter().filter(|change| !is_late(change)).cloned().collect();
    let all: Vec<VerifiedChange> = honest.iter().chain(given.iter().map(|(change, _)| change)).cloned().collect();
    let mut replicas = (0..REPLICAS).map(|_| Replica::new(&stage.genesis)).collect::<Result<Vec<_>, _>>()?;
    for replica in &mut replicas {
        replica.receive_anyhow(&all, chance)?;
    }
    let mut picture = same_picture(&mut replicas)?;
    let is_there = independent_of(&honest, late.map(|late| late.id())).iter().all(|id| picture.accepted.contains(id));
    promise(is_there, "an honest change is not accepted though nothing is missing")?;
    if let Some(late) = late {
        for replica in &mut replicas {
            replica.receive(std::slice::from_ref(late))?;
        }
        picture = same_picture(&mut replicas)?;
        promise(stage.honest.iter().all(|change| picture.accepted.contains(&change.id())), "an honest change is lost")?;
    }
    for (change, expected) in given {
        let is_accepted = picture.accepted.contains(&change.id());
        promise(*expected != Expected::Accepted || is_accepted, "a good change is refused")?;
        promise(*expected != Expected::Refused || !is_accepted, "a bad change is accepted")?;
    }
    if chance.one_in(3) {
        go_on(&mut replicas, chance)?;
    }
    Ok(given.iter().any(|(change, _)| picture.accepted.contains(&change.id())))
}

fn same_picture(replicas: &mut [Replica]) -> Result<Picture, Divergence> {
    let pictures = replicas.iter_mut().map(Replica::picture).collect::<Result<Vec<_>, _>>()?;
    let mut pictures = pictures.into_iter();
    let first = pictures.next().ok_or_else(|| Divergence::new("no replica"))?;
    for other in pictures {
        promise(other.accepted == first.accepted, "replicas accept different changes")?;
        promise(other.refused == first.refused, "replicas refuse different changes, or for different reasons")?;
        promise(other.waiting == first.waiting, "replicas wait for different changes")?;
        promise(other == first, "replicas accept the same and show different things")?;
    }
    Ok(first)
}

/// The honest changes whose past does not hold a change.
fn independent_of(honest: &[VerifiedChange], late: Option<ChangeId>) -> Vec<ChangeId> {
    let mut dependent: BTreeSet<ChangeId> = late.into_iter().collect();
    let mut independent = Vec::new();
    for change in honest {
        if change.change().deps.iter().any(|dep| dependent.contains(dep)) {
            dependent.insert(change.id());
        } else {
            independent.push(change.id());
        }
    }
    independent
}

/// Somebody honest edits what came of it, and the others accept that.
fn go_on(replicas: &mut [Replica], chance: &mut Chance) -> Result<(), Divergence> {
    let key = sealing::author(8);
    let by = EditAs {
        chain: ChainId { author: key.id(), session: Session(1) },
        time_ms: 9,
        message: None,
        authority: &[],
        judge: pistol_acl::allow,
    };
    let Some((editor, others)) = replicas.split_first_mut() else { return Ok(()) };
    let made = editor.document.edit(&by, |edit| any_edit(edit, chance));
    let made = match made {
        Ok(made) => made,
        Err(error @ (EditError::Failed(_) | EditError::Refused(_))) => {
            return Err(Divergence::new(format!("an honest edit fails afterwards: {error}")));
        }
        // What the edit wanted to change is something else now, as the application is told.
        Err(_) => return Ok(()),
    };
    let unsigned: Vec<_> = made.changes.into_iter().map(|accepted| accepted.change).collect();
    if unsigned.is_empty() {
        return Ok(());
    }
    let document = editor.document.history().genesis().id();
    let signed = Verified::sign(&key, document, &unsigned).map_err(|error| Divergence::new(error.to_string()))?;
    editor.project()?;
    let heads = editor.document.projected_heads();
    for other in others {
        other.receive(signed.changes())?;
        other.project()?;
        promise(other.document.projected_heads() == heads, "an honest edit afterwards parts the replicas")?;
    }
    Ok(())
}
