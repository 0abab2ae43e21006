//! Making documents of files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use pistol::Node;

use crate::command::Context;
use crate::command::ls::Listed;
use crate::failure::{Exit, Failure};
use crate::preset::Making;
use crate::request::Request;
use crate::store::Store;

/// The largest file: what a person writes is far smaller, and a text costs much more memory than its bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// The largest document that was exported: a document of so many bytes takes some ten times as many to hold.
const EXPORTED_BYTES_MAX: u64 = 1 << 30;
/// The longest name: what file systems take.
const NAME_BYTES_MAX: usize = 255;
/// The most code points that one edit adds or removes: as many operations fit a change whatever the letters.
pub(crate) const EDIT_POINTS_MAX: usize = 32_000;

/// Reads a file of any kind.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    read_up_to(path, EXPORTED_BYTES_MAX)
}

fn read_up_to(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let failed = |error: std::io::Error| Failure::io(&format!("read {shown}"), &error);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        let message = format!("{shown} is larger than {most} bytes");
        return Err(Failure::new(Exit::Failure, message, "make several documents of it"));
    }
    Ok(bytes)
}

/// Reads a text file.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    String::from_utf8(read_up_to(path, FILE_BYTES_MAX)?).map_err(|_| {
        Failure::new(Exit::Failure, format!("{shown} is no text in UTF-8"), "convert it first, for example with iconv")
    })
}

/// Makes a document with a text, in parts. It gets its name when it is complete.
pub(crate) async fn import(
    store: &Store,
    context: &Context,
    name: &str,
    making: Making,
    text: &str,
) -> Result<Listed, Failure> {
    if text.len() as u64 > FILE_BYTES_MAX {
        let message = format!("the text is larger than {FILE_BYTES_MAX} bytes");
        return Err(Failure::new(Exit::Failure, message, "make several documents of it"));
    }
    let document = begin(store, context, name, making).await?;
    for text in parts(text) {
        let (document, text) = (document.clone(), text.to_owned());
        store.ask(Request::Append { document, text }, context).await?;
    }
    store.ask(Request::Name { document, name: name.to_owned() }, context).await?.read()
}

/// Makes a document of a JSON object, a key at a time. It gets its name when it is complete.
pub(crate) async fn import_json(
    store: &Store,
    context: &Context,
    name: &str,
    making: Making,
    text: &str,
) -> Result<Listed, Failure> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).map_err(|error| {
        let help = "a document is a JSON object; other values go into one with `pistol set`";
        Failure::new(Exit::Failure, format!("the file is no JSON object: {error}"), help)
    })?;
    let document = begin(store, context, name, making).await?;
    for (key, value) in object {
        let (document, path) = (document.clone(), crate::path::Path::of_key(&key));
        store.ask(Request::Set { document, path, value }, context).await?;
    }
    store.ask(Request::Name { document, name: name.to_owned() }, context).await?.read()
}

/// Makes an empty document, if the name is free.
async fn begin(store: &Store, context: &Context, name: &str, making: Making) -> Result<String, Failure> {
    check_name(name)?;
    let listed: Vec<Listed> = store.ask(Request::List, context).await?.read()?;
    if listed.iter().any(|listed| listed.name.as_deref() == Some(name)) {
        return Err(name_taken(name));
    }
    let made: Listed = store.ask(Request::New(making), context).await?.read()?;
    Ok(made.id)
}

/// Checks that a name can be written in one line.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    if !name.trim().is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(char::is_control) {
        return Ok(());
    }
    let help = format!("use one line of at most {NAME_BYTES_MAX} bytes that is not empty");
    Err(Failure::usage(format!("`{}` cannot be a name", name.escape_debug()), help))
}

/// Checks that a name can be given to something new.
pub(crate) fn check_new_name(node: &Node, name: &str) -> Result<(), Failure> {
    check_name(name)?;
    if node.named(name).is_some() { Err(name_taken(name)) } else { Ok(()) }
}

/// Names are one person's own, and name one thing each.
pub(crate) fn name_taken(name: &str) -> Failure {
    let help = "choose another name; `pistol ls` shows those in use";
    Failure::new(Exit::Failure, format!("something is called `{name}` already"), help)
}

/// A text in parts that fit an edit each.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(EDIT_POINTS_MAX).map_or(rest.len(), |(at, _)| at);
        let (part, after) = rest.split_at(end);
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_text_are_the_text() {
        for text in ["", "ä", &"ä".repeat(EDIT_POINTS_MAX), &"👋".repeat(2 * EDIT_POINTS_MAX + 1)] {
            let parts: Vec<&str> = parts(text).collect();
            assert_eq!(parts.concat(), text);
            assert!(parts.iter().all(|part| part.chars().count() <= EDIT_POINTS_MAX));
        }
    }
}
