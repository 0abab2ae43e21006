//! What arrives at three machines in many orders, and what must become of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use pistol_core::document::EditError;
use pistol_core::envelope::{Envelope, Verified, VerifiedChange};
use pistol_core::genesis::{Genesis, Policy};
use pistol_core::id::{ChangeId, DocumentId};
use pistol_core::key::Verifier;
use pistol_core::validate::Rule;

use super::machine::{Machine, Picture};
use super::support::Dice;

/// What must become of an envelope's changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    Refused(Rule),
    /// Something that it depends on never comes.
    Waiting,
    /// The envelope cannot be read, or is not signed by whom it names.
    Unreadable,
    /// Unreadable or refused: the form is wrong, and whether envelopes can say it is theirs to decide.
    Never,
}

/// An envelope under way.
#[derive(Clone, Debug)]
pub struct Piece {
    pub name: String,
    pub bytes: Vec<u8>,
    pub ids: Vec<ChangeId>,
    pub verdict: Verdict,
}

impl Piece {
    /// Changes in one envelope.
    pub fn of(name: &str, verdict: Verdict, genesis: &Genesis, changes: &[VerifiedChange]) -> Self {
        let ids = changes.iter().map(|change| change.id()).collect();
        let bytes = Verified::seal(genesis.id(), changes).to_bytes();
        Piece { name: name.to_owned(), bytes, ids, verdict }
    }

    fn is_readable(&self, document: DocumentId) -> bool {
        let read = Envelope::from_bytes(document, &self.bytes);
        read.is_ok_and(|envelope| envelope.verify(&mut Verifier::default()).is_ok())
    }
}

/// The orders that are tried: these, or those that a person asks for.
pub fn seeds(count: u64) -> std::ops::Range<u64> {
    #[allow(clippy::disallowed_methods, reason = "a person asks for other orders so")]
    let given = std::env::var("HOSTILE_SEEDS").ok();
    let given = given.and_then(|text| text.split_once("..").and_then(|(a, b)| Some(a.parse().ok()?..b.parse().ok()?)));
    given.unwrap_or(0..count)
}

/// Delivers everything to three machines in each of many orders, and compares all that must not differ.
pub fn check(genesis: &Arc<Genesis>, pieces: &[Piece], orders: u64) -> Picture {
    for piece in pieces {
        let expected = piece.verdict != Verdict::Unreadable;
        let is_right = piece.verdict == Verdict::Never || piece.is_readable(genesis.id()) == expected;
        assert!(is_right, "{}: the bytes can be read, or cannot", piece.name);
    }
    let mut first: Option<Picture> = None;
    for seed in seeds(orders) {
        let delivered = std::panic::catch_unwind(|| deliver(genesis, pieces, seed));
        let picture = delivered.unwrap_or_else(|_| panic!("HOSTILE_SEEDS={seed}..{}", seed + 1));
        match &first {
            Some(first) => assert_eq!(picture, *first, "seed {seed}: another order, another document"),
            None => first = Some(picture),
        }
    }
    first.unwrap()
}

fn deliver(genesis: &Arc<Genesis>, pieces: &[Piece], seed: u64) -> Picture {
    let mut dice = Dice(seed);
    let mut machines: Vec<_> = (101..104).map(|number| Machine::new(number, genesis)).collect();
    for machine in &mut machines {
        carry(machine, pieces, &mut dice);
    }
    let pictures: Vec<_> = machines.iter_mut().map(Machine::picture).collect();
    for (machine, picture) in machines.iter().zip(&pictures) {
        judge(genesis.id(), machine, picture, pieces);
        assert_eq!(*picture, pictures[0], "machines differ");
    }
    if dice.below(4) == 0 {
        go_on(&mut machines, &mut dice);
    }
    pictures.into_iter().next().unwrap()
}

/// Brings everything to one machine, in any order and in any parts, through whatever may happen to it.
fn carry(machine: &mut Machine, pieces: &[Piece], dice: &mut Dice) {
    let mut order: Vec<&[u8]> = pieces.iter().map(|piece| piece.bytes.as_slice()).collect();
    dice.shuffle(&mut order);
    let mut rest = order.as_slice();
    while !rest.is_empty() {
        let (batch, after) = rest.split_at((1 + dice.below(7)).min(rest.len()));
        machine.receive(batch.iter().copied());
        match dice.below(8) {
            0..=2 => machine.sync(),
            3 => machine.crash(dice.below(2) == 0),
            _ => {}
        }
        rest = after;
    }
    // Who is not told that something is durable sends it again.
    dice.shuffle(&mut order);
    machine.receive(order.iter().copied());
    machine.sync();
    if dice.below(2) == 0 {
        machine.picture();
    }
    // What waits for others is not kept: it comes again.
    machine.crash(true);
    dice.shuffle(&mut order);
    machine.receive(order.iter().copied());
    machine.sync();
}

fn judge(document: DocumentId, machine: &Machine, picture: &Picture, pieces: &[Piece]) {
    let with = |verdict| pieces.iter().filter(move |piece| piece.verdict == verdict).flat_map(|piece| &piece.ids);
    let expected: BTreeSet<ChangeId> = with(Verdict::Accepted).copied().collect();
    for piece in pieces {
        let rules: BTreeSet<Rule> =
            piece.ids.iter().filter_map(|id| machine.refused.get(id)).flatten().copied().collect();
        let is_accepted = piece.ids.iter().all(|id| picture.accepted.contains(id));
        match piece.verdict {
            Verdict::Accepted => assert!(is_accepted, "{} is not accepted: {rules:?}", piece.name),
            Verdict::Refused(rule) => assert_eq!(rules, BTreeSet::from([rule]), "{}", piece.name),
            Verdict::Waiting | Verdict::Unreadable => assert!(rules.is_empty(), "{}: {rules:?}", piece.name),
            Verdict::Never => {
                assert!(!rules.is_empty() || !piece.is_readable(document), "{} is not refused", piece.name);
            }
        }
    }
    assert_eq!(picture.accepted, expected, "nothing else is accepted");
    machine.look(|insight| {
        let loaded = automerge::Automerge::load(&insight.document.save()).expect("what is saved can be loaded");
        let heads: Vec<_> = loaded.get_heads().iter().map(|head| head.0).collect();
        assert_eq!(heads, picture.heads, "what is saved is what was shown");
    });
}

/// Somebody honest writes on, and the others take it.
fn go_on(machines: &mut [Machine], dice: &mut Dice) {
    let (editor, others) = machines.split_first_mut().unwrap();
    let policy = editor.look(|insight| insight.document.history().genesis().terms().policy);
    let is_of_first_writers = matches!(policy, Policy::FirstWriter { .. });
    for _ in 0..3 {
        match editor.edit(|edit| super::support::any_edit(edit, dice)) {
            Ok(()) => {}
            Err(EditError::Refused(Rule::Policy)) => return,
            // There it may be somebody else's, or what its owner made of it.
            Err(EditError::NotYours { .. } | EditError::OtherKind { .. }) if is_of_first_writers => return,
            Err(error) => panic!("an honest edit fails: {error}"),
        }
        editor.sync();
    }
    let stored = editor.envelopes();
    let picture = editor.picture();
    for other in others {
        other.receive(stored.iter().map(Vec::as_slice));
        other.sync();
        let seen = other.picture();
        assert_eq!(
            (seen.accepted, seen.heads, seen.shown),
            (picture.accepted.clone(), picture.heads.clone(), picture.shown.clone())
        );
    }
}
