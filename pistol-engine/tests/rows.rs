//! What a node stores of what was typed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use pistol_core::document::skeleton;
use pistol_core::envelope::Envelope;
use pistol_core::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use pistol_core::key::{AuthorKey, Verifier};
use pistol_core::store::{Table, Write};
use pistol_engine::{Catalog, Command, Effect, Engine, Input, Now, Start};
use pistol_sync::node::NodeId;

const NOW: Now = Now { steady_ms: 0, wall_ms: 0 };

fn engine() -> Engine {
    let (key, node) = (AuthorKey::from_seed(&[1; 32]), NodeId([2; 32]));
    let (catalog, peers, owed) = (Catalog::default(), Vec::new(), Vec::new());
    // Snapshots, however many, do not change how rows are cut.
    let (epoch, seed, sessions_continue, snapshot_changes) = ([3; 16], [4; 32], true, 100);
    let open_bytes_max = pistol_engine::OPEN_BYTES;
    let start = Start {
        key,
        node,
        epoch,
        seed,
        sessions_continue,
        snapshot_changes,
        open_bytes_max,
        catalog,
        peers,
        owed,
        invites: vec![],
    };
    Engine::new(start, NOW).unwrap()
}

fn genesis() -> Arc<Genesis> {
    let key = AuthorKey::from_seed(&[1; 32]);
    let terms = Terms {
        kind: Kind::Document,
        roots: vec![key.id()],
        creator: 0,
        policy: Policy::Owned,
        limits: Limits::default(),
        read: Read::Public,
        skeleton: skeleton(|doc| doc.text("body")).unwrap().1,
        space: None,
        authority: Vec::new(),
        app: uuid::Uuid::nil(),
        predecessor: None,
        nonce: [0; 16],
    };
    Arc::new(Genesis::sign(&key, terms).unwrap())
}

/// Ends a tick, and keeps what is to be stored.
fn commit(engine: &mut Engine) -> Vec<Write> {
    let mut effects = Vec::new();
    engine.handle(Input::TickEnd, NOW, &mut effects);
    engine.handle(Input::Stored, NOW, &mut effects);
    let batch = |effect| if let Effect::Store(batch) = effect { batch.writes.clone() } else { Vec::new() };
    effects.into_iter().flat_map(batch).collect()
}

#[test]
fn more_edits_than_one_signature_covers_are_stored_so_that_they_can_be_read() {
    let (mut engine, genesis) = (engine(), genesis());
    let create = Command::Create { genesis: Arc::clone(&genesis), read_key: None };
    engine.handle(Input::Command { token: 1, command: create }, NOW, &mut Vec::new());
    commit(&mut engine);
    for _ in 0..2500 {
        engine.documents().edit(&genesis.id(), NOW, None, |doc| doc.text("body").push("x")).unwrap();
    }
    let is_row = |write: &Write| matches!(write.table, Table::Envelopes | Table::Tail);
    let rows: Vec<_> = commit(&mut engine).into_iter().filter(is_row).filter_map(|write| write.value).collect();
    let envelopes: Vec<_> = rows.iter().map(|row| Envelope::from_bytes(genesis.id(), row).unwrap()).collect();
    let counts: Vec<_> = envelopes.iter().map(|envelope| (envelope.ids().len(), envelope.signatures())).collect();
    assert_eq!(counts, [(1000, 1), (1000, 1), (500, 1)]);
    assert!(envelopes.into_iter().all(|envelope| envelope.verify(&mut Verifier::default()).is_ok()));
}

#[test]
fn full_rows_hold_as_much_as_one_signature_covers_however_it_was_typed() {
    let (mut engine, genesis) = (engine(), genesis());
    let create = Command::Create { genesis: Arc::clone(&genesis), read_key: None };
    engine.handle(Input::Command { token: 1, command: create }, NOW, &mut Vec::new());
    commit(&mut engine);
    let mut rows = std::collections::BTreeMap::new();
    for count in [531, 1, 700, 1999, 469, 300] {
        for _ in 0..count {
            engine.documents().edit(&genesis.id(), NOW, None, |doc| doc.text("body").push("x")).unwrap();
        }
        for write in commit(&mut engine) {
            match write.value.filter(|_| matches!(write.table, Table::Envelopes | Table::Tail)) {
                Some(row) => drop(rows.insert((write.table, write.key), row)),
                None => drop(rows.remove(&(write.table, write.key))),
            }
        }
    }
    let envelopes = rows.iter().map(|((table, _), row)| (*table, Envelope::from_bytes(genesis.id(), row).unwrap()));
    let counts = |(table, envelope): (Table, Envelope)| {
        let count = (envelope.ids().len(), envelope.signatures());
        assert!(envelope.verify(&mut Verifier::default()).is_ok());
        (table == Table::Envelopes, count)
    };
    assert_eq!(envelopes.map(counts).collect::<Vec<_>>(), [(true, (1000, 1)); 4]);
}
