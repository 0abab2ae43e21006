//! A document that shows a picture in place of projecting its changes is the document that was pictured, and goes on like
//! it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "support/replica.rs"]
mod support;

use pistol_core::document::Opened;
use pistol_core::envelope::VerifiedChange;
use pistol_core::id::{ChangeId, Session};
use support::{Dice, Replica, any_edit, genesis};

/// A document of three authors, of whom the first wrote from two machines with one session. Some changes come later.
fn forked(seed: u64) -> (Known, Vec<VerifiedChange>) {
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
    (Known { reader, changes: all }, later)
}

/// A reader, and what it was given.
struct Known {
    reader: Replica,
    changes: Vec<VerifiedChange>,
}

impl Known {
    /// What a picture of the reader's document is made of.
    fn picture(&mut self) -> (Vec<ChangeId>, Opened) {
        self.reader.document.project().unwrap();
        let picture = self.reader.document.picture().unwrap();
        assert_eq!(picture.end(), self.reader.document.history().next());
        (picture.heads().to_vec(), Opened::load(&picture.save().unwrap()).unwrap())
    }

    /// A replica that accepted the same, in another order, and shows nothing.
    fn unshown(&self, seed: u64) -> Replica {
        let mut again = Replica::new(self.reader.document.history().genesis(), 9, 1);
        let mut changes = self.changes.clone();
        Dice(seed).shuffle(&mut changes);
        again.receive(&changes);
        again
    }

    /// The same document, shown by a picture.
    fn reopened(&mut self, seed: u64) -> Replica {
        let (heads, opened) = self.picture();
        let mut again = self.unshown(seed);
        assert!(again.document.show_picture(&heads, opened));
        again
    }
}

fn check(one: &mut Replica, other: &mut Replica, seed: u64) {
    assert_eq!(one.picture(), other.picture(), "seed {seed}");
    assert_eq!(one.document.log(), other.document.log(), "seed {seed}");
}

#[test]
fn a_document_opened_from_a_picture_is_the_one_that_was_pictured() {
    for seed in 0..40 {
        let (mut known, _) = forked(seed);
        let mut again = known.reopened(seed);
        let mut reader = known.reader;
        check(&mut again, &mut reader, seed);
    }
}

/// Takes changes in, and shows them after each few.
fn go_on(replica: &mut Replica, later: &[VerifiedChange], dice: &mut Dice) {
    for change in later {
        replica.receive(std::slice::from_ref(change));
        if dice.below(3) == 0 {
            replica.document.project_cheap();
            replica.document.project().unwrap();
        }
    }
}

#[test]
fn a_document_opened_from_a_picture_goes_on_like_the_one_that_was_pictured() {
    for seed in 0..40 {
        let (mut known, mut later) = forked(seed);
        let mut again = known.reopened(seed);
        let mut reader = known.reader;
        let mut dice = Dice(seed);
        dice.shuffle(&mut later);
        go_on(&mut reader, &later, &mut dice.clone());
        go_on(&mut again, &later, &mut dice.clone());
        check(&mut again, &mut reader, seed);
    }
}

#[test]
fn a_session_that_forks_after_the_picture_is_renamed_as_everywhere() {
    for seed in 0..40 {
        let (mut known, _) = forked(seed);
        let mut dice = Dice(seed);
        let mut type_on = |replica: &mut Replica| {
            replica.edit(|edit| any_edit(edit, &mut dice)).unwrap();
            replica.commit()
        };
        for _ in 0..2 {
            let typed = type_on(&mut known.reader);
            known.changes.extend(typed);
        }
        // The other goes on in the same session.
        let mut again = known.reopened(seed);
        let mut reader = known.reader;
        let (here, there) = (type_on(&mut reader), type_on(&mut again));
        reader.receive(&there);
        again.receive(&here);
        assert_eq!(reader.picture(), again.picture(), "seed {seed}");
    }
}

#[test]
fn edits_of_a_document_opened_from_a_picture_are_taken_by_those_that_were_not() {
    for seed in 0..40 {
        let (mut known, later) = forked(seed);
        let mut again = known.reopened(seed);
        let mut reader = known.reader;
        (again.session, reader.session) = (Session(3), Session(4));
        let mut dice = Dice(seed);
        for change in &later {
            again.edit(|edit| any_edit(edit, &mut dice)).unwrap();
            again.receive(std::slice::from_ref(change));
        }
        let own = again.commit();
        reader.receive(&later);
        reader.receive(&own);
        assert_eq!(again.picture(), reader.picture(), "seed {seed}");
    }
}

#[test]
fn a_picture_of_other_changes_is_not_shown() {
    let (mut one, later) = forked(1);
    let (mut other, _) = forked(2);
    let (heads, picture) = one.picture();
    let (other_heads, other_picture) = other.picture();
    let mut again = one.unshown(7);
    let before = again.document.behind();
    // Another document's, by what it says, by its heads, and by both; an empty one; one of fewer changes.
    let empty = Opened::load(&[]).map(|empty| (heads.clone(), empty));
    let others = [(heads.clone(), other_picture.clone()), (other_heads.clone(), picture.clone())];
    for (heads, picture) in others.into_iter().chain([(other_heads, other_picture)]).chain(empty) {
        assert!(!again.document.show_picture(&heads, picture));
        assert_eq!(again.document.behind(), before, "what is not shown is still to be projected");
    }
    let mut more = one.unshown(8);
    more.receive(&later);
    assert!(!more.document.show_picture(&heads, picture.clone()));
    assert!(again.document.show_picture(&heads, picture.clone()));
    assert!(!again.document.show_picture(&heads, picture), "it is shown already");
    assert_eq!(again.picture(), one.reader.picture());
}

#[test]
fn there_is_no_picture_of_what_readers_do_not_see_yet() {
    let (Known { mut reader, .. }, later) = forked(4);
    reader.document.project().unwrap();
    reader.receive(&later);
    assert!(reader.document.is_behind() && reader.document.picture().is_none());
}
