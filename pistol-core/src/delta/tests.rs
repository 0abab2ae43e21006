//! The laws of deltas.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// Spans in any order, to be cut to the length of a text.
type Recipe = Vec<(u8, usize, String)>;

fn recipe(inserted: &'static str) -> impl Strategy<Value = Recipe> {
    vec((0..3_u8, 0..5_usize, inserted), 0..8)
}

fn any_recipe() -> impl Strategy<Value = Recipe> {
    recipe("[a-cé🎉\u{301}\n]{0,3}")
}

fn any_text() -> impl Strategy<Value = String> {
    "[a-cé🎉\u{301}\n]{0,12}"
}

/// A text in which no code point occurs twice.
fn distinct_text() -> impl Strategy<Value = String> {
    (0..20_usize).prop_map(|length| ('a'..='z').take(length).collect())
}

fn spans(recipe: &Recipe, text: &str) -> Vec<Span> {
    let mut left = length(text);
    let mut spans = Vec::new();
    for (kind, length, inserted) in recipe {
        let step = (*length).min(left);
        if *kind == 0 {
            spans.push(Span::Insert(inserted.as_str().into()));
            continue;
        }
        left -= step;
        spans.push(if *kind == 1 { Span::Keep(step) } else { Span::Delete(step) });
    }
    spans
}

fn fitted(recipe: &Recipe, text: &str) -> Delta {
    spans(recipe, text).into_iter().collect()
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn only(text: &str, wanted: impl Fn(char) -> bool) -> String {
    text.chars().filter(|char| wanted(*char)).collect()
}

/// What spans say, whatever their form.
fn read(spans: &[Span], text: &str) -> String {
    let mut left = text.chars();
    let mut after = String::new();
    for span in spans {
        match span {
            Span::Keep(length) => after.extend(left.by_ref().take(*length)),
            Span::Insert(insertion) => after.push_str(insertion.text()),
            Span::Delete(length) => drop(left.by_ref().take(*length).count()),
        }
    }
    after.extend(left);
    after
}

fn is_normal(delta: &Delta) -> bool {
    let is_full = |span: &Span| span.piece().length() > 0;
    let is_counted = |span: &Span| match span {
        Span::Insert(insertion) => insertion.length() == length(insertion.text()),
        _ => true,
    };
    let is_ordered = |pair: &[Span]| match (&pair[0], &pair[1]) {
        (Span::Delete(_), Span::Insert(_)) => false,
        (one, other) => std::mem::discriminant(one) != std::mem::discriminant(other),
    };
    delta.spans.iter().all(|span| is_full(span) && is_counted(span))
        && delta.spans.windows(2).all(is_ordered)
        && !matches!(delta.spans.last(), Some(Span::Keep(_)))
}

/// Applies edits as an editor does whose text is a list of units.
fn edited<T: Clone>(text: Vec<T>, splices: impl IntoIterator<Item = Splice>, units: impl Fn(&str) -> Vec<T>) -> Vec<T> {
    splices.into_iter().fold(text, |mut text, splice| {
        text.splice(splice.at..splice.at + splice.length, units(&splice.text));
        text
    })
}

/// The text that both orders of two concurrent deltas lead to.
fn merged(text: &str, own: &Delta, others: &Delta) -> String {
    let others_first = others.apply(text).unwrap();
    own.transform(others, Side::Own).apply(&others_first).unwrap()
}

proptest! {
    #[test]
    fn a_delta_is_in_normal_form_however_it_was_made(text in any_text(), a in any_recipe(), b in any_recipe()) {
        let (a, b) = (fitted(&a, &text), fitted(&b, &text));
        let after = a.apply(&text).unwrap();
        prop_assert!(is_normal(&a));
        prop_assert!(is_normal(&a.transform(&b, Side::Own)));
        prop_assert!(is_normal(&a.transform(&b, Side::Others)));
        prop_assert!(is_normal(&a.compose(&Delta::delete(0, length(&after)))));
        prop_assert!(is_normal(&Delta::replaced(&text, &after)));
    }

    #[test]
    fn normal_form_says_what_the_spans_said(text in any_text(), a in any_recipe()) {
        let spans = spans(&a, &text);
        prop_assert_eq!(fitted(&a, &text).apply(&text).unwrap(), read(&spans, &text));
    }

    #[test]
    fn a_composition_does_what_its_parts_do(text in any_text(), a in any_recipe(), b in any_recipe()) {
        let a = fitted(&a, &text);
        let between = a.apply(&text).unwrap();
        let b = fitted(&b, &between);
        let both = a.compose(&b);
        prop_assert!(is_normal(&both));
        prop_assert_eq!(both.apply(&text), b.apply(&between));
    }

    #[test]
    fn it_does_not_matter_which_two_of_three_are_composed_first(
        text in any_text(), a in any_recipe(), b in any_recipe(), c in any_recipe()
    ) {
        let a = fitted(&a, &text);
        let text = a.apply(&text).unwrap();
        let b = fitted(&b, &text);
        let c = fitted(&c, &b.apply(&text).unwrap());
        prop_assert_eq!(a.compose(&b).compose(&c), a.compose(&b.compose(&c)));
    }

    #[test]
    fn concurrent_deltas_lead_to_one_text_in_either_order(text in any_text(), a in any_recipe(), b in any_recipe()) {
        let (own, others) = (fitted(&a, &text), fitted(&b, &text));
        let own_first = own.apply(&text).unwrap();
        let own_first = others.transform(&own, Side::Others).apply(&own_first);
        prop_assert_eq!(own_first, Some(merged(&text, &own, &others)));
    }

    #[test]
    fn concurrent_deltas_lose_no_insert_and_delete_only_what_one_of_them_deletes(
        text in distinct_text(), a in recipe("[0-9]{0,3}"), b in recipe("[A-Z]{0,3}")
    ) {
        let (own, others) = (fitted(&a, &text), fitted(&b, &text));
        let (mine, theirs) = (own.apply(&text).unwrap(), others.apply(&text).unwrap());
        let merged = merged(&text, &own, &others);
        prop_assert_eq!(only(&merged, |char| char.is_ascii_digit()), only(&mine, |char| char.is_ascii_digit()));
        prop_assert_eq!(only(&merged, |char| char.is_ascii_uppercase()), only(&theirs, |char| char.is_ascii_uppercase()));
        let kept = only(&text, |char| mine.contains(char) && theirs.contains(char));
        prop_assert_eq!(only(&merged, |char| char.is_ascii_lowercase()), kept);
    }

    #[test]
    fn an_insert_stays_behind_its_left_neighbour(text in distinct_text(), at in any::<Index>(), b in recipe("[A-Z]{0,3}")) {
        let at = at.index(length(&text) + 1);
        let others = fitted(&b, &text);
        let merged = merged(&text, &Delta::insert(at, "0"), &others);
        let place = merged.find('0').unwrap();
        let neighbour = text[..at].chars().next_back();
        if neighbour.is_none_or(|neighbour| others.apply(&text).unwrap().contains(neighbour)) {
            prop_assert_eq!(merged[..place].chars().next_back(), neighbour);
        }
    }

    #[test]
    fn a_delete_removes_only_what_was_on_the_screen(
        text in distinct_text(), from in any::<Index>(), to in any::<Index>(), b in recipe("[A-Z]{0,3}")
    ) {
        let (from, to) = (from.index(length(&text) + 1), to.index(length(&text) + 1));
        let (from, to) = (from.min(to), from.max(to));
        let theirs = fitted(&b, &text).apply(&text).unwrap();
        let merged = merged(&text, &Delta::delete(from, to - from), &fitted(&b, &text));
        prop_assert_eq!(merged, only(&theirs, |char| !text[from..to].contains(char)));
    }

    #[test]
    fn edits_made_one_after_another_do_what_the_delta_does(text in any_text(), a in any_recipe()) {
        let delta = fitted(&a, &text);
        let after = delta.apply(&text).unwrap();
        let chars = |text: &str| text.chars().collect::<Vec<char>>();
        prop_assert_eq!(edited(chars(&text), delta.splices(), chars), chars(&after));
        let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        prop_assert_eq!(edited(units(&text), delta.splices_in(Units::Utf16, &text), units), units(&after));
        prop_assert_eq!(delta.splices_in(Units::CodePoints, &text), delta.splices().collect::<Vec<_>>());
    }

    #[test]
    fn a_position_survives_the_way_to_other_units_and_back(text in any_text(), at in 0..30_usize) {
        let there = utf16(&text, at);
        prop_assert_eq!(there.is_some(), at <= length(&text));
        prop_assert_eq!(there.and_then(|there| code_points(&text, there)), there.map(|_| at));
        let back = code_points(&text, at);
        prop_assert_eq!(back.and_then(|back| utf16(&text, back)), back.map(|_| at));
    }

    #[test]
    fn a_comparison_leads_from_one_text_to_the_other(before in any_text(), after in any_text()) {
        let delta = Delta::replaced(&before, &after);
        prop_assert_eq!(delta.apply(&before), Some(after.clone()));
        prop_assert_eq!(delta.is_empty(), before == after);
        prop_assert!(delta.splices().count() <= 1);
    }

    #[test]
    fn a_delta_fits_every_text_that_is_long_enough_and_no_other(text in any_text(), a in any_recipe(), other in any_text()) {
        let delta = fitted(&a, &text);
        prop_assert_eq!(delta.apply(&other).is_some(), length(&other) >= delta.length_before());
    }
}

#[test]
fn own_text_comes_first_where_two_insert_at_the_same_position() {
    let cases = [
        ("ab", Delta::insert(1, "0"), Delta::insert(1, "X"), "a0Xb"),
        ("ab", Delta::insert(1, "0"), Delta::splice(1, 1, "X"), "a0X"),
        ("ab", Delta::splice(1, 1, "0"), Delta::insert(1, "X"), "a0X"),
        ("ab", Delta::splice(0, 2, "0"), Delta::splice(0, 2, "X"), "0X"),
        ("", Delta::insert(0, "0"), Delta::insert(0, "X"), "0X"),
        ("abc", Delta::delete(0, 3), Delta::insert(2, "X"), "X"),
        ("abc", Delta::splice(0, 3, "0"), Delta::insert(2, "X"), "0X"),
    ];
    for (text, own, others, expected) in cases {
        assert_eq!(merged(text, &own, &others), expected, "{own:?} and {others:?}");
    }
}

#[test]
fn a_comparison_replaces_the_one_stretch_that_differs() {
    let cases = [
        ("abc", "abc", Delta::default()),
        ("abc", "aXc", Delta::splice(1, 1, "X")),
        ("aa", "aaa", Delta::insert(2, "a")),
        ("aaa", "aa", Delta::delete(2, 1)),
        ("🎉é", "🎈é", Delta::splice(0, 1, "🎈")),
        ("", "ab", Delta::insert(0, "ab")),
    ];
    for (before, after, expected) in cases {
        assert_eq!(Delta::replaced(before, after), expected, "{before} {after}");
    }
}

#[test]
fn positions_count_surrogate_pairs_and_combining_marks() {
    let family = "👨\u{200d}👧e\u{301}";
    let expected = [Some(0), None, Some(1), Some(2), None, Some(3), Some(4), Some(5), None];
    for (position, expected) in expected.into_iter().enumerate() {
        assert_eq!(code_points(family, position), expected, "{position}");
    }
    let expected = [Some(0), Some(2), Some(3), Some(5), Some(6), Some(7), None];
    for (position, expected) in expected.into_iter().enumerate() {
        assert_eq!(utf16(family, position), expected, "{position}");
    }
}

#[test]
fn edits_in_other_units_count_what_was_inserted_and_deleted_before_them() {
    let delta = Delta::splice(3, 1, "x").compose(&Delta::splice(0, 2, "🎈🎈"));
    let splice = |at, length, text: &str| Splice { at, length, text: text.to_owned() };
    assert_eq!(delta.splices_in(Units::Utf16, "🎉e\u{301}🎉"), [splice(0, 3, "🎈🎈"), splice(5, 2, "x")]);
}

#[test]
fn absurd_lengths_do_not_fit_and_do_no_harm() {
    let absurd = Delta::splice(usize::MAX, usize::MAX, "x");
    let own = Delta::insert(1, "y");
    for delta in [absurd.compose(&absurd), absurd.transform(&own, Side::Own), own.compose(&absurd)] {
        assert_eq!(delta.apply("abc"), None);
        assert!(delta.splices_in(Units::Utf16, "🎉").len() <= 3);
    }
    assert_eq!(absurd.length_before(), usize::MAX);
}
