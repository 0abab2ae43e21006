//! `pistol space put` and `read`: values by path.

use pistol::{EditError, Node, PathError, Slot, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Asked, find};
use crate::command::Context;
use crate::failure::{Exit, Failure};
use crate::output::print_text;
use crate::request::{Reply, Request};
use crate::write::scalar;

/// What is at a path.
#[derive(Debug, Serialize, Deserialize)]
struct Found {
    path: String,
    value: Json,
    /// Whose it is.
    author: String,
}

pub(super) async fn put(context: &Context, space: String, path: String, text: &str) -> Result<(), Failure> {
    let value: Json = serde_json::from_str(text).map_err(|error| {
        let help = "a text needs quotes of its own, as in '\"text\"'; other values are 12, true or null";
        Failure::usage(format!("`{text}` is no JSON: {error}"), help)
    })?;
    if value.is_array() || value.is_object() {
        let help = "put each part at a path of its own, or make a document with `pistol new NAME --space SPACE`";
        return Err(Failure::usage("a path holds one number, text, true, false or null", help));
    }
    let found: Found = context.ask(Request::Spaces(Asked::Put { space, path, value })).await?;
    if context.output.is_json {
        return context.output.record(&found, "");
    }
    context.output.detail(format_args!("stored {}", found.path));
    Ok(())
}

pub(super) async fn read(context: &Context, space: String, path: String) -> Result<(), Failure> {
    let found: Found = context.ask(Request::Spaces(Asked::Read { space, path })).await?;
    match &found.value {
        _ if context.output.is_json => context.output.record(&found, ""),
        Json::String(text) => print_text(&format!("{text}\n")),
        value => print_text(&format!("{value}\n")),
    }
}

pub(super) async fn execute_put(node: &Node, space: &str, path: String, value: &Json) -> Result<Reply, Failure> {
    let held = find(node, space).await?;
    held.put(&path, scalar(value, None)).await.map_err(|error| failed(space, error))?;
    // The value is in a document of its own.
    node.flush().await.map_err(Failure::of)?;
    let slot = held.read(&path).await.map_err(|error| failed(space, error))?;
    found(space, path, slot)
}

pub(super) async fn execute_read(node: &Node, space: &str, path: String) -> Result<Reply, Failure> {
    let slot = find(node, space).await?.read(&path).await.map_err(|error| failed(space, error))?;
    found(space, path, slot)
}

fn found(space: &str, path: String, slot: Slot) -> Result<Reply, Failure> {
    match slot {
        Slot::Of(candidate) => {
            let value = json(&candidate.value).ok_or_else(|| {
                let help =
                    format!("`pistol space show {space}` says which document it is in, and `pistol cat` shows that");
                Failure::new(Exit::Failure, format!("at `{path}` is {}, and no single value", candidate.value), help)
            })?;
            Reply::new(&Found { path, value, author: candidate.author.to_string() })
        }
        Slot::Empty => {
            let help =
                format!("`pistol sync {space}` brings what others put, `pistol space show {space}` shows the names");
            Err(Failure::new(Exit::NotFound, format!("nothing is at `{path}`"), help))
        }
        Slot::Contested(candidates) => {
            let said =
                candidates.iter().take(5).map(|candidate| format!("{} by {}", candidate.value, candidate.author));
            let said = said.collect::<Vec<_>>().join(", ");
            let message =
                format!("{} put a value at `{path}`, and nothing tells who was first: {said}", candidates.len());
            Err(Failure::new(Exit::Failure, message, "use another key, or ask all but one to take theirs away"))
        }
    }
}

/// A value without parts.
fn json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) | Value::Timestamp(value) | Value::Counter(value) => Json::from(*value),
        Value::Uint(value) => Json::from(*value),
        Value::Float(value) => Json::from(*value),
        Value::Text(text) => Json::from(text.clone()),
        Value::Bytes(bytes) => Json::from(bytes.clone()),
        _ => return None,
    })
}

/// What a path is and what is not here yet, this command line says in its own way.
fn failed(space: &str, error: PathError) -> Failure {
    match error {
        PathError::NotHere(name) => {
            let help = format!("`pistol sync {space} --wait` brings it, if somebody who has it can be reached");
            Failure::new(Exit::NotFound, format!("what `{name}` names is not here yet"), help)
        }
        PathError::Edit(error @ EditError::NotYours { .. }) => {
            Failure { help: "only who put it there can change it; use another key".to_owned(), ..Failure::of(error) }
        }
        error => Failure::of(error),
    }
}
