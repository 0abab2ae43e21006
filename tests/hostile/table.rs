//! What makes Automerge panic, save what it cannot load, or part two replicas, said in our records.
//!
//! `inexpressible.rs` lists what our records have no way to say.

use pistol_core::change::{Action, Change, Kind, Mark, Op, Place, Reference, Scalar};
use pistol_core::id::ChangeId;
use pistol_core::limits;
use pistol_core::validate::Rule;

use super::hand::{at_key, op, text};
use super::scene::Verdict::{self, Accepted, Never, Refused, Waiting};
use super::stage::{COUNTER, DELETED, ITEM, LIST, MAP, NESTED, PUT_K, Stage, TEXT, X, Y};

const REFERENCE: Verdict = Refused(Rule::Reference);
const OPERATION: Verdict = Refused(Rule::Operation);
const VALUE: Verdict = Refused(Rule::Value);

/// An operation of Ann's first change.
fn anns(number: u32) -> Reference {
    Reference::Entry(0, number)
}

fn own(number: u32) -> Reference {
    Reference::Own(number)
}

fn int() -> Action {
    Action::Put(Scalar::Int(1))
}

fn after(element: Reference) -> Op {
    op(TEXT, Place::After(Some(element)), text("z"), &[])
}

fn delete(element: Reference) -> Op {
    op(TEXT, Place::At(element), Action::Delete, &[element])
}

fn increment(pred: &[Reference]) -> Op {
    op(MAP, at_key("n"), Action::Increment(1), pred)
}

/// A row in words, what must become of it, and its operations.
type Row = (&'static str, Verdict, Vec<Op>);

fn check(rows: Vec<Row>) {
    let mut stage = Stage::new();
    for (name, verdict, ops) in rows {
        stage.give_ops(name, verdict, ops);
    }
    stage.check(ORDERS);
}

const ORDERS: u64 = 60;

#[test]
fn an_operation_that_replaces_what_is_not_there_is_refused() {
    let k = |pred: &[Reference]| op(MAP, at_key("k"), int(), pred);
    check(vec![
        ("replaces what was never written by a known author", REFERENCE, vec![k(&[anns(8)])]),
        ("replaces what is at another key", OPERATION, vec![op(MAP, at_key("l"), int(), &[anns(PUT_K)])]),
        ("replaces what is in another object", OPERATION, vec![op(None, at_key("k"), int(), &[anns(PUT_K)])]),
        ("replaces itself", REFERENCE, vec![k(&[own(0)])]),
        ("replaces a later operation of its own", REFERENCE, vec![k(&[own(1)]), k(&[])]),
        ("replaces the same twice", Never, vec![k(&[anns(PUT_K), anns(PUT_K)])]),
        ("replaces a deletion", OPERATION, vec![op(TEXT, Place::At(anns(Y)), Action::Delete, &[anns(DELETED)])]),
        ("replaces with an insert", OPERATION, vec![op(LIST, Place::After(None), int(), &[anns(ITEM)])]),
        ("replaces nothing: harmless", Accepted, vec![k(&[])]),
    ]);
}

#[test]
fn an_increment_counts_on_counters_alone() {
    check(vec![
        ("increments what is no counter", OPERATION, vec![op(MAP, at_key("k"), Action::Increment(1), &[anns(PUT_K)])]),
        ("increments nothing", OPERATION, vec![increment(&[])]),
        ("increments a counter: harmless", Accepted, vec![increment(&[anns(COUNTER)])]),
        ("increments a counter and an absent one", REFERENCE, vec![increment(&[own(9), anns(COUNTER)])]),
    ]);
}

#[test]
fn an_object_is_one_that_was_made() {
    let at = |object| vec![op(Some(object), at_key("a"), int(), &[])];
    let make = |object| op(object, at_key("o"), Action::Make(Kind::Map), &[]);
    check(vec![
        ("in an object that nobody made", REFERENCE, at(anns(9))),
        ("in what is a value", OPERATION, at(anns(PUT_K))),
        ("in what is a letter", OPERATION, at(anns(X))),
        ("in what is a deletion", OPERATION, at(anns(DELETED))),
        ("in an object that was made: harmless", Accepted, at(anns(NESTED))),
        ("an object inside itself", REFERENCE, vec![make(Some(own(0)))]),
        ("two objects inside each other", REFERENCE, vec![make(Some(own(1))), make(Some(own(0)))]),
    ]);
}

#[test]
fn a_place_is_of_the_kind_of_its_object() {
    check(vec![
        ("a key in a list", OPERATION, vec![op(LIST, at_key("a"), int(), &[])]),
        ("a key in a text", OPERATION, vec![op(TEXT, at_key("a"), text("a"), &[])]),
        ("an element in a map", OPERATION, vec![op(MAP, Place::At(anns(ITEM)), int(), &[anns(ITEM)])]),
        ("an insert into a map", OPERATION, vec![op(MAP, Place::After(None), int(), &[])]),
        ("an update of an absent element", REFERENCE, vec![op(LIST, Place::At(anns(9)), int(), &[])]),
        ("a deletion of an absent element", REFERENCE, vec![delete(anns(9))]),
        ("a deletion of nothing", OPERATION, vec![op(TEXT, Place::At(anns(X)), Action::Delete, &[])]),
        ("a deletion of a free key", OPERATION, vec![op(MAP, at_key("free"), Action::Delete, &[])]),
        ("a put on a letter", OPERATION, vec![op(TEXT, Place::At(anns(X)), text("a"), &[anns(X)])]),
        ("a number in a text", OPERATION, vec![op(TEXT, Place::After(None), int(), &[])]),
        ("a letter deleted twice: harmless", Accepted, vec![delete(anns(Y))]),
    ]);
}

#[test]
fn an_insert_comes_after_an_element_of_its_own_sequence() {
    check(vec![
        ("after an absent element", REFERENCE, vec![after(anns(9))]),
        ("after itself", REFERENCE, vec![after(own(0))]),
        ("two after each other", REFERENCE, vec![after(own(1)), after(own(0))]),
        ("after an element of a list", OPERATION, vec![after(anns(ITEM))]),
        ("after what is at a key", OPERATION, vec![after(anns(PUT_K))]),
        ("after a deletion", OPERATION, vec![after(anns(DELETED))]),
        ("after a deleted letter: harmless", Accepted, vec![after(anns(Y))]),
    ]);
}

#[test]
fn what_counters_and_times_claim_stays_within_bounds() {
    let counter = |start| vec![op(MAP, at_key("c"), Action::Put(Scalar::Counter(start)), &[])];
    let by = |by| vec![op(MAP, at_key("n"), Action::Increment(by), &[anns(COUNTER)])];
    let exact = i64::try_from(limits::EXACT_MAX).unwrap();
    let mut stage = Stage::new();
    for (name, verdict, ops) in [
        ("a counter that starts at the end of numbers", VALUE, counter(i64::MAX)),
        ("a counter that starts before all numbers", VALUE, counter(i64::MIN)),
        ("the largest counter", Accepted, counter(exact)),
        ("an increment to the end of numbers", VALUE, by(i64::MAX)),
        ("an increment before all numbers", VALUE, by(i64::MIN)),
        ("the largest increment", Accepted, by(limits::INCREMENT_MAX)),
        ("a date before all dates: a value, harmless", Accepted, {
            vec![op(MAP, at_key("t"), Action::Put(Scalar::Timestamp(i64::MIN)), &[])]
        }),
    ] {
        stage.give_ops(name, verdict, ops);
    }
    let timed = |time_ms| move |change: &mut Change| change.time_ms = time_ms;
    stage.give_altered("the last time", Accepted, vec![], timed(limits::EXACT_MAX));
    stage.give_altered("a later time", VALUE, vec![], timed(limits::EXACT_MAX + 1));
    stage.give_altered("the end of time", VALUE, vec![], timed(u64::MAX));
    stage.give_altered("the beginning of time, after its end", Accepted, vec![], timed(0));
    stage.check(ORDERS);
}

#[test]
fn counters_that_all_count_to_their_bounds_show_the_same_sum_everywhere() {
    let mut stage = Stage::new();
    let exact = i64::try_from(limits::EXACT_MAX).unwrap();
    let start = op(MAP, at_key("sum"), Action::Put(Scalar::Counter(exact)), &[]);
    let count = op(MAP, at_key("sum"), Action::Increment(limits::INCREMENT_MAX), &[own(0)]);
    stage.give_ops("counts on", Accepted, [vec![start], vec![count; 100]].concat());
    let picture = stage.check(20);
    let sum = exact + 100 * limits::INCREMENT_MAX;
    assert!(picture.shown.contains(&format!("sum: [Counter({sum})]")), "{}", picture.shown);
}

#[test]
fn a_change_is_the_next_of_its_chain_and_names_the_one_before() {
    let mut stage = Stage::new();
    let chain = Refused(Rule::Chain);
    let seq = |seq| move |change: &mut Change| change.seq = seq;
    for (name, number) in
        [("first seq 2", 2), ("first seq 5", 5), ("seq from afar", 1 << 40), ("the last seq", u64::MAX - 1)]
    {
        stage.give_altered(name, chain, vec![], seq(number));
    }
    let mut gap = stage.bob.draft(&[], &[], vec![]);
    gap.seq += 1;
    let gap = stage.bob.sign(gap);
    stage.give("a gap: 1, then 3", chain, &gap);
    let mut repeated = stage.bob.draft(&[], &[], vec![]);
    repeated.seq -= 1;
    let repeated = stage.bob.sign(repeated);
    stage.give("the same seq again, after itself", Never, &repeated);
    let mut unnamed = stage.bob.draft(&[], &[], vec![]);
    unnamed.deps = vec![stage.first];
    let unnamed = stage.bob.sign(unnamed);
    stage.give("the one before is not a dependency, but is there", chain, &unnamed);
    stage.check(ORDERS);
}

#[test]
fn two_changes_at_one_place_of_a_chain_are_both_kept_and_their_author_is_named() {
    let mut stage = Stage::new();
    let stranger = stage.stranger();
    for letter in ["1", "2", "3"] {
        let letter = vec![op(TEXT, Place::After(None), text(letter), &[])];
        let change = stranger.sign(stranger.draft(&[], &[], letter));
        stage.give("equivocation", Accepted, &change);
    }
    let picture = stage.check(ORDERS);
    let forked = [super::hand::key(1).id(), super::hand::key(9).id()];
    assert_eq!(picture.forks, forked.into_iter().collect());
    assert!("123lrb".chars().all(|letter| picture.shown.contains(letter)), "{}", picture.shown);
}

#[test]
fn an_orphan_keeps_no_place_of_a_chain_from_its_owner() {
    let mut stage = Stage::new();
    let never = ChangeId([5; 32]);
    let orphan = stage.bob.sign(stage.bob.draft(&[never], &[], vec![]));
    stage.give("claims a place, and waits for what never comes", Waiting, &orphan);
    let honest = stage.bob.sign(stage.bob.draft(&[], &[], vec![]));
    stage.give("has that place", Accepted, &honest);
    stage.check(ORDERS);
}

#[test]
fn dependencies_are_sorted_and_unlike() {
    let mut stage = Stage::new();
    stage.give_altered("unsorted", Never, vec![], |change| {
        change.deps = vec![ChangeId([9; 32]), ChangeId([8; 32])];
    });
    stage.give_altered("one twice", Never, vec![], |change| change.deps.push(change.deps[0]));
    stage.give_altered("none, though it refers to another's work", REFERENCE, vec![after(anns(X))], |change| {
        change.deps.clear();
    });
    stage.give_altered("none, and it refers to nothing: harmless", Accepted, vec![], |change| change.deps.clear());
    stage.check(ORDERS);
}

#[test]
fn the_table_of_references_has_one_form() {
    let mut stage = Stage::new();
    let table = |table: Vec<ChangeId>| move |change: &mut Change| change.table = table;
    let first = stage.first;
    let two = vec![after(anns(X)), after(Reference::Entry(1, X))];
    stage.give_altered("an entry past the table", REFERENCE, vec![after(anns(X))], table(vec![]));
    stage.give_altered("an unknown entry", REFERENCE, vec![after(anns(X))], table(vec![ChangeId([5; 32])]));
    stage.give_altered("an entry that nothing uses", REFERENCE, vec![], table(vec![first]));
    stage.give_altered("one entry twice", Never, two, table(vec![first, first]));
    let left = stage.left.last.unwrap();
    let seen = |entry: ChangeId| {
        move |change: &mut Change| {
            change.deps.push(left);
            change.deps.sort_unstable();
            change.table = vec![entry];
        }
    };
    stage.give_altered("an entry earlier than what was seen", REFERENCE, vec![after(anns(X))], seen(first));
    stage.give_altered("the last that was seen: harmless", Accepted, vec![after(anns(X))], seen(left));
    stage.check(ORDERS);
}

fn begin(element: Reference, name: &str, value: Scalar) -> Op {
    let mark = Mark { name: name.to_owned(), value, expand: true };
    op(TEXT, Place::After(Some(element)), Action::MarkBegin(Box::new(mark)), &[])
}

fn end(element: Reference) -> Op {
    op(TEXT, Place::After(Some(element)), Action::MarkEnd { expand: false }, &[])
}

#[test]
fn a_mark_is_a_begin_and_its_end_in_one_text() {
    let bold = |element| begin(element, "bold", Scalar::Bool(true));
    let (x, y) = (anns(X), anns(Y));
    let in_map = |mut op: Op| {
        (op.object, op.place) = (MAP, at_key("bold"));
        op
    };
    check(vec![
        ("an end without a begin", OPERATION, vec![end(x)]),
        ("a begin without an end", OPERATION, vec![bold(x)]),
        ("an end before its begin", OPERATION, vec![end(x), bold(x)]),
        ("a letter between them", OPERATION, vec![bold(x), after(x), end(x)]),
        ("in a map", OPERATION, vec![in_map(bold(x)), in_map(end(x))]),
        ("after an absent letter", REFERENCE, vec![bold(anns(9)), end(x)]),
        ("to an absent letter", REFERENCE, vec![bold(x), end(anns(9))]),
        ("a counter as its value", VALUE, vec![begin(x, "n", Scalar::Counter(1)), end(y)]),
        ("the end placed before the begin: harmless", Accepted, vec![bold(y), end(x)]),
        ("the end at its own begin: harmless", Accepted, vec![bold(x), end(own(0))]),
        ("a mark, and one that takes it away: harmless", Accepted, {
            vec![bold(x), end(y), begin(x, "bold", Scalar::Null), end(y)]
        }),
    ]);
}
