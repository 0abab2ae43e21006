//! A figure: what was measured, printed as one JSON line.

use serde_json::{Map, Value};

/// A line in the making.
pub(crate) struct Figure(Map<String, Value>);

impl Figure {
    pub(crate) fn new(bench: &str, case: &str) -> Figure {
        Figure(Map::new()).with("v", 1).with("bench", bench).with("case", case)
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Figure {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn print(self) {
        println!("{}", Value::Object(self.0));
    }
}
