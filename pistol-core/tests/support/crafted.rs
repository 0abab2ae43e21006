//! Changes that an application would never write: odd but legal, or broken in one place.

#![allow(dead_code, missing_docs, unreachable_pub)]

use std::collections::BTreeSet;

use pistol_core::change::{Action, Change, Kind, Mark, Op, Place, Reference, Scalar};
use pistol_core::id::{AuthorityId, ChangeId};
use pistol_core::limits;

use super::support::Dice;
use super::world::{Plain, PlainPlace, SELF, Target, World};

/// Operations over whatever a past holds, mostly legal.
pub fn any_ops(dice: &mut Dice, world: &World, past: &BTreeSet<ChangeId>) -> Vec<Plain> {
    let mut pool: Vec<(Target, Plain)> = Vec::new();
    let mut take = |id: Option<ChangeId>, ops: &[Plain]| {
        pool.extend(ops.iter().enumerate().map(|(place, op)| ((id, place), op.clone())));
    };
    take(None, &world.skeleton);
    for id in &world.order {
        if past.contains(id) || dice.below(60) == 0 {
            take(Some(*id), &world.known[id].ops);
        }
    }
    let mut ops = Vec::new();
    for _ in 0..dice.below(5) {
        let marks = if dice.below(6) == 0 { any_mark(dice, &pool, ops.len()) } else { vec![] };
        let some = if marks.is_empty() { vec![any_op(dice, &pool)] } else { marks };
        for op in some {
            pool.push(((Some(SELF), ops.len()), op.clone()));
            ops.push(op);
        }
    }
    ops
}

/// A mark in some text, if there is one: from anywhere to anywhere, so every other one ends before it begins.
fn any_mark(dice: &mut Dice, pool: &[(Target, Plain)], place: usize) -> Vec<Plain> {
    let is_text = |op: &Plain| matches!(op.action, Action::Make(Kind::Text));
    let texts: Vec<Target> = pool.iter().filter(|(_, op)| is_text(op)).map(|(target, _)| *target).collect();
    let Some(text) = texts.get(dice.below(texts.len())).copied() else { return vec![] };
    let is_in = |op: &Plain| op.object == Some(text) && matches!(op.place, PlainPlace::After(_));
    let elements: Vec<Target> = pool.iter().filter(|(_, op)| is_in(op)).map(|(target, _)| *target).collect();
    let any = |dice: &mut Dice| elements.get(dice.below(elements.len() + 1)).copied();
    let name = ["bold", "link", "", "\u{1f980}"][dice.below(4)].to_owned();
    let value = if dice.below(3) == 0 { any_scalar(dice) } else { Scalar::Bool(true) };
    let begin = Action::MarkBegin(Box::new(Mark { name, value, expand: dice.below(2) == 0 }));
    let from = any(dice);
    let to = if dice.below(5) == 0 { Some((Some(SELF), place)) } else { any(dice) };
    let end = Action::MarkEnd { expand: dice.below(2) == 0 };
    let plain = |after, action| Plain { object: Some(text), place: PlainPlace::After(after), action, pred: vec![] };
    let mut mark = vec![plain(from, begin), plain(to, end)];
    match dice.below(40) {
        0 => mark.reverse(),
        1 => drop(mark.pop()),
        2 => mark.insert(1, plain(from, Action::Put(Scalar::Text("between".to_owned())))),
        _ => {}
    }
    mark
}

fn any_op(dice: &mut Dice, pool: &[(Target, Plain)]) -> Plain {
    let is_object = |op: &Plain| matches!(op.action, Action::Make(_));
    let objects: Vec<_> = pool.iter().filter(|(_, op)| is_object(op)).collect();
    let (object, kind) = match dice.below(4) {
        0 => (None, Kind::Map),
        1..=2 => {
            let (target, op) = objects[dice.below(objects.len().min(3))];
            (Some(*target), kind_of(op))
        }
        _ => {
            let (target, op) = objects[dice.below(objects.len())];
            (Some(*target), kind_of(op))
        }
    };
    let is_element = |op: &&(Target, Plain)| op.1.object == object && matches!(op.1.place, PlainPlace::After(_));
    let elements: Vec<Target> = pool.iter().filter(is_element).map(|(target, _)| *target).collect();
    let any_target = |dice: &mut Dice| pool[dice.below(pool.len())].0;
    let element = if elements.is_empty() { None } else { Some(elements[dice.below(elements.len())]) };
    let element = if dice.below(40) == 0 { Some(any_target(dice)) } else { element };
    let place = match (kind, element) {
        (Kind::Map, _) if dice.below(40) > 0 => {
            PlainPlace::Key(["a", "k", "body", "nested", "n"][dice.below(5)].to_owned())
        }
        (_, Some(element)) if dice.below(2) == 0 => PlainPlace::At(element),
        (_, element) => PlainPlace::After(element.filter(|_| dice.below(4) > 0)),
    };
    let mut action = any_action(dice);
    if kind == Kind::Text && dice.below(30) > 0 {
        action = match &place {
            PlainPlace::At(_) => Action::Delete,
            _ if dice.below(8) == 0 => Action::Make(Kind::Map),
            _ => Action::Put(Scalar::Text(["q", "w", "\u{e9}", "\u{1f980}", "long one", ""][dice.below(6)].to_owned())),
        };
    }
    let here = |op: &&(Target, Plain)| {
        let is_same = match &place {
            PlainPlace::At(element) => op.0 == *element || op.1.place == place,
            place => op.1.place == *place && matches!(place, PlainPlace::Key(_)),
        };
        let is_counter = matches!(op.1.action, Action::Put(Scalar::Counter(_)));
        op.1.object == object
            && is_same
            && !matches!(
                op.1.action,
                Action::Delete | Action::Increment(_) | Action::MarkBegin(_) | Action::MarkEnd { .. }
            )
            && (is_counter || !matches!(action, Action::Increment(_)))
    };
    let mut pred: Vec<Target> = pool.iter().filter(here).map(|(target, _)| *target).collect();
    pred.retain(|_| dice.below(4) > 0);
    if dice.below(40) == 0 {
        pred.push(any_target(dice));
    }
    if pred.is_empty() && matches!(action, Action::Delete | Action::Increment(_)) && dice.below(10) > 0 {
        action = Action::Put(Scalar::Int(1));
    }
    Plain { object, place, action, pred }
}

fn kind_of(op: &Plain) -> Kind {
    match op.action {
        Action::Make(kind) => kind,
        _ => Kind::Map,
    }
}

fn any_action(dice: &mut Dice) -> Action {
    match dice.below(16) {
        14 => Action::MarkEnd { expand: false },
        15 => Action::MarkBegin(Box::new(Mark { name: "bold".to_owned(), value: any_scalar(dice), expand: true })),
        0 => Action::Make(Kind::Map),
        1 => Action::Make(Kind::List),
        2 => Action::Make(Kind::Text),
        3..=5 => Action::Delete,
        6..=7 => Action::Increment([1, -1, limits::INCREMENT_MAX, -limits::INCREMENT_MAX, i64::MIN][dice.below(5)]),
        _ => Action::Put(any_scalar(dice)),
    }
}

fn any_scalar(dice: &mut Dice) -> Scalar {
    let exact = i64::try_from(limits::EXACT_MAX).unwrap();
    match dice.below(13) {
        0 => Scalar::Null,
        1 => Scalar::Bool(true),
        2 => Scalar::Int([i64::MIN, i64::MAX, 0][dice.below(3)]),
        3 => Scalar::Uint(u64::MAX),
        4 => Scalar::Float([f64::NAN, f64::INFINITY, -0.0][dice.below(3)].to_bits()),
        5 => Scalar::Text(["", "text", "\0"][dice.below(3)].to_owned()),
        6 => Scalar::Bytes(vec![0xff; dice.below(3)]),
        7 => Scalar::Timestamp([i64::MIN, i64::MAX, 7][dice.below(3)]),
        _ => Scalar::Counter([0, 1, exact, -exact, exact + 1][dice.below(5)]),
    }
}

/// Breaks a change in one place, whatever that makes of it. There are 64 ways.
pub fn scramble(dice: &mut Dice, change: &mut Change, known: &[ChangeId]) -> usize {
    let way = dice.below(64);
    let some = |dice: &mut Dice| known[dice.below(known.len())];
    let ops = change.ops.len();
    match way {
        0 => change.ops.reverse(),
        1 if ops > 0 => drop(change.ops.remove(dice.below(ops))),
        2 if ops > 0 => change.ops.push(change.ops[dice.below(ops)].clone()),
        3 => change.ops.clear(),
        4 if ops > 1 => change.ops.swap(0, ops - 1),
        5 if !change.deps.is_empty() => drop(change.deps.remove(dice.below(change.deps.len()))),
        6 => change.deps.push(some(dice)),
        7 => change.deps.reverse(),
        8 if !change.deps.is_empty() => change.deps.push(change.deps[0]),
        9 if !change.deps.is_empty() => change.deps[0] = some(dice),
        10 => change.deps.clear(),
        11 if !change.table.is_empty() => drop(change.table.remove(dice.below(change.table.len()))),
        12 => change.table.push(some(dice)),
        13 if !change.table.is_empty() => change.table[0] = some(dice),
        14 => change.table.reverse(),
        15 if !change.table.is_empty() => change.table.push(change.table[0]),
        16 => change.time_ms = [0, limits::EXACT_MAX, limits::EXACT_MAX + 1, u64::MAX][dice.below(4)],
        17 => change.message = Some(["", "\0", "said"][dice.below(3)].to_owned()),
        18 => change.seq += 1,
        19 => change.seq = 1,
        20 => change.authority = vec![AuthorityId([7; 32]); dice.below(6)],
        21 => {
            change.table.push(some(dice));
            change.table.sort_unstable();
            change.table.dedup();
        }
        22 => {
            change.deps.push(some(dice));
            change.deps.sort_unstable();
            change.deps.dedup();
        }
        _ if ops > 0 => {
            let at = dice.below(ops);
            scramble_op(dice, way, &mut change.ops[at]);
        }
        _ => {}
    }
    way
}

fn scramble_op(dice: &mut Dice, way: usize, op: &mut Op) {
    match way {
        23..=30 => op.object = scrambled(dice, way - 23, op.object),
        31..=38 => {
            op.place = match &op.place {
                Place::Key(key) if way == 31 => Place::Key(format!("{key}2")),
                Place::Key(_) => scrambled(dice, way - 31, None).map_or(Place::After(None), Place::At),
                Place::After(element) => Place::After(scrambled(dice, way - 31, *element)),
                Place::At(element) => scrambled(dice, way - 31, Some(*element)).map_or(Place::After(None), Place::At),
            }
        }
        39..=46 if !op.pred.is_empty() => {
            let at = dice.below(op.pred.len());
            match scrambled(dice, way - 39, Some(op.pred[at])) {
                Some(reference) => op.pred[at] = reference,
                None => drop(op.pred.remove(at)),
            }
            op.pred.sort_unstable();
        }
        47 => op.pred.reverse(),
        48 if !op.pred.is_empty() => op.pred.push(op.pred[0]),
        49 => op.pred.clear(),
        50 => op.pred = op.object.into_iter().collect(),
        51 => op.pred.push(Reference::Own(u32::MAX)),
        52 => {
            op.place = match op.place {
                Place::At(element) => Place::After(Some(element)),
                Place::After(Some(element)) => Place::At(element),
                _ => Place::Key("k".to_owned()),
            }
        }
        53 => op.place = Place::Key("x".repeat(limits::KEY_BYTES_MAX + dice.below(2))),
        54 => op.place = Place::After(None),
        55 => op.action = Action::Delete,
        56 => op.action = Action::Increment(i64::MIN),
        57 => op.action = Action::Increment(1),
        58 => op.action = Action::Make([Kind::Map, Kind::List, Kind::Text][dice.below(3)]),
        _ => op.action = any_action(dice),
    }
}

fn scrambled(dice: &mut Dice, way: usize, reference: Option<Reference>) -> Option<Reference> {
    let number = match reference {
        Some(Reference::Own(number) | Reference::Skeleton(number) | Reference::Entry(_, number)) => number,
        None => 0,
    };
    match way {
        0 => None,
        1 => Some(Reference::Own(number)),
        2 => Some(Reference::Skeleton(number)),
        3 => Some(Reference::Entry(0, number)),
        4 => Some(Reference::Entry(u32::MAX, u32::MAX)),
        5 => Some(Reference::Own(u32::MAX)),
        6 => {
            Some(shifted(reference?, if dice.below(2) == 0 { number.wrapping_add(1) } else { number.wrapping_sub(1) }))
        }
        _ => Some(match reference? {
            Reference::Entry(entry, number) => Reference::Entry(entry + 1, number),
            other => shifted(other, u32::try_from(dice.below(12)).unwrap()),
        }),
    }
}

fn shifted(reference: Reference, number: u32) -> Reference {
    match reference {
        Reference::Own(_) => Reference::Own(number),
        Reference::Skeleton(_) => Reference::Skeleton(number),
        Reference::Entry(entry, _) => Reference::Entry(entry, number),
    }
}
