//! Rows 42 and 43 of the catalogue: whose entries are, on whole nodes. Rows 30 to 41 and 47 to 49 are about members and
//! names, of which only the judge knows so far: `pistol-acl/tests/catalogue`.

#![allow(missing_docs, unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "../pistol-core/tests/support/hand.rs"]
mod hand;
#[allow(dead_code, reason = "shared with the tests of hostile input")]
#[path = "hostile/machine.rs"]
mod machine;
#[allow(dead_code, reason = "shared with the tests of hostile input")]
#[path = "hostile/scene.rs"]
mod scene;
#[path = "../pistol-core/tests/support/replica.rs"]
mod support;

use std::sync::Arc;

use hand::{Hand, at_key, key, op, text};
use pistol_core::change::{Action, Kind, Mark, Op, Place, Reference, Scalar};
use pistol_core::envelope::VerifiedChange;
use pistol_core::genesis::{Genesis, Insert, Policy, Terms};
use pistol_core::id::ChangeId;
use pistol_core::validate::Rule;
use scene::{Piece, Verdict};

const ORDERS: u64 = 200;
const ROOT: u8 = 0;
const ANN: u8 = 1;
const BOB: u8 = 2;
const TEXT: Option<Reference> = Some(Reference::Skeleton(0));
const LIST: Option<Reference> = Some(Reference::Skeleton(1));
const MAP: Option<Reference> = Some(Reference::Skeleton(2));

const WALL: Policy = Policy::FirstWriter { insert: Insert::Anywhere, shared_counters: false, shared_slots: false };

fn genesis(policy: Policy) -> Arc<Genesis> {
    let terms = Terms { policy, ..support::genesis().terms().clone() };
    Arc::new(Genesis::sign(&support::author(0), terms).unwrap())
}

fn id(number: u8) -> String {
    key(number).id().to_string()
}

fn put(object: Option<Reference>, place: Place, pred: &[Reference]) -> Op {
    op(object, place, text("mine"), pred)
}

fn mark(object: Option<Reference>) -> Vec<Op> {
    let begin = Mark { name: "bold".to_owned(), value: Scalar::Bool(true), expand: false };
    let begin = op(object, Place::After(None), Action::MarkBegin(Box::new(begin)), &[]);
    vec![begin, op(object, Place::After(None), Action::MarkEnd { expand: false }, &[])]
}

/// What Ann has, by the numbers of her operations, in words that name them: [`Reference::Own`] or [`Reference::Entry`].
struct Anns(fn(u32) -> Reference);

/// Her map at her key.
const HER_MAP: u32 = 0;
/// A value in it.
const VALUE: u32 = 1;
/// A counter in it.
const COUNTER: u32 = 2;
/// Her text in it.
const HER_TEXT: u32 = 3;
/// Her list in it.
const HER_LIST: u32 = 4;
/// A letter of hers in everybody's text.
const LETTER: u32 = 5;
/// An item of hers in everybody's list.
const ITEM: u32 = 6;

impl Anns {
    fn made() -> Vec<Op> {
        let map = Some(Reference::Own(HER_MAP));
        vec![
            op(None, at_key(&id(ANN)), Action::Make(Kind::Map), &[]),
            put(map, at_key("value"), &[]),
            op(map, at_key("counter"), Action::Put(Scalar::Counter(1)), &[]),
            op(map, at_key("text"), Action::Make(Kind::Text), &[]),
            op(map, at_key("list"), Action::Make(Kind::List), &[]),
            op(TEXT, Place::After(None), text("a"), &[]),
            op(LIST, Place::After(None), text("a"), &[]),
        ]
    }

    /// What nobody but Ann may do with her things.
    fn hers_to_do(&self) -> Vec<(&'static str, Vec<Op>)> {
        let of = |number| self.0(number);
        let one = |name, op| (name, vec![op]);
        vec![
            one("a value replaced", put(Some(of(HER_MAP)), at_key("value"), &[of(VALUE)])),
            one("a value put beside hers", put(Some(of(HER_MAP)), at_key("value"), &[])),
            one("a value put at a free key of her map", put(Some(of(HER_MAP)), at_key("free"), &[])),
            one("an object made in her map", op(Some(of(HER_MAP)), at_key("free"), Action::Make(Kind::Text), &[])),
            one("a value deleted", op(Some(of(HER_MAP)), at_key("value"), Action::Delete, &[of(VALUE)])),
            one(
                "a counter incremented",
                op(Some(of(HER_MAP)), at_key("counter"), Action::Increment(1), &[of(COUNTER)]),
            ),
            one("a letter deleted", op(TEXT, Place::At(of(LETTER)), Action::Delete, &[of(LETTER)])),
            one("an item replaced", put(LIST, Place::At(of(ITEM)), &[of(ITEM)])),
            one("an item put beside hers", put(LIST, Place::At(of(ITEM)), &[])),
            one("an item deleted", op(LIST, Place::At(of(ITEM)), Action::Delete, &[of(ITEM)])),
            one("her map deleted", op(None, at_key(&id(ANN)), Action::Delete, &[of(HER_MAP)])),
            one("her key taken", put(None, at_key(&id(ANN)), &[])),
            one("a key under hers taken", put(None, at_key(&format!("{}/x", id(ANN))), &[])),
            ("her text marked", mark(Some(of(HER_TEXT)))),
        ]
    }

    /// What neither of the two may do.
    fn nobodys_to_do() -> Vec<(&'static str, Vec<Op>)> {
        vec![
            ("a plain key of the root", vec![put(None, at_key("plain"), &[])]),
            ("a key beside one's own", vec![put(None, at_key(&format!("{}x", id(BOB))), &[])]),
            ("a key in the creator's map", vec![put(MAP, at_key("value"), &[])]),
            ("a mark in the creator's text", mark(TEXT)),
        ]
    }

    /// What everybody may do.
    fn everybodys_to_do(&self, number: u8) -> Vec<(&'static str, Vec<Op>)> {
        let of = |number| self.0(number);
        let after = |number| Place::After(Some(of(number)));
        vec![
            ("a key of one's own", vec![put(None, at_key(&id(number)), &[])]),
            ("a key under one's own", vec![put(None, at_key(&format!("{}/x", id(number))), &[])]),
            ("a letter after hers", vec![op(TEXT, after(LETTER), text("b"), &[])]),
            ("a letter in her text", vec![op(Some(of(HER_TEXT)), Place::After(None), text("b"), &[])]),
            ("an item in her list", vec![op(Some(of(HER_LIST)), Place::After(None), text("b"), &[])]),
        ]
    }
}

/// Somebody's changes after Ann's first, each in a session of its own.
struct Attempts {
    genesis: Arc<Genesis>,
    first: VerifiedChange,
    sessions: u64,
    pieces: Vec<Piece>,
}

impl Attempts {
    fn new(policy: Policy) -> Self {
        let genesis = genesis(policy);
        let first = Hand::new(genesis.id(), ANN, 1).write(&[], &[], Anns::made());
        let piece = Piece::of("Ann's", Verdict::Accepted, &genesis, std::slice::from_ref(&first));
        Attempts { genesis, first, sessions: 1, pieces: vec![piece] }
    }

    fn give(&mut self, verdict: Verdict, number: u8, (name, ops): (&str, Vec<Op>)) -> ChangeId {
        self.sessions += 1;
        let id = self.first.id();
        let is_named = ops.iter().any(names_another);
        let table = if is_named { vec![id] } else { vec![] };
        let change = Hand::new(self.genesis.id(), number, self.sessions).write(&[id], &table, ops);
        let name = format!("{name}, by {number}");
        self.pieces.push(Piece::of(&name, verdict, &self.genesis, std::slice::from_ref(&change)));
        change.id()
    }
}

fn names_another(op: &Op) -> bool {
    let place = match op.place {
        Place::Key(_) | Place::After(None) => None,
        Place::After(Some(element)) | Place::At(element) => Some(element),
    };
    let named = op.object.into_iter().chain(place).chain(op.pred.iter().copied());
    named.into_iter().any(|reference| matches!(reference, Reference::Entry(..)))
}

const FOREIGN: Verdict = Verdict::Refused(Rule::FirstWriter);

#[test]
fn row_42_nobody_changes_what_ann_wrote_with_or_without_pred_the_documents_root_neither() {
    let anns = Anns(|number| Reference::Entry(0, number));
    for number in [BOB, ROOT] {
        let mut attempts = Attempts::new(WALL);
        for attempt in anns.hers_to_do() {
            attempts.give(FOREIGN, number, attempt);
        }
        scene::check(&attempts.genesis, &attempts.pieces, ORDERS);
    }
}

#[test]
fn row_42_ann_changes_what_is_hers_in_any_session_of_her_key_and_everybody_adds() {
    let mut attempts = Attempts::new(WALL);
    let anns = Anns(|number| Reference::Entry(0, number));
    for attempt in anns.hers_to_do() {
        attempts.give(Verdict::Accepted, ANN, attempt);
    }
    for number in [ANN, BOB] {
        for attempt in anns.everybodys_to_do(number) {
            attempts.give(Verdict::Accepted, number, attempt);
        }
    }
    for attempt in Anns::nobodys_to_do() {
        attempts.give(FOREIGN, BOB, attempt);
    }
    attempts.give(Verdict::Accepted, ROOT, ("a plain key", vec![put(None, at_key("plain"), &[])]));
    scene::check(&attempts.genesis, &attempts.pieces, ORDERS);
}

#[test]
fn row_42_what_the_document_opens_is_open_and_nothing_else() {
    let anns = Anns(|number| Reference::Entry(0, number));
    let named = |name: &str| {
        let all = anns.hers_to_do().into_iter().chain(anns.everybodys_to_do(BOB));
        all.into_iter().find(|(known, _)| *known == name).unwrap()
    };
    let policy = |insert, shared_counters, shared_slots| Policy::FirstWriter { insert, shared_counters, shared_slots };
    for (policy, open, shut) in [
        (policy(Insert::OwnObject, false, false), "a key of one's own", "a letter in her text"),
        (policy(Insert::Anywhere, true, false), "a counter incremented", "a value replaced"),
        (policy(Insert::Anywhere, false, true), "a value put beside hers", "a value replaced"),
    ] {
        let mut attempts = Attempts::new(policy);
        // Where one inserts in one's own objects only, Ann's letter in the creator's text is refused, and all on it.
        if policy == (Policy::FirstWriter { insert: Insert::OwnObject, shared_counters: false, shared_slots: false }) {
            let ops = Anns::made().into_iter().take(5).collect();
            let first = Hand::new(attempts.genesis.id(), ANN, 1).write(&[], &[], ops);
            attempts.pieces =
                vec![Piece::of("Ann's", Verdict::Accepted, &attempts.genesis, std::slice::from_ref(&first))];
            attempts.first = first;
        }
        attempts.give(Verdict::Accepted, BOB, named(open));
        attempts.give(FOREIGN, BOB, named(shut));
        scene::check(&attempts.genesis, &attempts.pieces, ORDERS);
    }
}

#[test]
fn row_43_who_deletes_a_container_of_their_own_hides_what_others_put_in_it() {
    let mut attempts = Attempts::new(WALL);
    let anns = Anns(|number| Reference::Entry(0, number));
    for attempt in anns.everybodys_to_do(BOB) {
        attempts.give(Verdict::Accepted, BOB, attempt);
    }
    let house = ("the container", vec![op(None, at_key(&id(ANN)), Action::Delete, &[Reference::Entry(0, HER_MAP)])]);
    attempts.give(Verdict::Accepted, ANN, house);
    let picture = scene::check(&attempts.genesis, &attempts.pieces, ORDERS);
    assert!(!picture.shown.contains(&id(ANN)), "{}", picture.shown);
    assert!(picture.shown.contains(&id(BOB)) && picture.shown.contains('b'), "{}", picture.shown);
}
