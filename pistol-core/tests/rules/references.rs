//! Rules about chains, dependencies and references (V1 to V3).

use pistol_core::change::{Action, Op, Place, Reference};
use pistol_core::genesis::Limits;
use pistol_core::id::ChangeId;

use super::hand::{self, op, text};
use super::{Case, Missing, Rejected, Rule, Stage, TEXT, Valid, X, check};

/// Types after an element.
fn after(element: Reference) -> Vec<Op> {
    vec![op(TEXT, Place::After(Some(element)), text("z"), &[])]
}

const ENTRY_X: Reference = Reference::Entry(0, X);

fn with_deps(stage: &Stage, deps: Vec<ChangeId>) -> super::VerifiedChange {
    let mut change = stage.bob.draft(&[], &[], vec![]);
    change.deps = deps;
    stage.bob.sign(change)
}

#[test]
fn a_change_continues_its_authors_chain_or_is_refused() {
    let cases: &[Case] = &[
        ("the next one", Valid, |s| s.bob.sign(s.bob.draft(&[], &[], vec![]))),
        ("a gap in seq", Rejected(Rule::Chain), |s| {
            let mut change = s.bob.draft(&[], &[], vec![]);
            change.seq += 1;
            s.bob.sign(change)
        }),
        ("the same seq again", Rejected(Rule::Chain), |s| {
            let mut change = s.bob.draft(&[], &[], vec![]);
            change.seq = 1;
            s.bob.sign(change)
        }),
        ("the largest seq that a tip can have", Rejected(Rule::Chain), |s| {
            let mut change = s.bob.draft(&[], &[], vec![]);
            change.seq = u64::MAX - 1;
            s.bob.sign(change)
        }),
        ("first seq not 1", Rejected(Rule::Chain), |s| {
            let fresh = hand::Hand::new(s.genesis.id(), 2, 8);
            let mut change = fresh.draft(&[s.first], &[], vec![]);
            change.seq = 2;
            fresh.sign(change)
        }),
        ("previous change not a dependency", Rejected(Rule::Chain), |s| with_deps(s, vec![s.first])),
        ("no dependencies", Rejected(Rule::Chain), |s| with_deps(s, vec![])),
        ("two own dependencies, one an ancestor", Rejected(Rule::Chain), |s| {
            s.left.sign(s.left.draft(&[s.first], &[], vec![]))
        }),
        ("two own dependencies, both branches", Rejected(Rule::Chain), |s| {
            s.left.sign(s.left.draft(&[s.id(2)], &[], vec![]))
        }),
        ("the other branch's link", Rejected(Rule::Chain), |s| {
            hand::sign(s.genesis.id(), 1, s.right.link, s.left.draft(&[], &[], vec![]))
        }),
        ("another root link", Rejected(Rule::Chain), |s| {
            let fresh = hand::Hand::new(s.genesis.id(), 2, 8);
            hand::sign(s.genesis.id(), 2, s.bob.link, fresh.draft(&[], &[], vec![]))
        }),
        ("another author's chain", Rejected(Rule::Chain), |s| {
            let mut change = s.ann.draft(&[], &[], vec![]);
            change.author = hand::key(2).id();
            change.session = pistol_core::id::Session(8);
            hand::sign(s.genesis.id(), 2, s.ann.link, change)
        }),
        ("a fork from the first change on", Valid, |s| {
            let fresh = hand::Hand::new(s.genesis.id(), 1, 7);
            fresh.sign(fresh.draft(&[], &[], vec![]))
        }),
        ("a third way on", Valid, |s| s.ann.sign(s.ann.draft(&[], &[], after(Reference::Own(X))))),
    ];
    check(Limits::default(), cases);
}

#[test]
fn dependencies_are_sorted_few_and_known() {
    let cases: &[Case] = &[
        ("unsorted", Rejected(Rule::Dependencies), |s| {
            let mut deps = vec![s.id(3), s.first];
            deps.sort_unstable();
            deps.reverse();
            with_deps(s, deps)
        }),
        ("twice the same", Rejected(Rule::Dependencies), |s| with_deps(s, vec![s.id(3), s.id(3)])),
        ("unknown", Missing, |s| s.bob.sign(s.bob.draft(&[ChangeId([5; 32])], &[], vec![]))),
        ("unknown and wrong besides", Missing, |s| {
            let mut change = s.bob.draft(&[ChangeId([5; 32])], &[], vec![]);
            change.seq = 77;
            s.bob.sign(change)
        }),
        ("all that there is", Valid, |s| s.bob.sign(s.bob.draft(&[s.first, s.id(1), s.id(2)], &[], vec![]))),
    ];
    check(Limits::default(), cases);
    let few = Limits { deps: 2, ..Limits::default() };
    let cases: &[Case] = &[
        ("as many as allowed", Valid, |s| s.bob.sign(s.bob.draft(&[s.first], &[], vec![]))),
        ("one more", Rejected(Rule::Dependencies), |s| s.bob.sign(s.bob.draft(&[s.first, s.id(1)], &[], vec![]))),
    ];
    check(few, cases);
}

#[test]
fn a_reference_names_something_in_the_past_in_its_one_form() {
    let cases: &[Case] = &[
        ("another's operation", Valid, |s| s.bob.sign(s.bob.draft(&[], &[s.first], after(ENTRY_X)))),
        ("a branch's operation", Valid, |s| {
            s.bob.sign(s.bob.draft(&[s.id(1)], &[s.id(1)], after(Reference::Entry(0, 8))))
        }),
        ("both branches", Valid, |s| {
            let table = [s.id(1), s.id(2)];
            let ops = [after(Reference::Entry(0, 8)), after(Reference::Entry(1, 8)), after(ENTRY_X)].concat();
            s.bob.sign(s.bob.draft(&table, &table, ops))
        }),
        ("the other branch of the own chain", Valid, |s| {
            s.left.sign(s.left.draft(&[s.id(4)], &[s.id(2)], after(Reference::Entry(0, 8))))
        }),
        ("an operation of a concurrent change", Rejected(Rule::Reference), |s| {
            s.bob.sign(s.bob.draft(&[], &[s.id(1)], after(Reference::Entry(0, 8))))
        }),
        ("the own chain's other branch, outside the past", Rejected(Rule::Reference), |s| {
            s.left.sign(s.left.draft(&[], &[s.id(2)], after(Reference::Entry(0, 8))))
        }),
        ("an entry that does not exist", Rejected(Rule::Reference), |s| {
            s.bob.sign(s.bob.draft(&[], &[ChangeId([5; 32])], after(ENTRY_X)))
        }),
        ("an entry past the table", Rejected(Rule::Reference), |s| {
            s.bob.sign(s.bob.draft(&[], &[s.first], [after(ENTRY_X), after(Reference::Entry(1, X))].concat()))
        }),
        ("an unused entry", Rejected(Rule::Reference), |s| {
            s.bob.sign(s.bob.draft(&[], &[s.first], after(Reference::Own(0))))
        }),
        ("an entry on the own path", Rejected(Rule::Reference), |s| {
            s.left.sign(s.left.draft(&[], &[s.first], after(ENTRY_X)))
        }),
        ("an entry on another's path", Rejected(Rule::Reference), |s| {
            let table = [s.first, s.id(1)];
            let place = u32::from(s.first > s.id(1));
            let ops = [after(Reference::Entry(place, X)), after(Reference::Entry(1 - place, 8))].concat();
            s.bob.sign(s.bob.draft(&[s.id(1)], &table, ops))
        }),
        ("unsorted entries", Rejected(Rule::Reference), |s| {
            let table = [s.id(1), s.id(2)];
            let ops = [after(Reference::Entry(0, 8)), after(Reference::Entry(1, 8))].concat();
            let mut change = s.bob.draft(&table, &table, ops);
            change.table.reverse();
            s.bob.sign(change)
        }),
        ("one entry twice", Rejected(Rule::Reference), |s| {
            s.bob.sign(s.bob.draft(&[], &[s.first, s.first], [after(ENTRY_X), after(Reference::Entry(1, X))].concat()))
        }),
        ("a later entry for what an earlier one reaches", Rejected(Rule::Reference), |s| {
            let table = [s.id(1), s.id(2)];
            let ops = [after(Reference::Entry(0, 8)), after(Reference::Entry(1, 8)), after(Reference::Entry(1, X))];
            s.bob.sign(s.bob.draft(&table, &table, ops.concat()))
        }),
        ("an entry for what the own path reaches", Rejected(Rule::Reference), |s| {
            let ops = [after(Reference::Entry(0, 8)), after(ENTRY_X)].concat();
            s.left.sign(s.left.draft(&[s.id(4)], &[s.id(2)], ops))
        }),
        ("an operation past the end of an entry", Rejected(Rule::Reference), |s| {
            s.bob.sign(s.bob.draft(&[], &[s.first], [after(ENTRY_X), after(Reference::Entry(0, 8))].concat()))
        }),
        ("itself", Rejected(Rule::Reference), |s| s.bob.sign(s.bob.draft(&[], &[], after(Reference::Own(1))))),
        ("a later operation of the change", Rejected(Rule::Reference), |s| {
            let ops = [after(Reference::Own(2)), after(Reference::Own(0))].concat();
            s.bob.sign(s.bob.draft(&[], &[], ops))
        }),
        ("an earlier operation of the change", Valid, |s| {
            s.bob.sign(s.bob.draft(&[], &[], [after(Reference::Own(0)), after(Reference::Own(1))].concat()))
        }),
        ("past the skeleton", Rejected(Rule::Reference), |s| {
            s.bob.sign(s.bob.draft(&[], &[], after(Reference::Skeleton(3))))
        }),
        ("past every number", Rejected(Rule::Reference), |s| {
            s.bob.sign(s.bob.draft(&[], &[], after(Reference::Own(u32::MAX))))
        }),
        ("an absent object", Rejected(Rule::Reference), |s| {
            let absent = op(Some(Reference::Own(9)), Place::After(None), Action::Make(super::Kind::Map), &[]);
            s.bob.sign(s.bob.draft(&[], &[], vec![absent]))
        }),
    ];
    check(Limits::default(), cases);
}

#[test]
fn an_entry_is_the_last_change_of_its_path_that_its_author_had_seen() {
    let cases: &[Case] = &[
        ("the last seen, though an earlier one is referred to", Valid, |s| {
            s.bob.sign(s.bob.draft(&[s.id(1)], &[s.id(1)], after(ENTRY_X)))
        }),
        ("the one referred to, though a later one was seen", Rejected(Rule::Reference), |s| {
            s.bob.sign(s.bob.draft(&[s.id(1)], &[s.first], after(ENTRY_X)))
        }),
        ("the one referred to, though a later one was seen by another", Rejected(Rule::Reference), |s| {
            s.bob.sign(s.bob.draft(&[s.id(4)], &[s.first], after(ENTRY_X)))
        }),
        ("the one referred to, though a later one was seen by the previous change", Rejected(Rule::Reference), |s| {
            let carol = s.carol();
            carol.sign(carol.draft(&[], &[s.first], after(ENTRY_X)))
        }),
        ("the last that the previous change saw", Valid, |s| {
            let carol = s.carol();
            carol.sign(carol.draft(&[], &[s.id(2)], after(ENTRY_X)))
        }),
        ("the change that both sides of a fork continue", Rejected(Rule::Reference), |s| {
            s.bob.sign(s.bob.draft(&[s.id(1), s.id(2)], &[s.first], after(ENTRY_X)))
        }),
        ("one side of a fork for what both have", Valid, |s| {
            s.bob.sign(s.bob.draft(&[s.id(1), s.id(2)], &[s.id(1)], after(ENTRY_X)))
        }),
        ("the other side of a fork for what both have", Valid, |s| {
            s.bob.sign(s.bob.draft(&[s.id(1), s.id(2)], &[s.id(2)], after(ENTRY_X)))
        }),
    ];
    check(Limits::default(), cases);
}
