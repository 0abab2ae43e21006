//! `pistol edit`: changes the text of a document.

mod editor;

use pistol::{Content, Doc, Edit as DocumentEdit, Kind, Node, Value};

use super::Context;
use super::cat::Read;
use super::ls::Listed;
use crate::execute::load;
use crate::failure::{Exit, Failure};
use crate::import::{EDIT_POINTS_MAX, parts};
use crate::merge::{Splice, merge};
use crate::request::Request;
use editor::Draft;

/// Changes the text of a document, in $EDITOR unless told otherwise
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol edit notes\n  pistol edit notes --append 'one more line'")]
pub(crate) struct Edit {
    /// The document's name, or the beginning of its id
    document: String,
    /// Replaces the text
    #[arg(long, conflicts_with = "append", allow_hyphen_values = true)]
    text: Option<String>,
    /// Adds a line at the end
    #[arg(long, allow_hyphen_values = true)]
    append: Option<String>,
}

impl Edit {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let Edit { document, text, append } = self;
        let request = match (text, append) {
            (Some(text), _) => Request::Rewrite { document, base: None, text },
            (None, Some(line)) => Request::Append { document, text: line + "\n" },
            (None, None) => return in_editor(context, document).await,
        };
        let changed: Listed = context.ask(request).await?;
        context.output.changed(&changed)
    }
}

/// The store is free while the editor is open: others write on, and the difference is merged into what they wrote.
async fn in_editor(context: &Context, document: String) -> Result<(), Failure> {
    let read: Read = context.ask(Request::Read { document: document.clone() }).await?;
    let base = read.text().ok_or_else(no_text)?.to_owned();
    let draft = Draft::write(&context.folder, &document, &base)?;
    let text = draft.edited().await?;
    if text == base {
        draft.discard();
        context.output.say("nothing was changed");
        return Ok(());
    }
    let mut context = context.clone();
    // Ctrl-C was the editor's while it was open.
    context.interrupt.forget();
    let request = Request::Rewrite { document: read.id, base: Some(base), text };
    let changed: Listed = context.ask(request).await.map_err(|failure| draft.kept(failure))?;
    draft.discard();
    context.output.changed(&changed)
}

/// Adds to the end of the text.
pub(crate) async fn append(node: &Node, document: &str, text: &str) -> Result<Listed, Failure> {
    let doc = load(node, document).await?;
    check_text(&doc)?;
    for part in parts(text) {
        doc.edit(|edit| edit.text("body").push(part)).map_err(Failure::of)?;
    }
    doc.flush().await.map_err(Failure::of)?;
    Listed::of(node, doc.id())
}

/// Makes the text what it shall be, in edits that fit a change each. What others change meanwhile is kept.
pub(crate) async fn rewrite(
    node: &Node,
    document: &str,
    base: Option<String>,
    text: String,
) -> Result<Listed, Failure> {
    let doc = load(node, document).await?;
    check_text(&doc)?;
    let mut left = Some(Rewrite { base, text });
    while let Some(rewrite) = left {
        left = doc.edit(|edit| rewrite.step(edit)).map_err(Failure::of)??;
    }
    doc.flush().await.map_err(Failure::of)?;
    Listed::of(node, doc.id())
}

/// A text on its way to what it shall be.
struct Rewrite {
    /// What it was when `text` was made of it; whatever is there, if none.
    base: Option<String>,
    text: String,
}

impl Rewrite {
    /// Goes as far as one change can. Returns what is left to do.
    fn step(self, edit: &DocumentEdit) -> Result<Option<Rewrite>, Failure> {
        let body = edit.text("body");
        let current = body.to_string();
        let text = match self.base {
            Some(base) => merge(&base, &self.text, &current).ok_or_else(conflict)?,
            None => self.text,
        };
        let splice = Splice::between(&current, &text);
        if splice.size() <= EDIT_POINTS_MAX {
            body.set(&text);
            return Ok(None);
        }
        let first = splice.first(EDIT_POINTS_MAX);
        body.splice(first.at, first.delete, &first.insert);
        Ok(Some(Rewrite { base: Some(first.apply(&current)), text }))
    }
}

/// A text must have been there from the start: two that are made apart hide each other.
fn check_text(doc: &Doc) -> Result<(), Failure> {
    let is_text = |content: &Content<'_>| content.value("body") == Some(Value::Object(Kind::Text));
    if doc.read(is_text) { Ok(()) } else { Err(no_text()) }
}

fn no_text() -> Failure {
    let help = "`pistol set` changes its values; `pistol new` makes documents with a text";
    Failure::new(Exit::Failure, "the document has no text at `body`", help)
}

fn conflict() -> Failure {
    let help = "look at the text as it is now with `pistol cat`, and edit it again";
    Failure::new(Exit::Failure, "somebody else changed the same lines while you edited them", help)
}
