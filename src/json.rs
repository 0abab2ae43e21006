//! A document as JSON: texts as strings, bytes as lists of numbers. What rivals say at one place is not shown.

use pistol_core::change::Kind;
use pistol_core::document::{ListContent, MapContent, Value};
use serde_json::{Map, Value as Json};

pub(crate) fn map(content: &MapContent<'_>) -> Json {
    let entry = |key: String| {
        let value = match content.value(&key)? {
            Value::Object(Kind::Map) => map(&content.map(&key)),
            Value::Object(Kind::List) => list(&content.list(&key)),
            Value::Object(Kind::Text) => Json::from(content.text(&key).to_string()),
            value => scalar(value),
        };
        Some((key, value))
    };
    Json::Object(content.keys().into_iter().filter_map(entry).collect::<Map<_, _>>())
}

fn list(content: &ListContent<'_>) -> Json {
    let element = |at: usize| {
        Some(match content.value(at)? {
            Value::Object(Kind::Map) => map(&content.map(at)),
            Value::Object(Kind::List) => list(&content.list(at)),
            Value::Object(Kind::Text) => Json::from(content.text(at).to_string()),
            value => scalar(value),
        })
    };
    Json::Array((0..content.len()).filter_map(element).collect())
}

fn scalar(value: Value) -> Json {
    match value {
        Value::Bool(value) => Json::from(value),
        Value::Int(value) | Value::Timestamp(value) | Value::Counter(value) => Json::from(value),
        Value::Uint(value) => Json::from(value),
        Value::Float(value) => Json::from(value),
        Value::Text(value) => Json::from(value),
        Value::Bytes(value) => Json::from(value),
        _ => Json::Null,
    }
}
