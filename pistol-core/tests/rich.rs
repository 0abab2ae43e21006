//! Rich text: marks, blocks and cursors, as applications use them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "support/replica.rs"]
mod support;

use pistol_core::document::{Cursor, Edit, EditError, Expand, TextSpan, Value};
use support::{Dice, Replica, any_edit};

fn two() -> [Replica; 2] {
    let genesis = support::genesis();
    [1, 2].map(|number| Replica::new(&genesis, number, 1))
}

/// One edits, the other hears of it.
fn tell(from: &mut Replica, to: &mut Replica, edit: impl FnOnce(&mut Edit)) {
    from.edit(edit).unwrap();
    let changes = from.commit();
    to.receive(&changes);
    to.document.project().unwrap();
}

/// The text of a replica with its marks.
fn shown(replica: &Replica) -> String {
    let content = replica.document.content();
    let part = |span| match span {
        TextSpan::Text { text, marks } if marks.is_empty() => text,
        TextSpan::Text { text, marks } => format!("{:?}({text})", marks.into_keys().collect::<Vec<_>>()),
        TextSpan::Block(block) => format!("{block:?}"),
        other => panic!("{other:?}"),
    };
    content.text("body").spans().into_iter().map(part).collect()
}

#[test]
fn a_marked_stretch_is_marked_everywhere_until_it_is_unmarked() {
    let [mut ann, mut bob] = two();
    tell(&mut ann, &mut bob, |doc| {
        doc.text("body").push("a bold word");
        doc.text("body").mark(2..6, "bold", true, Expand::After);
    });
    tell(&mut bob, &mut ann, |doc| doc.text("body").unmark(4..6, "bold", Expand::None));
    for replica in [&ann, &bob] {
        assert_eq!(shown(replica), "a [\"bold\"](bo)ld word");
        let content = replica.document.content();
        assert_eq!(content.text("body").marks_at(2).get("bold"), Some(&Value::Bool(true)));
        assert!(content.text("body").marks_at(4).is_empty());
        let mark = &content.text("body").marks()[0];
        assert_eq!((mark.range.clone(), mark.name.as_str(), &mark.value), (2..4, "bold", &Value::Bool(true)));
    }
}

#[test]
fn what_is_inserted_at_the_edge_of_a_mark_belongs_to_it_if_it_expands() {
    for (expand, expected) in [
        (Expand::None, "<[\"m\"](mark)>"),
        (Expand::Before, "[\"m\"](<mark)>"),
        (Expand::After, "<[\"m\"](mark>)"),
        (Expand::Both, "[\"m\"](<mark>)"),
    ] {
        let [mut ann, mut bob] = two();
        tell(&mut ann, &mut bob, |doc| {
            doc.text("body").push("mark");
            doc.text("body").mark(0..4, "m", 1, expand);
        });
        tell(&mut bob, &mut ann, |doc| {
            doc.text("body").push(">");
            doc.text("body").insert(0, "<");
        });
        assert_eq!((shown(&ann).as_str(), shown(&bob).as_str()), (expected, expected), "{expand:?}");
    }
}

#[test]
fn a_block_is_one_character_with_a_map_in_it() {
    let [mut ann, mut bob] = two();
    tell(&mut ann, &mut bob, |doc| {
        doc.text("body").push("titletext");
        doc.text("body").split_block(0).put("type", "heading");
        doc.text("body").split_block(6).put("type", "paragraph");
    });
    assert_eq!(shown(&bob), r#"{"type": Some(Text("heading"))}title{"type": Some(Text("paragraph"))}text"#);
    assert_eq!(bob.document.content().text("body").to_string(), "\u{fffc}title\u{fffc}text");
    assert_eq!(bob.document.content().text("body").block(6).value("type"), Some("paragraph".into()));
    tell(&mut bob, &mut ann, |doc| {
        doc.text("body").block(0).put("level", 1u64);
        doc.text("body").join_block(6);
    });
    assert_eq!(shown(&ann), r#"{"level": Some(Uint(1)), "type": Some(Text("heading"))}titletext"#);
    tell(&mut ann, &mut bob, |doc| doc.text("body").replace_block(0).put("type", "quote"));
    assert_eq!(shown(&bob), r#"{"type": Some(Text("quote"))}titletext"#);
}

/// An edit, and why it is not made.
type Refused = (fn(&mut Edit), EditError);

#[test]
fn what_others_would_refuse_fails_before_it_is_made() {
    let cases: [Refused; 9] = [
        (|doc| doc.text("body").mark(0..1, "m", f64::NAN, Expand::None), EditError::Bounds),
        (|doc| doc.text("body").mark(0..1, "m", Value::Counter(1), Expand::None), EditError::Bounds),
        (|doc| doc.text("body").mark(0..1, &"m".repeat(1025), 1, Expand::None), EditError::Bounds),
        (|doc| doc.text("body").mark(0..4, "m", 1, Expand::None), EditError::OutOfBounds { at: 4, length: 3 }),
        (|doc| doc.text("body").unmark(1..5, "m", Expand::None), EditError::OutOfBounds { at: 5, length: 3 }),
        (|doc| drop(doc.text("body").split_block(4)), EditError::OutOfBounds { at: 4, length: 3 }),
        (|doc| doc.text("body").join_block(0), EditError::OtherKind { at: "0".to_owned() }),
        (|doc| drop(doc.text("body").replace_block(3)), EditError::Missing { at: "3".to_owned() }),
        (|doc| doc.text("body").mark(0..1, "m", "v".repeat(1 << 20), Expand::None), EditError::TooLarge),
    ];
    let [mut ann, _] = two();
    ann.edit(|doc| doc.text("body").push("abc")).unwrap();
    let before = ann.picture();
    for (edit, expected) in cases {
        assert_eq!(ann.edit(edit), Err(expected));
        assert_eq!(ann.picture(), before);
    }
}

#[test]
fn to_mark_nothing_changes_nothing() {
    let [mut ann, _] = two();
    ann.edit(|doc| doc.text("body").push("abc")).unwrap();
    ann.commit();
    for expand in [Expand::None, Expand::Before, Expand::After, Expand::Both] {
        ann.edit(|doc| doc.text("body").mark(1..1, "m", 1, expand)).unwrap();
    }
    assert!(ann.commit().is_empty());
}

#[test]
fn a_text_fits_one_change_or_the_edit_says_to_make_it_in_parts() {
    let [mut ann, mut bob] = two();
    tell(&mut ann, &mut bob, |doc| doc.text("body").push(&"a".repeat(30_000)));
    assert_eq!(bob.document.content().text("body").len(), 30_000);
    let before = ann.picture();
    assert_eq!(ann.edit(|doc| doc.text("body").splice(0, 0, &"b".repeat(100_000))), Err(EditError::TooLarge));
    assert_eq!(ann.picture(), before);
}

#[test]
fn a_cursor_stays_beside_its_character() {
    let [mut ann, mut bob] = two();
    tell(&mut ann, &mut bob, |doc| doc.text("body").push("abc"));
    let content = bob.document.content();
    let text = content.text("body");
    let cursors = [0, 1, 3].map(|at| (text.cursor(at).unwrap(), text.cursor_after(at).unwrap()));
    let places = |replica: &Replica| {
        let content = replica.document.content();
        cursors.map(|(before, after)| {
            let place = |cursor| content.text("body").position(cursor).unwrap();
            (place(&before), place(&after))
        })
    };
    assert_eq!(places(&ann), [(0, 0), (1, 1), (3, 3)]);
    tell(&mut ann, &mut bob, |doc| {
        for at in [3, 1, 0] {
            doc.text("body").insert(at, "--");
        }
    });
    assert_eq!((places(&ann), places(&bob)), ([(2, 0), (5, 3), (9, 7)], [(2, 0), (5, 3), (9, 7)]));
    tell(&mut ann, &mut bob, |doc| doc.text("body").splice(0, 9, "new"));
    assert_eq!(places(&ann), places(&bob));
    assert!(places(&ann).iter().all(|(before, after)| *before <= 3 && *after <= 3));
}

#[test]
fn a_cursor_is_written_as_a_short_text_in_one_form() {
    let [mut ann, mut bob] = two();
    tell(&mut ann, &mut bob, |doc| doc.text("body").push("abc"));
    let cursor = bob.document.content().text("body").cursor(2).unwrap();
    let text = cursor.to_string();
    assert_eq!((text.len(), text.parse()), (67, Ok(cursor)));
    assert_eq!(ann.document.content().text("body").cursor(2), Some(cursor));
    let json = serde_json::to_string(&cursor).unwrap();
    assert_eq!(serde_json::from_str::<Cursor>(&json).unwrap(), cursor);
    let broken = [
        "",
        ":",
        "<",
        ":<",
        ":2<",
        &text[1..],
        &text[..66],
        &text.replace(":2", ":02"),
        &text.replace(":2", ":99999999999"),
    ];
    for broken in broken {
        assert!(broken.parse::<Cursor>().is_err(), "{broken}");
    }
}

#[test]
fn a_cursor_of_another_text_or_of_a_change_still_to_come_has_no_place() {
    let [mut ann, mut bob] = two();
    tell(&mut ann, &mut bob, |doc| {
        doc.text("body").push("abc");
        doc.map("map").text("other").push("def");
    });
    ann.edit(|doc| doc.text("body").push("d")).unwrap();
    let content = ann.document.content();
    let place = |cursor: Option<Cursor>| bob.document.content().text("body").position(&cursor.unwrap());
    assert_eq!(place(content.map("map").text("other").cursor(1)), None);
    assert_eq!(place(content.map("map").text("other").cursor(3)), None);
    assert_eq!(place(content.text("body").cursor(3)), None);
    assert_eq!(place(content.text("body").cursor(2)), Some(2));
    assert_eq!(bob.document.content().text("none").cursor(0), None);
    let ones = content.text("body").cursor(0).unwrap().to_string();
    for number in 0..12 {
        let any: Cursor = ones.replace(":0", &format!(":{number}")).parse().unwrap();
        let place = bob.document.content().text("body").position(&any);
        assert_eq!(place, (number < 3).then_some(number), "{any}");
    }
}

#[test]
fn cursors_outlive_a_fork_and_mean_the_same_on_every_replica() {
    for seed in 0..20 {
        let (genesis, mut dice) = (support::genesis(), Dice(seed));
        // The same session on two devices, and somebody who hears of both.
        let [mut one, mut other, mut third] = [1, 1, 2].map(|number| Replica::new(&genesis, number, 7));
        tell(&mut one, &mut other, |doc| doc.text("body").push("a text to stand in"));
        third.receive(&one.commit());
        let cursors: Vec<Cursor> = (0..=18).filter_map(|at| one.document.content().text("body").cursor(at)).collect();
        for replica in [&mut one, &mut other] {
            (0..5).for_each(|_| drop(replica.edit(|doc| any_edit(doc, &mut dice))));
        }
        let changes = [one.commit(), other.commit()].concat();
        let shuffled = |dice: &mut Dice| {
            let mut changes = changes.clone();
            dice.shuffle(&mut changes);
            changes
        };
        let mut replicas = [one, other];
        let mut places = Vec::new();
        for replica in &mut replicas {
            replica.receive(&shuffled(&mut dice));
            replica.document.project().unwrap();
            let content = replica.document.content();
            places.push(cursors.iter().map(|cursor| content.text("body").position(cursor)).collect::<Vec<_>>());
        }
        assert_eq!(replicas[0].picture(), replicas[1].picture(), "seed {seed}");
        assert_eq!(places[0], places[1], "seed {seed}");
        assert!(places[0].iter().all(Option::is_some) && places[0].is_sorted(), "seed {seed}: {places:?}");
    }
}
