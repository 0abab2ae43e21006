//! Paths into a document: keys and positions with dots between them, as in `todo.0.title`.

use std::fmt;

use serde_json::Value;

use crate::failure::{Exit, Failure};

/// A way from the root of a document to a value. A dot within a key is written `\.`, a backslash `\\`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    text: String,
    steps: Vec<String>,
}

impl Path {
    /// Reads a path.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let mut steps = vec![String::new()];
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            let letter = match letter {
                '.' => {
                    steps.push(String::new());
                    continue;
                }
                '\\' => letters.next().ok_or_else(|| malformed(text))?,
                letter => letter,
            };
            if let Some(step) = steps.last_mut() {
                step.push(letter);
            }
        }
        if steps.iter().any(String::is_empty) {
            return Err(malformed(text));
        }
        Ok(Path { text: text.to_owned(), steps })
    }

    /// The path, as it is written, to a key at the root.
    pub(crate) fn of_key(key: &str) -> String {
        key.replace('\\', "\\\\").replace('.', "\\.")
    }

    /// The last step, and those before it.
    pub(crate) fn split_last(&self) -> (&str, &[String]) {
        self.steps.split_last().map_or(("", &[]), |(last, before)| (last.as_str(), before))
    }

    /// The value at the path.
    pub(crate) fn value_in<'a>(&self, content: &'a Value) -> Result<&'a Value, Failure> {
        let found = self.steps.iter().try_fold(content, |value, step| match value {
            Value::Object(map) => map.get(step),
            Value::Array(list) => list.get(step.parse::<usize>().ok()?),
            _ => None,
        });
        found.ok_or_else(|| {
            let help = "`pistol cat DOC --json` shows all of the document";
            Failure::new(Exit::NotFound, format!("the document has nothing at `{self}`"), help)
        })
    }

    /// Whether a value can be put at the path: what is on the way holds values, or is not there yet.
    pub(crate) fn check_place_in(&self, content: &Value) -> Result<(), Failure> {
        let mut here = Some(content);
        for step in &self.steps {
            here = match here {
                None => return Ok(()),
                Some(Value::Object(map)) => map.get(step),
                Some(Value::Array(list)) => match step.parse::<usize>() {
                    Ok(at) if at <= list.len() => list.get(at),
                    _ => {
                        return Err(misplaced(self, &format!("`{step}` is no position in a list of {}", list.len())));
                    }
                },
                Some(_) => {
                    return Err(misplaced(self, &format!("there are no values within a value at `{step}`")));
                }
            };
        }
        Ok(())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn malformed(text: &str) -> Failure {
    Failure::usage(
        format!("`{text}` is no path"),
        "write keys and positions with dots between them, as in todo.0.title; write a dot within a key as \\.",
    )
}

fn misplaced(path: &Path, why: &str) -> Failure {
    let help = "`pistol cat DOC --json` shows what is there; replace what is in the way first";
    Failure::new(Exit::Failure, format!("cannot put a value at `{path}`: {why}"), help)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_through_maps_and_lists() {
        let content = json!({ "todo": [{ "title": "milk" }], "a.b": 1, "\\": 2, "text": "x" });
        for (path, found) in [
            ("todo.0.title", Some(json!("milk"))),
            (r"a\.b", Some(json!(1))),
            (r"\\", Some(json!(2))),
            ("todo.1", None),
            ("todo.-1", None),
            ("text.0", None),
            ("a.b", None),
        ] {
            assert_eq!(Path::parse(path).unwrap().value_in(&content).ok(), found.as_ref(), "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_a_mistake_of_usage() {
        for text in ["", ".", "a.", ".a", "a..b", "\\"] {
            assert_eq!(Path::parse(text).map_err(|failure| failure.code), Err(Exit::Usage.code()), "{text}");
        }
    }

    #[test]
    fn a_value_is_put_where_there_is_room() {
        let content = json!({ "list": [1], "text": "x" });
        for (path, is_room) in [
            ("new", true),
            ("new.deep.0", true),
            ("list.0", true),
            ("list.1", true),
            ("list.2", false),
            ("list.x", false),
            ("text", true),
            ("text.0", false),
        ] {
            assert_eq!(Path::parse(path).unwrap().check_place_in(&content).is_ok(), is_room, "{path}");
        }
    }
}
