//! A recorded editing history: gzipped JSON, `{ startContent, endContent, txns: [{ patches: [[at, deleted, text]] }] }`,
//! with positions in Unicode code points.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::Outcome;

/// One edit: `deleted` code points from `at` on become `text`.
#[derive(Clone, Debug)]
pub(crate) struct Keystroke {
    pub(crate) at: usize,
    pub(crate) deleted: usize,
    pub(crate) text: String,
}

/// An editing history that begins with an empty text.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) keystrokes: Vec<Keystroke>,
    /// What the text says after all of them.
    pub(crate) end: String,
}

/// Where the trace lies that first sync is measured with, unless another is named.
pub(crate) fn usual_place() -> PathBuf {
    let beside_workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".."));
    beside_workspace.join("shared/traces/automerge-paper.json.gz")
}

impl Trace {
    pub(crate) fn read(path: &Path) -> Outcome<Trace> {
        let mut json = String::new();
        GzDecoder::new(File::open(path)?).read_to_string(&mut json)?;
        Trace::parse(&serde_json::from_str(&json)?).ok_or_else(|| format!("{} is no trace", path.display()).into())
    }

    fn parse(json: &Value) -> Option<Trace> {
        let transactions = json.get("txns")?.as_array()?;
        let start = Keystroke { at: 0, deleted: 0, text: json.get("startContent")?.as_str()?.to_owned() };
        let mut keystrokes: Vec<_> = Some(start).into_iter().filter(|start| !start.text.is_empty()).collect();
        for transaction in transactions {
            for patch in transaction.get("patches")?.as_array()? {
                keystrokes.push(keystroke(patch.as_array()?)?);
            }
        }
        Some(Trace { keystrokes, end: json.get("endContent")?.as_str()?.to_owned() })
    }
}

fn keystroke(patch: &[Value]) -> Option<Keystroke> {
    let [at, deleted, text] = patch else { return None };
    let count = |value: &Value| usize::try_from(value.as_u64()?).ok();
    Some(Keystroke { at: count(at)?, deleted: count(deleted)?, text: text.as_str()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_at_the_start_is_typed_first() {
        let json = r#"{"startContent":"a","endContent":"b","txns":[{"time":"","patches":[[0,1,"b"]]}]}"#;
        let trace = Trace::parse(&serde_json::from_str(json).unwrap()).unwrap();
        let typed: Vec<_> = trace.keystrokes.iter().map(|key| (key.at, key.deleted, key.text.as_str())).collect();
        assert_eq!((typed, trace.end.as_str()), (vec![(0, 0, "a"), (0, 1, "b")], "b"));
    }
}
