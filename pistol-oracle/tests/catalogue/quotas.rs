//! How much of one author an operation may have in its past.

use pistol_oracle::{Fault, Judgement, Limits, LogId, OperationId, Verdict};

use crate::scene::*;

const LIMITS: Limits = Limits {
    operations_of_one_author: 10,
    operations_of_one_author_in_identities: 10,
    bytes_of_one_author: 1_000,
    bytes_of_one_author_in_identities: 400,
};

fn verdict(judgement: &Judgement, id: OperationId) -> Verdict {
    judgement.operations[&id]
}

/// A line of an author's operations, each of 200 bytes and following on the one before.
fn line(scene: &mut Scene, log: LogId, count: usize) -> Vec<OperationId> {
    let by = if log == IDENTITY { ROOT } else { OWNER };
    let mut line: Vec<OperationId> = vec![];
    for _ in 0..count {
        let prev: Vec<OperationId> = line.last().copied().into_iter().collect();
        line.push(scene.says(log, by, &[], &prev, writer(ALICE)));
    }
    line
}

#[test]
fn an_author_may_go_on_until_its_past_takes_more_bytes_than_may_be() {
    for (log, allowed) in [(DOCUMENT, 6), (IDENTITY, 3)] {
        let mut scene = Scene::members();
        scene.world.limits = LIMITS;
        let line = line(&mut scene, log, allowed + 1);
        let judgement = scene.judge();
        let (last, good) = line.split_last().unwrap();
        assert!(good.iter().all(|id| verdict(&judgement, *id) == Verdict::Valid));
        assert_eq!(verdict(&judgement, *last), Verdict::Invalid(Fault::BytesExceeded));
    }
}

#[test]
fn only_what_is_in_the_past_counts_and_only_what_the_author_wrote() {
    let mut scene = Scene::members();
    scene.world.limits = LIMITS;
    let line = line(&mut scene, DOCUMENT, 6);
    let admin = scene.owner(&[line[3]], admin(BOB));
    let aside = scene.owner(&[admin], writer(ALICE));
    let by_other = scene.says(DOCUMENT, BOB, &[admin], &[line[5], aside], writer(ALICE));
    let both = scene.owner(&[line[4], aside], writer(ALICE));
    let judgement = scene.judge();
    assert!([aside, by_other].iter().all(|id| verdict(&judgement, *id) == Verdict::Valid));
    assert_eq!(verdict(&judgement, both), Verdict::Invalid(Fault::BytesExceeded));
}
