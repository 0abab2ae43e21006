//! Rows of a document are damaged or lost: what is left is kept, nothing is shown as whole that is not, and a peer sends the
//! rest again.

use pistol_core::id::DocumentId;
use pistol_core::store::memory::MemoryStore;
use pistol_core::store::{Batch, Row, Store, Table};
use pistol_engine::{Command, DocumentState, Effect, Input, Reply, ReplyError};

use super::machine::{Machine, exchange, pair};

/// What happens to a row.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Lost,
    Altered,
    Cut,
}

const KINDS: [Damage; 3] = [Damage::Lost, Damage::Altered, Damage::Cut];

fn damage(store: &mut MemoryStore, table: Table, (key, value): &Row, damage: Damage) {
    let mut batch = Batch::default();
    match damage {
        Damage::Lost => batch.remove(table, key.as_slice()),
        Damage::Altered => {
            let mut altered = value.clone();
            altered[value.len() / 2] ^= 1;
            batch.put(table, key.as_slice(), altered);
        }
        Damage::Cut => batch.put(table, key.as_slice(), &value[..value.len() / 2]),
    }
    store.commit(&batch).unwrap();
}

/// Without a snapshot all rows are read.
fn drop_snapshot(store: &mut MemoryStore) {
    let mut batch = Batch::default();
    for (key, _) in store.range(Table::Snapshots, b"", &[0xff; 64], usize::MAX).unwrap() {
        batch.remove(Table::Snapshots, key);
    }
    store.commit(&batch).unwrap();
}

/// Two nodes that hold the same changes, written in turn: the first of them are long, and so lie in full rows.
fn equal_pair() -> (Machine, Machine, DocumentId) {
    let (mut one, mut other, document) = pair();
    for number in 0..6 {
        one.write(document, &format!("one {number} ").repeat(if number < 3 { 1500 } else { 1 }));
        one.sync();
        exchange(1, &mut one, &mut other);
        other.sync();
        other.write(document, &format!("other {number} "));
        other.sync();
        exchange(1, &mut one, &mut other);
        one.sync();
    }
    assert_eq!(one.text(document), other.text(document));
    (one, other, document)
}

/// What opening the document is answered, if it is.
fn answer(machine: &mut Machine) -> Option<Result<Reply, ReplyError>> {
    let last = machine.effects.iter().rev().find_map(|effect| match effect {
        Effect::Reply { reply, .. } => Some(reply.clone()),
        _ => None,
    });
    machine.effects.retain(|effect| !matches!(effect, Effect::Reply { .. }));
    last
}

fn open(machine: &mut Machine, document: DocumentId) -> Option<Result<Reply, ReplyError>> {
    machine.effects.clear();
    machine.command(Command::Open(document));
    machine.sync();
    machine.give(Input::Wake);
    // Whoever is known is not there.
    let dial = |effect: &Effect| if let Effect::Dial { peer, .. } = effect { Some(*peer) } else { None };
    let dialled: Vec<_> = machine.effects.iter().filter_map(dial).collect();
    for peer in dialled {
        machine.give(Input::DialFailed { peer, reason: "nobody is there".to_owned() });
    }
    answer(machine)
}

fn meet(one: &mut Machine, other: &mut Machine) {
    one.connected(7, other, true);
    other.connected(7, one, false);
    for _ in 0..6 {
        exchange(7, one, other);
        one.sync();
        other.sync();
    }
}

#[test]
fn each_row_that_is_lost_or_damaged_comes_back_from_a_peer() {
    let (one, other, document) = equal_pair();
    let tables = [Table::Envelopes, Table::Tail, Table::Ends];
    let rows = tables.map(|table| (table, one.rows(table)));
    assert!(rows.iter().all(|(_, rows)| !rows.is_empty()), "there are rows of each kind");
    for (table, rows) in &rows {
        // Each kind at some row of each table, and each row in one way.
        for (row, kind) in rows.iter().cycle().take(rows.len().max(KINDS.len())).zip(KINDS.into_iter().cycle()) {
            let table = *table;
            // An end has no check of its own: where it rests on a disk, the row's check makes it one that is lost.
            let kind = if table == Table::Ends && matches!(kind, Damage::Altered) { Damage::Lost } else { kind };
            let mut again = one.restarted_on(|store| {
                drop_snapshot(store);
                damage(store, table, row, kind);
            });
            let mut peer = other.restarted_on(|_| ());
            let opened = open(&mut again, document);
            let is_open = matches!(opened, Some(Ok(_)));
            // Without its end a log holds all that is known of.
            assert_eq!(is_open, table == Table::Ends, "{table:?} {kind:?}: {opened:?}");
            assert!(is_open || matches!(opened, Some(Err(ReplyError::Damaged(_)))), "{opened:?}");
            open(&mut peer, document);
            again.join(document, &peer);
            meet(&mut again, &mut peer);
            assert!(matches!(answer(&mut again), Some(Ok(_))), "{table:?} {kind:?}");
            assert_eq!(again.text(document), one.text(document), "{table:?} {kind:?}");
            assert_eq!(again.heads(document), one.heads(document));
            let mut alone = again.restarted();
            assert!(matches!(open(&mut alone, document), Some(Ok(_))), "{table:?} {kind:?} is repaired on disk");
            assert_eq!(alone.text(document), one.text(document));
            assert_eq!(alone.rows(Table::Ends).len(), 1, "nothing is set aside any more");
        }
    }
}

#[test]
fn what_is_readable_behind_the_damage_is_kept_until_the_rest_has_come() {
    let (mut one, other, document) = equal_pair();
    one.write(document, "only here");
    one.sync();
    let expected = one.text(document);
    let first = (Table::Envelopes, one.rows(Table::Envelopes)[0].clone());
    let mut again = one.restarted_on(|store| {
        drop_snapshot(store);
        damage(store, first.0, &first.1, Damage::Altered);
    });
    assert!(matches!(open(&mut again, document), Some(Err(_))));
    // Also over restarts.
    let mut again = again.restarted().restarted();
    let mut peer = other.restarted_on(|_| ());
    open(&mut peer, document);
    open(&mut again, document);
    again.join(document, &peer);
    meet(&mut again, &mut peer);
    assert_eq!(again.text(document), expected);
    assert_eq!(peer.text(document), expected);
}

#[test]
fn a_damaged_document_takes_no_other_with_it() {
    let (one, _, document) = equal_pair();
    let mut one = one.restarted();
    let other = one.create();
    one.sync();
    one.write(other, "another");
    one.sync();
    let row = one.rows(Table::Envelopes)[0].clone();
    let mut again = one.restarted_on(|store| {
        drop_snapshot(store);
        damage(store, Table::Envelopes, &row, Damage::Cut);
    });
    assert!(matches!(open(&mut again, document), Some(Err(_))));
    assert!(matches!(open(&mut again, other), Some(Ok(_))));
    assert_eq!(again.text(other), "another");
}

fn state(machine: &Machine, document: DocumentId) -> DocumentState {
    machine.engine.documents().look(&document, |insight| insight.state.clone()).unwrap()
}

#[test]
fn a_row_that_is_damaged_while_the_document_is_open_is_written_again_with_what_a_peer_sends() {
    let (one, other, document) = equal_pair();
    let rows = one.rows(Table::Envelopes);
    for (row, kind) in rows.iter().zip(KINDS.into_iter().cycle()) {
        let mut again = one.restarted_on(|_| ());
        assert!(matches!(open(&mut again, document), Some(Ok(_))));
        damage(&mut again.store, Table::Envelopes, row, kind);
        // Somebody wants all of it.
        let mut reader = Machine::new(3);
        reader.join(document, &again);
        reader.connected(5, &again, true);
        again.connected(5, &reader, false);
        for _ in 0..3 {
            exchange(5, &mut reader, &mut again);
            reader.sync();
            again.sync();
        }
        assert!(state(&again, document).unsendable > 0, "{kind:?}");
        let mut peer = other.restarted_on(|_| ());
        open(&mut peer, document);
        again.join(document, &peer);
        meet(&mut again, &mut peer);
        assert_eq!(state(&again, document).unsendable, 0, "{kind:?}");
        for _ in 0..6 {
            again.now_ms += 1000;
            again.give(Input::Wake);
            exchange(5, &mut reader, &mut again);
            reader.now_ms += 10_000;
            reader.give(Input::Wake);
            reader.sync();
            again.sync();
        }
        assert_eq!(reader.text(document), one.text(document), "{kind:?}");
        let mut alone = again.restarted_on(drop_snapshot);
        assert!(matches!(open(&mut alone, document), Some(Ok(_))), "{kind:?}: every row is whole");
        assert_eq!(alone.text(document), one.text(document));
    }
}

#[test]
fn of_a_damaged_pack_all_rows_are_known_to_be_lost_at_once() {
    let (one, _, document) = equal_pair();
    let mut again = one.restarted();
    assert!(matches!(open(&mut again, document), Some(Ok(_))));
    let keys: Vec<Vec<u8>> = again.rows(Table::Envelopes).into_iter().map(|(key, _)| key).collect();
    let [first, .., last] = keys.as_slice() else { panic!("{} rows", keys.len()) };
    again.damaged_pack = Some((first.clone(), last.clone()));
    let mut reader = Machine::new(3);
    reader.join(document, &again);
    reader.connected(5, &again, true);
    again.connected(5, &reader, false);
    exchange(5, &mut reader, &mut again);
    let (_, ordinal) = pistol_core::store::schema::envelope_position(last).unwrap();
    assert!(state(&again, document).unsendable >= ordinal, "{} before {ordinal}", state(&again, document).unsendable);
}
