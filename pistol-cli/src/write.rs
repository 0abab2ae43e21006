//! Putting JSON into a document. What is there already is changed rather than replaced where it can be, so that what
//! others change at the same time is kept.

use std::collections::BTreeSet;

use pistol::{Edit, Kind, ListEdit, MapEdit, TextEdit, Value};
use serde_json::Value as Json;

use crate::path::Path;

/// Puts a value at a path; maps on the way are made where nothing is. What is in the way fails the edit.
pub(crate) fn write(edit: &Edit, path: &Path, json: &Json) {
    let (last, before) = path.split_last();
    let root: &MapEdit = edit;
    let container = before.iter().fold(Container::Map(root.clone()), |container, step| container.enter(step));
    container.place(last).write(json);
}

/// What holds values.
enum Container {
    Map(MapEdit),
    List(ListEdit),
}

impl Container {
    fn enter(self, step: &str) -> Container {
        self.place(step).container()
    }

    fn place(self, step: &str) -> Place {
        match self {
            Container::Map(map) => Place::Key(map, step.to_owned()),
            // The end of a number line is past the end of any list, which the list itself refuses.
            Container::List(list) => Place::Position(list, step.parse().unwrap_or(usize::MAX)),
        }
    }
}

/// Where a value is or shall be.
enum Place {
    Key(MapEdit, String),
    Position(ListEdit, usize),
}

impl Place {
    fn value(&self) -> Option<Value> {
        match self {
            Place::Key(map, key) => map.value(key),
            Place::Position(list, at) => list.value(*at),
        }
    }

    fn put(&self, value: Value) {
        match self {
            Place::Key(map, key) => map.put(key, value),
            Place::Position(list, at) if *at == list.len() => list.push(value),
            Place::Position(list, at) => list.set(*at, value),
        }
    }

    /// The container that is here, or a new map if nothing is.
    fn container(&self) -> Container {
        match (self, self.value()) {
            (Place::Key(map, key), Some(Value::Object(Kind::List))) => Container::List(map.list(key)),
            (Place::Position(list, at), Some(Value::Object(Kind::List))) => Container::List(list.list(*at)),
            (Place::Position(list, at), None) => Container::Map(list.insert_map(*at)),
            _ => Container::Map(self.map()),
        }
    }

    fn map(&self) -> MapEdit {
        match self {
            Place::Key(map, key) => map.map(key),
            Place::Position(list, at) => list.map(*at),
        }
    }

    fn list(&self) -> ListEdit {
        match self {
            Place::Key(map, key) => map.list(key),
            Place::Position(list, at) => list.list(*at),
        }
    }

    fn text(&self) -> TextEdit {
        match self {
            Place::Key(map, key) => map.text(key),
            Place::Position(list, at) => list.text(*at),
        }
    }

    /// A new map, in the place of what is here.
    fn new_map(&self) -> MapEdit {
        self.clear();
        match self {
            Place::Key(map, key) => map.map(key),
            Place::Position(list, at) => list.insert_map(*at),
        }
    }

    /// A new list, in the place of what is here.
    fn new_list(&self) -> ListEdit {
        self.clear();
        match self {
            Place::Key(map, key) => map.list(key),
            Place::Position(list, at) => list.insert_list(*at),
        }
    }

    fn clear(&self) {
        match self {
            Place::Key(map, key) => map.delete(key),
            Place::Position(list, at) if *at < list.len() => list.delete(*at),
            Place::Position(..) => {}
        }
    }

    fn write(&self, json: &Json) {
        match (json, self.value()) {
            (Json::Object(entries), Some(Value::Object(Kind::Map))) => write_map(&self.map(), entries),
            (Json::Object(entries), _) => write_map(&self.new_map(), entries),
            (Json::Array(items), Some(Value::Object(Kind::List))) => write_list(&self.list(), items),
            (Json::Array(items), _) => write_list(&self.new_list(), items),
            (Json::String(text), Some(Value::Object(Kind::Text))) => self.text().set(text),
            (json, there) => {
                let value = scalar(json, there.as_ref());
                if there.as_ref() != Some(&value) {
                    self.put(value);
                }
            }
        }
    }
}

fn write_map(map: &MapEdit, entries: &serde_json::Map<String, Json>) {
    let wanted: BTreeSet<&String> = entries.keys().collect();
    for key in map.keys().iter().filter(|key| !wanted.contains(key)) {
        map.delete(key);
    }
    for (key, json) in entries {
        Place::Key(map.clone(), key.clone()).write(json);
    }
}

fn write_list(list: &ListEdit, items: &[Json]) {
    let surplus = list.len().saturating_sub(items.len());
    for _ in 0..surplus {
        list.delete(items.len());
    }
    for (at, json) in items.iter().enumerate() {
        Place::Position(list.clone(), at).write(json);
    }
}

/// A value without parts. Where a counter counts, a number is what it shall stand at.
pub(crate) fn scalar(json: &Json, there: Option<&Value>) -> Value {
    match json {
        Json::Bool(value) => Value::Bool(*value),
        Json::String(text) => Value::Text(text.clone()),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) if matches!(there, Some(Value::Counter(_))) => Value::Counter(value),
            (Some(value), _) => Value::Int(value),
            (None, Some(value)) => Value::Uint(value),
            (None, None) => Value::Float(number.as_f64().unwrap_or_default()),
        },
        Json::Null | Json::Array(_) | Json::Object(_) => Value::Null,
    }
}
