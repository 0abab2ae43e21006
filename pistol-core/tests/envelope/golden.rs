//! Envelopes whose bytes are part of the format.

use pistol_core::change::{Action, Kind, Mark, Op, Place, Reference, Scalar};
use pistol_core::envelope::Envelope;

use crate::desk::{Chain, deleted, put, seal, typed};

/// One author types a sentence, deletes its end, and goes on.
pub(crate) fn typing() -> Envelope {
    let mut chain = Chain::new(1, 0x0123_4567_89ab_cdef);
    let mut order = Vec::new();
    let (mut last, mut time_ms) = (None, 1_700_000_000_000);
    for (number, character) in (1..).zip("The quick brown fox jumps over the lazy dig".chars()) {
        time_ms += 150 + u64::from(number) % 7;
        order.push(chain.write(&[], time_ms, vec![typed(last, &character.to_string())]));
        last = Some(Reference::Own(number));
    }
    for number in [43, 42] {
        time_ms += 90;
        order.push(chain.write(&[], time_ms, vec![deleted(Reference::Own(number))]));
    }
    let ops = vec![typed(Some(Reference::Own(41)), "o"), typed(Some(Reference::Own(46)), "g")];
    order.push(chain.write(&[], time_ms + 2000, ops));
    let changes = chain.sign();
    seal(&order, changes)
}

/// Two authors type in turn, each after the other's last character.
pub(crate) fn turns(characters: u32) -> Envelope {
    turns_after(0, characters)
}

/// The same, but in the middle: so many characters came in other envelopes.
pub(crate) fn turns_after(before: u32, characters: u32) -> Envelope {
    let mut chains = [Chain::new(1, 1), Chain::new(2, 2)];
    let mut order = Vec::new();
    for turn in 0..before + characters {
        if turn == before {
            chains.iter_mut().for_each(|chain| drop(chain.sign()));
            order.clear();
        }
        let [mine, other] = &mut chains;
        let seen: Vec<_> = other.last.into_iter().collect();
        let after = (turn > 0).then_some(Reference::Entry(0, turn.div_ceil(2)));
        let id = mine.write_like(&seen, |change| {
            change.time_ms = 1_700_000_000_000 + u64::from(turn) * 200;
            change.table.clone_from(&seen);
            change.ops = vec![typed(after, if turn % 5 == 4 { " " } else { "é" })];
        });
        order.push(id);
        chains.reverse();
    }
    chains.sort_by_key(|chain| chain.seq);
    let changes = chains.iter_mut().flat_map(Chain::sign).collect();
    seal(&order, changes)
}

/// Every kind of value and action, in a map, a list, and records with the same keys.
pub(crate) fn scalars() -> Envelope {
    let mut chain = Chain::new(3, 7);
    let values = [
        Scalar::Null,
        Scalar::Bool(false),
        Scalar::Bool(true),
        Scalar::Int(-1),
        Scalar::Int(i64::MIN),
        Scalar::Uint(u64::MAX),
        Scalar::Float(1.5f64.to_bits()),
        Scalar::Text("日本".into()),
        Scalar::Text(String::new()),
        Scalar::Bytes(vec![0, 255]),
        Scalar::Timestamp(1_700_000_000_000),
        Scalar::Counter(i64::MAX),
    ];
    let puts = values.into_iter().map(|value| put("value", value)).collect();
    let mut order = vec![chain.write(&[], 0, puts)];
    let inside = |number, place, action| Op { object: Some(Reference::Own(number)), place, action, pred: Vec::new() };
    let mut ops = vec![put("rows", Scalar::Null), put("count", Scalar::Counter(1))];
    ops[0].action = Action::Make(Kind::List);
    for row in [15, 18, 21] {
        let after = (row > 15).then(|| Reference::Own(row - 3));
        ops.push(inside(13, Place::After(after), Action::Make(Kind::Map)));
        for key in ["name", "done"] {
            let value = Scalar::Int(i64::from(row));
            ops.push(inside(row, Place::Key(key.into()), Action::Put(value)));
        }
    }
    let mut increment = put("count", Scalar::Null);
    increment.action = Action::Increment(-3);
    increment.pred = vec![Reference::Own(14)];
    ops.push(increment);
    order.push(chain.write_like(&[], |change| {
        change.message = Some("rows".into());
        change.time_ms = u64::MAX;
        change.ops = ops;
    }));
    order.push(chain.write(&[], 1, Vec::new()));
    let changes = chain.sign();
    seal(&order, changes)
}

/// A text that is marked: every kind of value and both ways to grow, a name that comes again, a mark taken away, a block.
pub(crate) fn marks() -> Envelope {
    let mut chain = Chain::new(4, 9);
    let letters = (0..6).map(|number: u32| typed(number.checked_sub(1).map(Reference::Own), "m")).collect();
    let mut order = vec![chain.write(&[], 0, letters)];
    let in_text = |after, action| Op { action, ..typed(after, "") };
    let values = [
        Scalar::Bool(true),
        Scalar::Null,
        Scalar::Text("https://example.org".into()),
        Scalar::Int(-3),
        Scalar::Uint(3),
        Scalar::Float(0.5f64.to_bits()),
        Scalar::Bytes(vec![1, 2]),
        Scalar::Timestamp(7),
        Scalar::Counter(7),
    ];
    for (number, value) in (0..).zip(values) {
        let name = ["bold", "link"][usize::from(number > 1)].to_owned();
        let begin = Action::MarkBegin(Box::new(Mark { name, value, expand: number % 2 == 0 }));
        let end = Action::MarkEnd { expand: number % 3 == 0 };
        let after = |number: u32| Some(Reference::Own(number % 6));
        let ops = vec![in_text(after(number), begin), in_text(after(number + 2), end)];
        order.push(chain.write(&[], 100 * u64::from(number), ops));
    }
    let block = in_text(Some(Reference::Own(2)), Action::Make(Kind::Map));
    let kind = Op { object: Some(Reference::Own(24)), ..put("type", Scalar::Text("paragraph".into())) };
    order.push(chain.write(&[], 1000, vec![block, kind]));
    let changes = chain.sign();
    seal(&order, changes)
}
