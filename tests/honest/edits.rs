//! Everything that an edit can do, by number.

use pistol_core::change::Kind;
use pistol_core::document::{Edit, Expand, ListEdit, MapEdit, TextEdit, Value};
use pistol_core::limits;

/// How many kinds there are.
pub const KINDS: u8 = 45;

/// Makes one part of an edit. Some cannot be made; then none of the edit is.
pub fn make(edit: &mut Edit, kind: u8, (one, other): (usize, usize), words: &str) {
    let (text, list, map) = (edit.text("body"), edit.list("list"), edit.map("map"));
    let key = ["a", "b", "", "c\u{1f980}"][one % 4];
    match kind {
        0..=6 => in_text(&text, kind, (one, other), words),
        7..=16 => in_list(&list, kind - 7, (one, other), words),
        17..=25 => in_map(&map, kind - 17, (key, other), words),
        26 => edit.put(key, value(other, words)),
        27 => edit.delete(key),
        28 => edit.text(key).push(words),
        29 => edit.map(key).map("deep").put(key, value(other, words)),
        30 => edit.list(key).insert_list(0).insert_text(0).set(words),
        31..=35 => extreme(&map, &text, kind - 31, other),
        36..=40 => marked(&text, kind - 36, (one, other), words),
        _ => in_blocks(&text, kind - 41, (one, other), words),
    }
}

fn in_text(text: &TextEdit, kind: u8, (one, other): (usize, usize), words: &str) {
    let at = one % (text.len() + 1);
    let length = other % (text.len() - at + 1);
    match kind {
        0 => text.push(words),
        1 | 2 => text.insert(at, words),
        3 => text.delete(at, length.min(5)),
        4 => text.splice(at, length.min(5), words),
        5 => text.set(&text.to_string().replace('a', words)),
        _ => text.set(words),
    }
}

fn in_list(list: &ListEdit, kind: u8, (one, other): (usize, usize), words: &str) {
    let at = one % (list.len() + 1);
    // One past the end now and then: it cannot be made.
    let there = if other % 20 == 0 { list.len() } else { one % list.len().max(1) };
    match kind {
        0 => list.push(value(other, words)),
        1 => list.insert(at, value(other, words)),
        2 => list.set(there, value(other, words)),
        3 => list.delete(there),
        4 => list.insert_map(at).put("in a list", value(other, words)),
        5 => list.insert_list(at).push(value(other, words)),
        6 => list.insert_text(at).push(words),
        7 => list.map(there).put("again", value(other, words)),
        8 => list.list(there).push(value(other, words)),
        _ => list.text(there).push(words),
    }
}

fn in_map(map: &MapEdit, kind: u8, (key, number): (&str, usize), words: &str) {
    match kind {
        0 | 1 => map.put(key, value(number, words)),
        2 => map.delete(key),
        3 => map.put("count", Value::Counter(signed(number))),
        4 => map.increment("count", signed(number) - 50),
        5 => map.map("nested").put(key, value(number, words)),
        6 => map.map("nested").map(key).delete(key),
        7 => map.text("nested text").push(words),
        _ => map.list("nested list").push(value(number, words)),
    }
}

fn marked(text: &TextEdit, kind: u8, (one, other): (usize, usize), words: &str) {
    let from = one % (text.len() + 1);
    let range = from..from + other % (text.len() - from + 1);
    let expand = [Expand::None, Expand::Before, Expand::After, Expand::Both][other % 4];
    match kind {
        0 => text.mark(range, "bold", true, expand),
        1 => text.mark(range, ["link", ""][one % 2], value(other, words), expand),
        2 => text.unmark(range, "bold", expand),
        3 => text.mark(range, &"m".repeat(limits::KEY_BYTES_MAX + other % 2), words, expand),
        // One past the end now and then: it cannot be made.
        _ => text.mark(from..text.len() + other % 2, words, one % 2 == 0, expand),
    }
}

fn in_blocks(text: &TextEdit, kind: u8, (one, other): (usize, usize), words: &str) {
    let is_block = |(_, character): &(usize, char)| *character == '\u{fffc}';
    let blocks: Vec<_> = text.to_string().chars().enumerate().filter(is_block).map(|(at, _)| at).collect();
    let there = blocks.get(one % blocks.len().max(1)).copied().unwrap_or(one);
    match kind {
        0 => text.split_block(one % (text.len() + 1)).put("type", words),
        1 => text.join_block(there),
        2 => text.replace_block(there).list("parents").push(value(other, words)),
        _ => text.block(there).map("attributes").put("level", value(other, words)),
    }
}

fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap()
}

fn value(number: usize, words: &str) -> Value {
    match number % 13 {
        0 => Value::Null,
        1 => Value::Bool(true),
        2 => Value::Int(i64::MIN),
        3 => Value::Uint(u64::MAX),
        4 => Value::Float(f64::NAN),
        5 => Value::Float(-0.0),
        6 => Value::Text(words.to_owned()),
        7 => Value::Bytes(vec![0xff; number * 10]),
        8 => Value::Timestamp(i64::MIN),
        9 => Value::Counter(-7),
        10 => Value::Object([Kind::Map, Kind::List, Kind::Text][number % 3]),
        _ => Value::Int(signed(number)),
    }
}

/// What is at a bound, or past it.
fn extreme(map: &MapEdit, text: &TextEdit, kind: u8, number: usize) {
    let exact = i64::try_from(limits::EXACT_MAX).unwrap();
    match kind {
        0 => map.put(&"k".repeat(limits::KEY_BYTES_MAX + number % 2), 1),
        1 => map.put("count", Value::Counter([exact, exact + 1, i64::MIN][number % 3])),
        2 => map.increment("count", [limits::INCREMENT_MAX, -limits::INCREMENT_MAX, i64::MAX][number % 3]),
        3 => text.delete(text.len().saturating_sub(1), 1 + number % 2),
        _ => text.push(&"long \u{1f980} ".repeat(number * 10)),
    }
}
