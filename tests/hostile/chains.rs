//! Catalogue rows 16 to 21: signatures over long chains, one's own chain in other hands, and very many of everything.

use std::collections::BTreeSet;
use std::sync::Arc;

use pistol_core::chain::{ChainId, Tip};
use pistol_core::change::{Action, Change, Place, Scalar};
use pistol_core::envelope::{Envelope, Run, Verified, VerifiedChange};
use pistol_core::id::{ChangeId, DocumentId, Link, Session};
use pistol_core::key::Verifier;
use pistol_core::validate::Branch;

use super::hand::{self, Hand, at_key, op, text};
use super::machine::Machine;
use super::scene::{self, Piece, Verdict};
use super::stage::{MAP, Stage, TEXT};
use super::support::{self, Dice};

/// A chain of a stranger's letters under one signature.
fn chain(stage: &mut Stage, length: usize) -> (Vec<VerifiedChange>, Tip) {
    let mut stranger = stage.stranger();
    let letter = || vec![op(TEXT, Place::After(None), text("c"), &[])];
    let all: Vec<_> = (0..length).map(|_| stranger.write(&[], &[], letter())).collect();
    let tip = Tip::sign(&hand::key(9), &stage.genesis.id(), stranger.session, length as u64, stranger.link);
    (all, tip)
}

/// A part of a chain whose last changes are named or left out.
fn part(stage: &Stage, all: &[VerifiedChange], range: std::ops::Range<usize>, tip: Tip) -> Option<Envelope> {
    let bodies = all[range.clone()].iter().map(|change| (0, Arc::clone(change.change()))).collect();
    let withheld = all[range.end..].iter().map(|change| change.id()).collect();
    let (first_seq, base) = (range.start as u64 + 1, all[range.start].base());
    let run = Run { chain: all[0].chain(), first_seq, base, withheld, tip };
    Envelope::new(stage.genesis.id(), vec![run], bodies).ok()
}

#[test]
fn row_16_a_chain_under_one_signature_is_accepted_in_parts_with_and_without_bodies() {
    let mut stage = Stage::new();
    let (all, tip) = chain(&mut stage, 6);
    // Overlapping parts, none of them the whole, and all but the last under named changes.
    for range in [0..2, 1..3, 2..5, 3..6, 4..5] {
        let ids = all[range.clone()].iter().map(|change| change.id()).collect();
        let bytes = part(&stage, &all, range.clone(), tip).unwrap().to_bytes();
        stage.pieces.push(Piece { name: format!("{range:?}"), bytes, ids, verdict: Verdict::Accepted });
    }
    let picture = stage.check(100);
    assert!(all.iter().all(|change| picture.accepted.contains(&change.id())));
}

#[test]
fn row_16_withheld_names_that_are_not_those_signed_are_refused() {
    let mut stage = Stage::new();
    let (all, tip) = chain(&mut stage, 4);
    let run = |withheld: Vec<ChangeId>| Run { chain: all[0].chain(), first_seq: 1, base: all[0].base(), withheld, tip };
    let good: Vec<_> = all[1..].iter().map(|change| change.id()).collect();
    let mut swapped = good.clone();
    swapped.swap(0, 1);
    let mut other = good.clone();
    other[2] = ChangeId([3; 32]);
    for (name, withheld) in [("swapped", swapped), ("another", other)] {
        let bodies = vec![(0, Arc::clone(all[0].change()))];
        let bytes = Envelope::new(stage.genesis.id(), vec![run(withheld)], bodies).unwrap().to_bytes();
        let ids = vec![all[0].id()];
        stage.pieces.push(Piece { name: name.to_owned(), bytes, ids, verdict: Verdict::Unreadable });
    }
    stage.check(60);
}

#[test]
fn row_17_what_comes_after_the_signature_is_no_part_of_an_envelope() {
    let mut stage = Stage::new();
    let (all, tip) = chain(&mut stage, 3);
    let id = stage.genesis.id();
    let run = |tip| Run { chain: all[0].chain(), first_seq: 1, base: all[0].base(), withheld: vec![], tip };
    let bodies = || all.iter().map(|change| (0, Arc::clone(change.change()))).collect::<Vec<_>>();
    let short = Tip::sign(&hand::key(9), &id, tip_session(&all), 2, all[1].link());
    assert!(Envelope::new(id, vec![run(short)], bodies()).is_err(), "a tip before the end is not even written");
    // The tip of the first two, said to be that of all three.
    let stretched = Tip { seq: 3, link: all[2].link(), ..short };
    let bytes = Envelope::new(id, vec![run(stretched)], bodies()).unwrap().to_bytes();
    let ids = all.iter().map(|change| change.id()).collect();
    stage.pieces.push(Piece { name: "an unsigned third".to_owned(), bytes, ids, verdict: Verdict::Unreadable });
    stage.check(60);
    let ids = all.iter().map(|change| change.id()).collect();
    let bytes = Envelope::new(id, vec![run(tip)], bodies()).unwrap().to_bytes();
    stage.pieces.push(Piece { name: "signed to the end".to_owned(), bytes, ids, verdict: Verdict::Accepted });
    stage.check(60);
}

fn tip_session(all: &[VerifiedChange]) -> Session {
    all[0].change().session
}

/// Two machines of one author, as after a profile was copied: what each stored.
fn copied(author: u8) -> (Machine, Machine) {
    let genesis = support::genesis();
    let mut one = Machine::new(author, &genesis);
    one.edit(|edit| edit.text("body").push("before ")).unwrap();
    one.sync();
    let other = one.copy();
    (one, other)
}

fn carry(from: &Machine, to: &mut Machine) {
    let envelopes = from.envelopes();
    to.receive(envelopes.iter().map(Vec::as_slice));
    to.sync();
}

#[test]
fn row_18_who_sees_a_change_of_its_own_that_it_did_not_write_leaves_the_session_and_loses_nothing() {
    let (mut one, mut other) = copied(11);
    for (machine, text) in [(&mut one, "here"), (&mut other, "there")] {
        machine.edit(|edit| edit.text("body").push(text)).unwrap();
        machine.sync();
    }
    carry(&other, &mut one);
    carry(&one, &mut other);
    assert_eq!(one.picture(), other.picture());
    let author = hand::key(11).id();
    assert_eq!(one.picture().forks, BTreeSet::from([author]), "it is told who forked");
    let sessions = |machine: &Machine| {
        machine.look(|insight| {
            insight.document.history().branches().iter().filter_map(Branch::chain).collect::<BTreeSet<ChainId>>()
        })
    };
    let before = sessions(&one);
    for machine in [&mut one, &mut other] {
        machine.edit(|edit| edit.text("body").push("!")).unwrap();
        machine.sync();
    }
    carry(&other, &mut one);
    carry(&one, &mut other);
    assert_eq!(sessions(&one).len(), before.len() + 2, "each goes on in a session of its own");
    assert_eq!(one.picture(), other.picture());
    let shown = one.picture().shown;
    assert!(["before ", "here", "there", "!!"].iter().all(|text| shown.contains(text)), "{shown}");
}

#[test]
fn row_19_what_a_restored_backup_writes_is_merged_with_what_was_written_after_it() {
    let (mut backup, mut one) = copied(12);
    let mut reader = Machine::new(13, &support::genesis());
    one.edit(|edit| edit.text("body").push("after the backup")).unwrap();
    one.sync();
    carry(&one, &mut reader);
    reader.edit(|edit| edit.text("body").push(", read")).unwrap();
    reader.sync();
    // The machine is rolled back as a whole, so nothing tells it; it writes on.
    backup.edit(|edit| edit.text("body").push("and the backup wrote ")).unwrap();
    backup.sync();
    for _ in 0..2 {
        carry(&reader, &mut backup);
        carry(&backup, &mut reader);
    }
    assert_eq!(reader.picture(), backup.picture());
    let shown = reader.picture().shown;
    let all = ["before ", "after the backup", ", read", "and the backup wrote "];
    assert!(all.iter().all(|text| shown.contains(text)), "{shown}");
    backup.crash(true);
    assert_eq!(reader.picture(), backup.picture(), "also after a start");
}

const TURNS: usize = 10_000;
/// How often everything is sent.
const PASSES: usize = 4;

/// Two authors who write in turn, each on the other's last.
fn in_turn(document: DocumentId, count: usize) -> [Vec<(Change, Link)>; 2] {
    let mut hands = [Hand::new(document, 1, 1), Hand::new(document, 2, 1)];
    let mut all = [vec![], vec![]];
    let mut last: Option<ChangeId> = None;
    for turn in 0..count * 2 {
        let hand = &mut hands[turn % 2];
        let ops = if turn % 100 == 0 { vec![op(TEXT, Place::After(None), text("t"), &[])] } else { vec![] };
        let others: Vec<_> = last.into_iter().collect();
        let change = hand.draft(&others, &[], ops);
        let (base, id) = (hand.link, change.id());
        (hand.seq, hand.link, hand.last) = (change.seq, base.then(&id), Some(id));
        last = Some(id);
        all[turn % 2].push((change, base));
    }
    all
}

/// One author's changes in envelopes of one signature: none can be taken whole before the other's.
fn envelopes_of_one(document: DocumentId, author: u8, all: &[(Change, Link)], size: usize) -> Vec<Vec<u8>> {
    let envelope = |part: &[(Change, Link)]| {
        let ((first, base), (last, before)) = (&part[0], &part[part.len() - 1]);
        let tip = Tip::sign(&hand::key(author), &document, last.session, last.seq, before.then(&last.id()));
        let chain = ChainId { author: first.author, session: first.session };
        let run = Run { chain, first_seq: first.seq, base: *base, withheld: vec![], tip };
        let bodies = part.iter().map(|(change, _)| (0, Arc::new(change.clone()))).collect();
        Envelope::new(document, vec![run], bodies).unwrap().to_bytes()
    };
    all.chunks(size).map(envelope).collect()
}

#[test]
fn row_20_two_authors_who_write_in_turn_ten_thousand_times_each_do_not_wait_for_each_other_for_ever() {
    let genesis = support::genesis();
    let all = in_turn(genesis.id(), TURNS);
    let mut first = None;
    for (seed, size) in [(1, 1000), (2, 170)] {
        let mut machine = Machine::new(101, &genesis);
        let [one, other] = [0, 1].map(|at| envelopes_of_one(genesis.id(), at as u8 + 1, &all[at], size));
        // The worst order: all of one, then all of the other from the end.
        let mut pieces: Vec<_> = one.into_iter().chain(other.into_iter().rev()).collect();
        if seed > 1 {
            Dice(seed).shuffle(&mut pieces);
        }
        // Twice as much as a node lets wait: what had no room comes again.
        for _ in 0..PASSES {
            for batch in pieces.chunks(8) {
                machine.receive(batch.iter().map(Vec::as_slice));
                machine.sync();
            }
        }
        let picture = machine.picture();
        assert_eq!(picture.accepted.len(), 2 * TURNS);
        assert_eq!(*first.get_or_insert(picture.clone()), picture, "envelopes of {size}");
    }
}

#[test]
fn row_20_two_authors_in_one_envelope_are_read_in_one() {
    let genesis = support::genesis();
    let all = in_turn(genesis.id(), 500);
    let (mut runs, mut bodies) = (vec![], vec![]);
    for (at, changes) in all.iter().enumerate() {
        let (last, before) = changes.last().unwrap();
        let tip = Tip::sign(&hand::key(at as u8 + 1), &genesis.id(), last.session, last.seq, before.then(&last.id()));
        let chain = ChainId { author: last.author, session: last.session };
        runs.push(Run { chain, first_seq: 1, base: changes[0].1, withheld: vec![], tip });
    }
    for turn in 0..1000 {
        bodies.push((turn % 2, Arc::new(all[turn % 2][turn / 2].0.clone())));
    }
    let envelope = Envelope::new(genesis.id(), runs, bodies).unwrap();
    assert_eq!(envelope.signatures(), 2);
    let verified: Verified = envelope.clone().verify(&mut Verifier::default()).unwrap();
    let ids = verified.changes().iter().map(|change| change.id()).collect();
    let name = "a thousand changes by two".to_owned();
    let piece = Piece { name, bytes: envelope.to_bytes(), ids, verdict: Verdict::Accepted };
    scene::check(&genesis, &[piece], 3);
}

#[test]
fn row_21_a_thousand_heads_are_accepted_and_one_edit_makes_them_few() {
    let genesis = support::genesis();
    let put = |number: u64| op(MAP, at_key(&format!("{}", number % 7)), Action::Put(Scalar::Uint(number)), &[]);
    let mut all: Vec<VerifiedChange> =
        (0..1000).map(|session| Hand::new(genesis.id(), 9, session).write(&[], &[], vec![put(session)])).collect();
    let mut machines: Vec<_> = (101..104).map(|number| Machine::new(number, &genesis)).collect();
    for (machine, seed) in machines.iter_mut().zip(1..) {
        Dice(seed).shuffle(&mut all);
        for part in all.chunks(100) {
            let bytes = Verified::seal(genesis.id(), part).to_bytes();
            machine.receive([bytes.as_slice()]);
            machine.sync();
        }
        // They come with rests between them.
        machine.rest();
        assert_eq!(machine.look(|insight| insight.document.history().heads().len()), 1000);
        machine.crash(true);
    }
    let (editor, others) = machines.split_first_mut().unwrap();
    editor.edit(|edit| edit.map("map").put("edited", 1)).unwrap();
    editor.sync();
    assert_eq!(editor.look(|insight| insight.document.history().heads().len()), 1);
    for other in others {
        carry(editor, other);
        assert_eq!(editor.picture(), other.picture());
    }
}
