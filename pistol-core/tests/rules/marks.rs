//! Rules about marks (V4 and V6).

use pistol_core::change::{Action, Kind, Mark, Op, Place, Reference, Scalar};
use pistol_core::limits;

use super::hand::{at_key, op, text};
use super::places::{NOT, OUT, check, entry};
use super::{ITEM, LIST, MAP, Rejected, Rule, TEXT, Valid, X, Y};

fn begin_with(after: Option<Reference>, name: &str, value: Scalar) -> Op {
    let mark = Mark { name: name.to_owned(), value, expand: false };
    op(TEXT, Place::After(after), Action::MarkBegin(Box::new(mark)), &[])
}

fn begin(after: Option<Reference>) -> Op {
    begin_with(after, "bold", Scalar::Bool(true))
}

fn end(after: Option<Reference>) -> Op {
    op(TEXT, Place::After(after), Action::MarkEnd { expand: true }, &[])
}

/// The own operation after one that Bob wrote before.
fn own(number: u32) -> Reference {
    Reference::Own(1 + number)
}

#[test]
fn a_mark_goes_from_anywhere_to_anywhere_in_a_text() {
    let (x, y) = (Some(entry(X)), Some(entry(Y)));
    check(vec![
        ("forwards", Valid, vec![begin(None), end(x)]),
        ("backwards, to where it is empty", Valid, vec![begin(x), end(None)]),
        ("backwards from a deleted letter", Valid, vec![begin(y), end(x)]),
        ("from and to the same place", Valid, vec![begin(x), end(x)]),
        ("from and to the beginning", Valid, vec![begin(None), end(None)]),
        ("to its own begin", Valid, vec![begin(x), end(Some(own(0)))]),
        ("two, one in the other", Valid, vec![begin(None), end(y), begin(x), end(x)]),
        ("from one mark's end to the other's", Valid, {
            vec![begin(None), end(x), begin(x), end(y), begin(Some(own(3))), end(Some(own(1)))]
        }),
        ("letters after both ends", Valid, {
            let letter = |after| op(TEXT, Place::After(Some(after)), text("m"), &[]);
            vec![begin(x), end(None), letter(own(0)), letter(own(1))]
        }),
    ]);
}

#[test]
fn a_marks_end_follows_its_begin_in_the_same_change_and_text() {
    let x = || Some(entry(X));
    let other = || op(MAP, at_key("t"), Action::Make(Kind::Text), &[]);
    let in_other = |mut op: Op| {
        op.object = Some(own(0));
        op
    };
    check(vec![
        ("no end", NOT, vec![begin(x())]),
        ("no begin", NOT, vec![end(x())]),
        ("the end first", NOT, vec![end(x()), begin(x())]),
        ("two begins", NOT, vec![begin(x()), begin(x()), end(x()), end(x())]),
        ("two ends", NOT, vec![begin(x()), end(x()), end(x())]),
        ("a letter between", NOT, vec![begin(x()), op(TEXT, Place::After(x()), text("m"), &[]), end(x())]),
        ("in another text", Valid, vec![other(), in_other(begin(None)), in_other(end(None))]),
        ("from one text to another", NOT, vec![other(), in_other(begin(None)), end(x())]),
        ("from another text to one", NOT, vec![other(), begin(x()), in_other(end(None))]),
    ]);
}

#[test]
fn marks_are_new_elements_of_texts_and_nothing_replaces_them() {
    let x = || Some(entry(X));
    let place = |op: &Op, object, place| Op { object, place, ..op.clone() };
    let pair = |object, there: &Place| {
        vec![place(&begin(None), object, there.clone()), place(&end(None), object, there.clone())]
    };
    let with_pred = |mut op: Op| {
        op.pred = vec![entry(X)];
        op
    };
    let delete = |element, pred| op(TEXT, Place::At(element), Action::Delete, &[pred]);
    check(vec![
        ("in a list", NOT, pair(LIST, &Place::After(None))),
        ("at an item of a list", NOT, pair(LIST, &Place::At(entry(ITEM)))),
        ("in a map", NOT, pair(MAP, &at_key("bold"))),
        ("in the root", NOT, pair(None, &at_key("bold"))),
        ("at a letter", NOT, pair(TEXT, &Place::At(entry(X)))),
        ("after an item of a list", NOT, vec![begin(Some(entry(ITEM))), end(x())]),
        ("a begin that replaces", NOT, vec![with_pred(begin(x())), end(x())]),
        ("an end that replaces", NOT, vec![begin(x()), with_pred(end(x()))]),
        ("a begin deleted", NOT, vec![begin(x()), end(x()), delete(own(0), own(0))]),
        ("an end deleted", NOT, vec![begin(x()), end(x()), delete(own(1), own(1))]),
        ("a letter deleted for a mark", NOT, vec![begin(x()), end(x()), delete(entry(X), own(0))]),
    ]);
}

#[test]
fn a_change_has_at_most_a_thousand_marks() {
    let marks = |count| (0..count).flat_map(|_| [begin(None), end(Some(entry(X)))]).collect();
    let most = limits::MARKS_PER_CHANGE_MAX;
    check(vec![
        ("as many as may be", Valid, marks(most)),
        ("one more", Rejected(Rule::ChangeTooLarge), marks(most + 1)),
    ]);
}

#[test]
fn the_names_and_values_of_marks_stay_within_their_bounds() {
    let mark = |name: &str, value| vec![begin_with(None, name, value), end(Some(entry(X)))];
    let named = |length| mark(&"n".repeat(length), Scalar::Null);
    let valued = |value| mark("link", value);
    check(vec![
        ("no name", Valid, named(0)),
        ("the longest name", Valid, named(limits::KEY_BYTES_MAX)),
        ("a longer name", OUT, named(limits::KEY_BYTES_MAX + 1)),
        ("nothing: an unmark", Valid, valued(Scalar::Null)),
        ("a text", Valid, valued(Scalar::Text("https://example.org".to_owned()))),
        ("bytes", Valid, valued(Scalar::Bytes(vec![0; 100]))),
        ("infinite", Valid, valued(Scalar::Float(f64::INFINITY.to_bits()))),
        ("not a number", OUT, valued(Scalar::Float(f64::NAN.to_bits()))),
        ("another that is not a number", OUT, valued(Scalar::Float(u64::MAX))),
        ("a counter", OUT, valued(Scalar::Counter(0))),
    ]);
}
