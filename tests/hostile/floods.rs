//! Catalogue rows 45 and 46: quotas that everybody counts alike, and floods that honest work passes.

use pistol_core::change::{Action, Op, Place, Scalar};
use pistol_core::envelope::{Verified, VerifiedChange};
use pistol_core::genesis::Limits;
use pistol_core::id::ChangeId;
use pistol_core::validate::Rule;

use super::hand::{Hand, at_key, op, text};
use super::machine::Machine;
use super::scene::Verdict::{Accepted, Refused};
use super::stage::{Stage, TEXT};
use super::support::{Dice, genesis};

fn puts(count: usize) -> Vec<Op> {
    vec![op(None, at_key("q"), Action::Put(Scalar::Null), &[]); count]
}

#[test]
fn row_45_a_quota_of_operations_ends_a_chain_at_the_same_change_everywhere() {
    let mut stage = Stage::with(Limits { ops_per_chain: 20, ..Limits::default() });
    let mut hand = stage.stranger();
    for _ in 0..4 {
        let change = hand.write(&[], &[], puts(5));
        stage.give("within the quota", Accepted, &change);
    }
    let mut fork = hand.clone();
    let over = hand.write(&[], &[], puts(1));
    stage.give("past the quota", Refused(Rule::ChainTooLong), &over);
    let after = hand.write(&[], &[], vec![]);
    stage.give("after what was refused", Refused(Rule::Dependencies), &after);
    let empty = fork.write(&[], &[], vec![]);
    stage.give("no operation more: another way on", Accepted, &empty);
    stage.check(100);
}

#[test]
fn row_45_a_quota_of_bytes_ends_a_chain_at_the_same_change_everywhere() {
    let one = Hand::new(genesis().id(), 9, 1).write(&[], &[], puts(60)).bytes() as u64;
    let next = {
        let mut hand = Hand::new(genesis().id(), 9, 1);
        hand.write(&[], &[], puts(60));
        hand.write(&[], &[], puts(60)).bytes() as u64
    };
    let mut stage = Stage::with(Limits { bytes_per_chain: one + next, ..Limits::default() });
    let mut hand = stage.stranger();
    for _ in 0..2 {
        let change = hand.write(&[], &[], puts(60));
        stage.give("within the quota", Accepted, &change);
    }
    let over = hand.write(&[], &[], vec![]);
    stage.give("past the quota", Refused(Rule::ChainTooLong), &over);
    stage.check(60);
}

fn sealed(genesis: &pistol_core::genesis::Genesis, changes: &[VerifiedChange]) -> Vec<u8> {
    Verified::seal(genesis.id(), changes).to_bytes()
}

/// What a flood's envelopes are.
fn flood(kind: &str) -> Vec<Vec<u8>> {
    let genesis = genesis();
    let letter = |letter: &str| vec![op(TEXT, Place::After(None), text(letter), &[])];
    let puppet = |session: u64| Hand::new(genesis.id(), 9, session);
    let all: Vec<VerifiedChange> = match kind {
        "puppets" => (0..1000u64)
            .map(|number| {
                Hand::new(genesis.id(), u8::try_from(120 + number % 100).unwrap(), number).write(&[], &[], letter("p"))
            })
            .collect(),
        "orphans" => (0..12_000u64)
            .map(|number| {
                let mut never = [7; 32];
                never[..8].copy_from_slice(&number.to_le_bytes());
                let orphan = puppet(number % 250);
                orphan.sign(orphan.draft(&[ChangeId(never)], &[], vec![]))
            })
            .collect(),
        "forks" => (0..500u64).map(|number| puppet(1).write(&[], &[], letter(&number.to_string()))).collect(),
        _ => (0..600u64)
            .map(|number| {
                let puppet = puppet(number);
                let mut change = puppet.draft(&[], &[], vec![]);
                change.time_ms = u64::MAX;
                puppet.sign(change)
            })
            .collect(),
    };
    all.chunks(200).map(|part| sealed(&genesis, part)).collect()
}

#[test]
fn row_46_honest_work_passes_floods_of_puppets_orphans_forks_and_what_is_refused() {
    let genesis = genesis();
    for kind in ["puppets", "orphans", "forks", "refused"] {
        let flood = flood(kind);
        let mut machines: Vec<_> = (101..104).map(|number| Machine::new(number, &genesis)).collect();
        for round in 0..3u64 {
            let (writer, readers) = machines.split_first_mut().unwrap();
            writer.edit(|edit| edit.map("map").put(&format!("honest {round}"), round)).unwrap();
            writer.sync();
            let honest = writer.envelopes();
            for reader in readers {
                let mut bytes: Vec<_> = flood.iter().chain(&honest).map(Vec::as_slice).collect();
                Dice(round).shuffle(&mut bytes);
                reader.receive(bytes);
                reader.sync();
                let shown = reader.picture().shown;
                assert!(shown.contains(&format!("honest {round}")), "{kind}: {shown}");
            }
        }
        let [_, one, other] = &mut machines[..] else { unreachable!() };
        one.crash(true);
        assert_eq!(one.picture(), other.picture(), "{kind}");
    }
}
