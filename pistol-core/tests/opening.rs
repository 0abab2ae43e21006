//! A history written to disk and read again is the same history, and a document opened from a picture the same document.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "opening/picture.rs"]
mod picture;
#[path = "support/replica.rs"]
mod support;

use pistol_core::envelope::VerifiedChange;
use pistol_core::genesis::Limits;
use pistol_core::validate::{History, Restoring, Stretch};
use support::{Dice, Replica, any_edit, genesis, genesis_with};

/// A document of three authors, of whom the first wrote from two machines with one session. Some changes come later.
fn forked(seed: u64) -> (Replica, Vec<VerifiedChange>) {
    let (genesis, mut dice) = (genesis(), Dice(seed));
    let mut replicas: Vec<_> = [1, 1, 2, 3].map(|number| Replica::new(&genesis, number, 7)).into();
    replicas[0].edit(|edit| any_edit(edit, &mut dice)).unwrap();
    let mut all = replicas[0].commit();
    replicas[1].receive(&all);
    for _ in 0..60 {
        let index = dice.below(replicas.len());
        // A session that forked is left.
        if replicas[index].edit(|edit| any_edit(edit, &mut dice)).is_err() {
            replicas[index].session.0 += 1 + index as u64 * 100;
        }
        all.extend(replicas[index].commit());
        if dice.below(4) == 0 && !all.is_empty() {
            let known = all[dice.below(all.len())..].to_vec();
            replicas[dice.below(4)].receive(&known);
        }
    }
    let later = all.split_off(all.len() * 3 / 4);
    dice.shuffle(&mut all);
    let mut reader = Replica::new(&genesis, 9, 1);
    reader.receive(&all);
    (reader, later)
}

fn written(history: &History, changes_most: usize) -> Vec<Stretch> {
    let mut stretches = vec![history.stretch(1, changes_most)];
    while stretches.last().unwrap().end < history.next() {
        stretches.push(history.stretch(stretches.last().unwrap().end, changes_most));
    }
    stretches
}

fn read(history: &History, stretches: &[Stretch]) -> History {
    let mut restoring = Restoring::new(history.genesis().clone()).unwrap();
    stretches.iter().for_each(|stretch| restoring.read(&stretch.bytes).unwrap());
    restoring.finish(&history.heads().collect::<Vec<_>>()).unwrap()
}

#[test]
fn a_history_read_again_is_the_one_that_was_written() {
    let mut forks = 0;
    for seed in 0..40 {
        let (reader, _) = forked(seed);
        let history = reader.document.history();
        for changes_most in [1, 7, 1000] {
            let again = read(history, &written(history, changes_most));
            assert_eq!(format!("{again:?}"), format!("{history:?}"), "seed {seed}");
            assert_eq!(written(&again, 5), written(history, 5), "seed {seed}");
        }
        forks += history.branches().iter().filter(|branch| branch.parent().is_some()).count();
    }
    assert!(forks >= 20, "only {forks} forks");
}

#[test]
fn a_history_read_again_gives_the_same_verdicts() {
    for seed in 0..40 {
        let (mut reader, later) = forked(seed);
        let history = reader.document.history();
        let again = read(history, &written(history, 9));
        let verdicts =
            |history: &History| later.iter().map(|change| format!("{:?}", history.check(change))).collect::<Vec<_>>();
        assert_eq!(verdicts(&again), verdicts(history), "seed {seed}");
        reader.receive(&later);
        assert!(reader.waiting.is_empty(), "seed {seed}");
    }
}

#[test]
fn a_change_of_the_largest_size_is_read_again() {
    let limits = Limits::default();
    let mut writer = Replica::new(&genesis_with(limits), 1, 1);
    writer.edit(|edit| edit.text("body").insert(0, &"x".repeat(20_000))).unwrap();
    writer.edit(|edit| (0..2000).for_each(|key| edit.map("map").put(&format!("{key:0>100}"), key))).unwrap();
    let history = writer.document.history();
    let again = read(history, &written(history, usize::MAX));
    assert_eq!(format!("{again:?}"), format!("{history:?}"));
}

#[test]
fn nothing_but_whole_stretches_in_their_order_is_read() {
    let (reader, _) = forked(3);
    let history = reader.document.history();
    let stretches = written(history, 20);
    let mut restoring = Restoring::new(history.genesis().clone()).unwrap();
    assert!(restoring.read(&stretches[1].bytes).is_err());
    let bytes = &stretches[0].bytes;
    for length in 0..bytes.len() {
        let mut restoring = Restoring::new(history.genesis().clone()).unwrap();
        assert!(restoring.read(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert!(Restoring::new(history.genesis().clone()).unwrap().finish(&[1]).is_err());
}

#[test]
fn no_flipped_bit_of_a_stretch_makes_its_reader_panic() {
    let (reader, later) = forked(5);
    let history = reader.document.history();
    let stretch = history.stretch(1, 1000);
    let heads: Vec<_> = history.heads().collect();
    let mut read = 0;
    for bit in 0..stretch.bytes.len() * 8 {
        let mut bytes = stretch.bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut restoring = Restoring::new(history.genesis().clone()).unwrap();
        if restoring.read(&bytes).is_ok()
            && let Ok(history) = restoring.finish(&heads)
        {
            read += 1;
            later.iter().for_each(|change| drop(history.check(change)));
        }
    }
    // Most of them change an id, which the mark of the stretch would tell.
    assert!(read > 0);
}
