//! Rules about what an operation does, and where (V4 and V6).

use pistol_core::change::{Action, Kind, Op, Place, Reference, Scalar};
use pistol_core::genesis::Limits;
use pistol_core::limits;

use super::hand::{at_key, op, text};
use super::{
    COUNTED, COUNTER, DELETED, ITEM, LIST, MAP, NESTED, PUT_K, Rejected, Rule, Stage, TEXT, Valid, Verdict, X, Y,
};

pub(super) fn entry(number: u32) -> Reference {
    Reference::Entry(0, number)
}

fn put(value: Scalar) -> Action {
    Action::Put(value)
}

/// Checks what is said of operations by Bob, all of which refer to Ann's first change.
pub(super) fn check(cases: Vec<(&str, Verdict, Vec<Op>)>) {
    let stage = Stage::new(Limits::default());
    for (name, expected, ops) in cases {
        let is_named = ops.iter().any(|op| format!("{op:?}").contains("Entry"));
        let table = if is_named { vec![stage.first] } else { vec![] };
        let change = stage.bob.sign(stage.bob.draft(&[], &table, ops));
        assert_eq!(stage.verdict(&change), expected, "{name}");
    }
}

pub(super) const NOT: Verdict = Rejected(Rule::Operation);
pub(super) const OUT: Verdict = Rejected(Rule::Value);

#[test]
fn an_operation_fits_the_object_it_acts_in() {
    let int = || put(Scalar::Int(1));
    check(vec![
        ("an object that is no object", NOT, vec![op(Some(entry(PUT_K)), at_key("a"), int(), &[])]),
        ("an object that is an element", NOT, vec![op(Some(entry(X)), at_key("a"), int(), &[])]),
        ("an object that is a deletion", NOT, vec![op(Some(entry(DELETED)), at_key("a"), int(), &[])]),
        ("an object made elsewhere", Valid, vec![op(Some(entry(NESTED)), at_key("a"), int(), &[])]),
        ("a key in a list", NOT, vec![op(LIST, at_key("a"), int(), &[])]),
        ("a key in a text", NOT, vec![op(TEXT, at_key("a"), text("a"), &[])]),
        ("an element in a map", NOT, vec![op(MAP, Place::At(entry(ITEM)), int(), &[])]),
        ("an insert into a map", NOT, vec![op(MAP, Place::After(None), int(), &[])]),
        ("an element in the root", NOT, vec![op(None, Place::After(None), int(), &[])]),
        ("an element of another sequence", NOT, vec![op(LIST, Place::At(entry(X)), int(), &[])]),
        ("after an element of another sequence", NOT, vec![op(LIST, Place::After(Some(entry(X))), int(), &[])]),
        ("after what is no element", NOT, vec![op(LIST, Place::After(Some(entry(PUT_K))), int(), &[])]),
        ("after a deletion", NOT, vec![op(TEXT, Place::After(Some(entry(DELETED))), text("a"), &[])]),
        ("after a deleted element", Valid, vec![op(TEXT, Place::After(Some(entry(Y))), text("a"), &[])]),
        ("in an object of the same change", Valid, {
            let object = Some(Reference::Own(1));
            vec![op(None, at_key("o"), Action::Make(Kind::List), &[]), op(object, Place::After(None), int(), &[])]
        }),
    ]);
}

#[test]
fn a_text_takes_strings_and_blocks_and_deletions_only() {
    let here = Place::At(entry(X));
    check(vec![
        ("a number", NOT, vec![op(TEXT, Place::After(None), put(Scalar::Int(1)), &[])]),
        ("a list", NOT, vec![op(TEXT, Place::After(None), Action::Make(Kind::List), &[])]),
        ("a text", NOT, vec![op(TEXT, Place::After(None), Action::Make(Kind::Text), &[])]),
        ("a block", Valid, vec![op(TEXT, Place::After(None), Action::Make(Kind::Map), &[])]),
        ("many characters in one", Valid, vec![op(TEXT, Place::After(None), text("many"), &[])]),
        ("no character", Valid, vec![op(TEXT, Place::After(None), text(""), &[])]),
        ("a put on an element", NOT, vec![op(TEXT, here.clone(), text("a"), &[entry(X)])]),
        ("a put on an element, replacing nothing", NOT, vec![op(TEXT, here.clone(), text("a"), &[])]),
        ("a make on an element", NOT, vec![op(TEXT, here.clone(), Action::Make(Kind::Map), &[entry(X)])]),
        ("an increment", NOT, vec![op(TEXT, here.clone(), Action::Increment(1), &[entry(X)])]),
        ("a deletion", Valid, vec![op(TEXT, here, Action::Delete, &[entry(X)])]),
        ("a second deletion", Valid, vec![op(TEXT, Place::At(entry(Y)), Action::Delete, &[entry(Y)])]),
    ]);
}

#[test]
fn what_is_replaced_is_a_value_at_the_same_place() {
    let int = || put(Scalar::Int(1));
    let k = || at_key("k");
    check(vec![
        ("the same key", Valid, vec![op(MAP, k(), int(), &[entry(PUT_K)])]),
        ("nothing", Valid, vec![op(MAP, k(), int(), &[])]),
        ("another key", NOT, vec![op(MAP, at_key("l"), int(), &[entry(PUT_K)])]),
        ("the same key of another object", NOT, vec![op(None, k(), int(), &[entry(PUT_K)])]),
        ("a deletion", NOT, vec![op(TEXT, Place::At(entry(Y)), Action::Delete, &[entry(DELETED)])]),
        ("an increment", NOT, vec![op(MAP, at_key("n"), int(), &[entry(COUNTED)])]),
        ("twice the same", NOT, vec![op(MAP, k(), int(), &[entry(PUT_K), entry(PUT_K)])]),
        ("unsorted", NOT, {
            let first = op(MAP, k(), int(), &[]);
            vec![first.clone(), first, op(MAP, k(), int(), &[Reference::Own(2), Reference::Own(1)])]
        }),
        ("itself", Rejected(Rule::Reference), vec![op(MAP, k(), int(), &[Reference::Own(1)])]),
        ("an insert that replaces", NOT, vec![op(LIST, Place::After(None), int(), &[entry(ITEM)])]),
        ("another element", NOT, {
            let other = op(LIST, Place::After(None), int(), &[]);
            vec![other, op(LIST, Place::At(entry(ITEM)), int(), &[Reference::Own(1)])]
        }),
        ("a put on an element", Valid, {
            let first = op(LIST, Place::At(entry(ITEM)), int(), &[entry(ITEM)]);
            vec![first, op(LIST, Place::At(entry(ITEM)), int(), &[Reference::Own(1)])]
        }),
        ("a put named as an element", NOT, {
            let first = op(LIST, Place::At(entry(ITEM)), int(), &[entry(ITEM)]);
            vec![first, op(LIST, Place::At(Reference::Own(1)), int(), &[Reference::Own(1)])]
        }),
        ("a deletion of nothing", NOT, vec![op(MAP, k(), Action::Delete, &[])]),
        ("a deletion that inserts", NOT, vec![op(LIST, Place::After(None), Action::Delete, &[])]),
        ("an increment that inserts", NOT, vec![op(LIST, Place::After(None), Action::Increment(1), &[])]),
        ("an increment of nothing", NOT, vec![op(MAP, at_key("n"), Action::Increment(1), &[])]),
        ("an increment of what is no counter", NOT, vec![op(MAP, k(), Action::Increment(1), &[entry(PUT_K)])]),
        ("an increment of an element", Valid, {
            vec![op(LIST, Place::At(entry(ITEM)), Action::Increment(1), &[entry(ITEM)])]
        }),
    ]);
}

#[test]
fn values_stay_within_their_bounds() {
    let exact = i64::try_from(limits::EXACT_MAX).unwrap();
    let counter = |start| vec![op(None, at_key("c"), put(Scalar::Counter(start)), &[])];
    let by = |by| vec![op(MAP, at_key("n"), Action::Increment(by), &[entry(COUNTER)])];
    let key = |length: usize| vec![op(None, at_key(&"k".repeat(length)), put(Scalar::Null), &[])];
    let deep = |depth: u32| -> Vec<Op> {
        let object = |level: u32| level.checked_sub(1).map(|above| Reference::Own(1 + above));
        (0..depth).map(|level| op(object(level), at_key("d"), Action::Make(Kind::Map), &[])).collect()
    };
    check(vec![
        ("the largest counter", Valid, counter(exact)),
        ("the smallest counter", Valid, counter(-exact)),
        ("past the largest", OUT, counter(exact + 1)),
        ("past the smallest", OUT, counter(-exact - 1)),
        ("the least number", OUT, counter(i64::MIN)),
        ("the largest increment", Valid, by(limits::INCREMENT_MAX)),
        ("the smallest increment", Valid, by(-limits::INCREMENT_MAX)),
        ("one more", OUT, by(limits::INCREMENT_MAX + 1)),
        ("one less", OUT, by(-limits::INCREMENT_MAX - 1)),
        ("the least of all", OUT, by(i64::MIN)),
        ("the longest key", Valid, key(limits::KEY_BYTES_MAX)),
        ("a longer key", OUT, key(limits::KEY_BYTES_MAX + 1)),
        ("no key", Valid, key(0)),
        ("not a number", Valid, vec![op(None, at_key("f"), put(Scalar::Float(f64::NAN.to_bits())), &[])]),
        ("as deep as may be", Valid, deep(64)),
        ("deeper", Rejected(Rule::Depth), deep(65)),
    ]);
    let predecessors = |count: u32| {
        let put = |_| op(None, at_key("p"), put(Scalar::Null), &[]);
        let all: Vec<_> = (1..=count).map(Reference::Own).collect();
        (0..count).map(put).chain([op(None, at_key("p"), Action::Delete, &all)]).collect()
    };
    let most = u32::try_from(limits::PREDECESSORS_MAX).unwrap();
    check(vec![("as many as may be", Valid, predecessors(most)), ("one more", NOT, predecessors(most + 1))]);
}
