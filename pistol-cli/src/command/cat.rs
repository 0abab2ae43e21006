//! `pistol cat`: shows what a document says.

use pistol::Node;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Context;
use crate::execute::load;
use crate::failure::Failure;
use crate::output::print_text;
use crate::path::Path;
use crate::request::Request;

/// Prints a document: its text if it has one, else all of it as JSON
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol cat notes\n  pistol cat settings colours.0")]
pub(crate) struct Cat {
    /// The document's name, or the beginning of its id
    document: String,
    /// Keys and positions with dots between them; the value there is printed
    path: Option<String>,
}

/// A document and what it says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Read {
    pub(crate) id: String,
    pub(crate) content: Value,
}

#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    content: &'a Value,
}

impl Cat {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let path = self.path.as_deref().map(Path::parse).transpose()?;
        let read: Read = context.ask(Request::Read { document: self.document }).await?;
        let content = path.as_ref().map_or(Ok(&read.content), |path| path.value_in(&read.content))?;
        if context.output.is_json {
            let shown = Shown { id: &read.id, path: self.path.as_deref(), content };
            return context.output.record(&shown, "");
        }
        match (&path, content, read.text()) {
            (None, _, Some(text)) => print_text(text),
            (Some(_), Value::String(text), _) => print_text(&format!("{text}\n")),
            _ => print_text(&format!("{content:#}\n")),
        }
    }
}

impl Read {
    /// The text of a document that has one.
    pub(crate) fn text(&self) -> Option<&str> {
        self.content.get("body")?.as_str()
    }
}

/// Reads a document.
pub(crate) async fn execute(node: &Node, document: &str) -> Result<Read, Failure> {
    let doc = load(node, document).await?;
    Ok(Read { id: doc.id().to_string(), content: doc.to_json() })
}
