//! A document opened from a picture is byte for byte the document that was pictured, and goes on like it.

use pistol_core::document::{Document, Opened};
use pistol_core::envelope::VerifiedChange;
use pistol_core::id::Session;

use super::support::{Dice, Replica, any_edit};
use super::{forked, read, written};

/// The same document, through a picture and stretches.
fn reopened(reader: &mut Replica) -> Replica {
    reader.document.project().unwrap();
    let picture = reader.document.picture().unwrap();
    let history = reader.document.history();
    let history = read(history, &written(history, 50));
    assert_eq!(picture.heads(), history.heads().collect::<Vec<_>>());
    let document = Document::open_picture(history, Opened::load(&picture.save().unwrap()).unwrap()).unwrap();
    let mut again = Replica::new(document.history().genesis(), 9, 1);
    again.document = document;
    again
}

fn check(one: &mut Replica, other: &mut Replica, seed: u64) {
    assert_eq!(one.picture(), other.picture(), "seed {seed}");
    assert_eq!(one.document.log(), other.document.log(), "seed {seed}");
}

#[test]
fn a_document_opened_from_a_picture_is_the_one_that_was_pictured() {
    for seed in 0..40 {
        let (mut reader, _) = forked(seed);
        let mut again = reopened(&mut reader);
        assert_eq!(again.document.save(), reader.document.save(), "seed {seed}");
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
        let (mut reader, mut later) = forked(seed);
        let mut again = reopened(&mut reader);
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
        let (mut reader, _) = forked(seed);
        let mut dice = Dice(seed);
        let mut type_on = |replica: &mut Replica| {
            replica.edit(|edit| any_edit(edit, &mut dice)).unwrap();
            replica.commit()
        };
        type_on(&mut reader);
        type_on(&mut reader);
        // The other goes on in the same session.
        let mut again = reopened(&mut reader);
        let (here, there) = (type_on(&mut reader), type_on(&mut again));
        reader.receive(&there);
        again.receive(&here);
        assert_eq!(reader.picture(), again.picture(), "seed {seed}");
    }
}

#[test]
fn edits_of_a_document_opened_from_a_picture_are_taken_by_those_that_were_not() {
    for seed in 0..40 {
        let (mut reader, later) = forked(seed);
        let mut again = reopened(&mut reader);
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
fn a_picture_of_another_document_is_not_opened() {
    let (mut one, _) = forked(1);
    let (mut other, _) = forked(2);
    other.document.project().unwrap();
    let save = other.document.picture().unwrap().save().unwrap();
    one.document.project().unwrap();
    let history = one.document.history();
    let opened = Opened::load(&save).unwrap();
    assert!(Document::open_picture(read(history, &written(history, 9)), opened).is_none());
    let empty = Opened::load(&[]);
    assert!(empty.is_none_or(|empty| Document::open_picture(read(history, &written(history, 9)), empty).is_none()));
}

#[test]
fn there_is_no_picture_of_what_readers_do_not_see_yet() {
    let (mut reader, later) = forked(4);
    reader.document.project().unwrap();
    reader.receive(&later);
    assert!(reader.document.is_behind() && reader.document.picture().is_none());
}
