//! `pistol export`: writes a document to a file.

use std::fs;
use std::path::{Path, PathBuf};

use pistol::Node;
use serde::{Deserialize, Serialize};

use super::Context;
use super::cat::Read;
use crate::execute::load;
use crate::failure::{Exit, Failure};
use crate::output::print_text;
use crate::request::Request;

/// Writes a document to a file
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  pistol export notes --format text\n  pistol export notes --format pistol --to notes.pistol"
)]
pub(crate) struct Export {
    /// The document's name, or the beginning of its id
    document: String,
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// The file; text and JSON are printed if none is given
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// An Automerge file: contents and history, without signatures
    Automerge,
    /// What it says now, as JSON
    Json,
    /// Its text
    Text,
    /// All of it with its signatures, for `pistol import`
    Pistol,
}

/// What was written.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Written {
    id: String,
    file: String,
    bytes: u64,
}

impl Export {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let Export { document, format, to } = self;
        let Some(to) = to else {
            let read: Read = match format {
                Format::Json | Format::Text => context.ask(Request::Read { document }).await?,
                Format::Automerge | Format::Pistol => {
                    let help = "say where with --to FILE";
                    return Err(Failure::usage("this format is no text, so it is not printed", help));
                }
            };
            return print_text(&in_words(&read, format)?);
        };
        let to = std::path::absolute(&to).map_err(|error| Failure::io("find the file", &error))?;
        let file = to.display().to_string();
        let written: Written = context.ask(Request::Export { document, format, file }).await?;
        context.output.record(&written, format_args!("{} bytes written to {}", written.bytes, written.file))
    }
}

fn in_words(read: &Read, format: Format) -> Result<String, Failure> {
    if format == Format::Json {
        return Ok(format!("{:#}\n", read.content));
    }
    let missing = || Failure::new(Exit::NotFound, "the document has no text", "export it with --format json");
    read.text().map(str::to_owned).ok_or_else(missing)
}

/// Writes a document to a file that is not there yet, readable by its owner alone.
pub(crate) async fn execute(node: &Node, document: &str, format: Format, file: &str) -> Result<Written, Failure> {
    let doc = load(node, document).await?;
    let read = || Read { id: doc.id().to_string(), content: doc.to_json() };
    let bytes = match format {
        Format::Automerge => doc.to_automerge(),
        Format::Json | Format::Text => in_words(&read(), format)?.into_bytes(),
        Format::Pistol => doc.to_pistol().await.map_err(Failure::of)?,
    };
    write_new(Path::new(file), &bytes).map_err(|error| Failure::io(&format!("write {file}"), &error))?;
    Ok(Written { id: doc.id().to_string(), file: file.to_owned(), bytes: bytes.len() as u64 })
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
