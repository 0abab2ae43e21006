//! `pistol set`: puts a value into a document.

use pistol::Node;
use serde_json::Value;

use super::Context;
use super::ls::Listed;
use crate::execute::load;
use crate::failure::Failure;
use crate::path::Path;
use crate::request::Request;
use crate::write::write;

/// Puts a JSON value into a document
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol set settings font.size 12\n  pistol set notes body '\"Hello!\"'")]
pub(crate) struct Set {
    /// The document's name, or the beginning of its id
    document: String,
    /// Keys and positions with dots between them; maps on the way are made
    path: String,
    /// The value as JSON; quote it for the shell, and strings once more for JSON: '"text"'
    #[arg(value_name = "JSON", allow_hyphen_values = true)]
    value: String,
}

impl Set {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        Path::parse(&self.path)?;
        let value: Value = serde_json::from_str(&self.value).map_err(|error| {
            let help =
                "a string needs quotes of its own, as in '\"text\"'; other values are 12, true, [1,2] or {\"a\":1}";
            Failure::usage(format!("`{}` is no JSON: {error}", self.value), help)
        })?;
        let changed: Listed = context.ask(Request::Set { document: self.document, path: self.path, value }).await?;
        context.output.changed(&changed)
    }
}

/// Puts the value there.
pub(crate) async fn execute(node: &Node, document: &str, path: &str, value: &Value) -> Result<Listed, Failure> {
    let path = Path::parse(path)?;
    let doc = load(node, document).await?;
    path.check_place_in(&doc.to_json())?;
    doc.edit(|edit| write(edit, &path, value)).map_err(Failure::of)?;
    doc.flush().await.map_err(Failure::of)?;
    Listed::of(node, doc.id())
}
