//! `pistol import`: makes a document of a file, or takes in one that was exported.

use std::path::PathBuf;

use pistol::Node;

use super::Context;
use super::ls::Listed;
use super::new::check_free;
use crate::failure::{Exit, Failure};
use crate::import::{check_name, import, import_json, read_bytes};
use crate::policy::PolicyName;
use crate::preset::Making;
use crate::request::Request;
use crate::store::{Network, Store};

/// How files begin that `pistol export --format pistol` wrote.
const EXPORTED: &[u8] = b"pistol document ";
/// How Automerge's files begin.
const AUTOMERGE: &[u8] = &[0x85, 0x6f, 0x4a, 0x83];

/// Makes a document of a text or JSON file, or takes in one that `pistol export` wrote
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol import notes.md --as notes\n  pistol import notes.pistol")]
pub(crate) struct Import {
    /// A text, a JSON object (FILE.json), or a document that was exported with --format pistol
    file: PathBuf,
    /// What you call it [default: the file's name]
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// Who may change a new document
    #[arg(long, value_enum, default_value_t)]
    policy: PolicyName,
}

impl Import {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let bytes = read_bytes(&self.file)?;
        let name = self.name.clone().or_else(|| Some(self.file.file_stem()?.to_str()?.to_owned()));
        let name = name.ok_or_else(|| Failure::usage("the file's name is no text", "give it a name with --as NAME"))?;
        if bytes.starts_with(AUTOMERGE) {
            let help =
                "Pistol opens no Automerge file, whose changes nobody signed; write it out as JSON and import that";
            return Err(Failure::new(Exit::Failure, "this is an Automerge file", help));
        }
        let store = context.reach(&Network::Off).await?;
        let imported = self.take(&store, context, &name, bytes).await;
        let closed = store.close().await;
        let imported = imported?;
        closed?;
        context.output.record(&imported, &imported.id)?;
        context.output.say(format_args!("`{}` is here; `pistol cat` shows it", imported.shown_name()));
        Ok(())
    }

    async fn take(&self, store: &Store, context: &Context, name: &str, bytes: Vec<u8>) -> Result<Listed, Failure> {
        if bytes.starts_with(EXPORTED) {
            check_name(name)?;
            let file = std::path::absolute(&self.file).map_err(|error| Failure::io("find the file", &error))?;
            let request = Request::Import { file: file.display().to_string(), name: name.to_owned() };
            return store.ask(request, context).await?.read();
        }
        let text = String::from_utf8(bytes).map_err(|_| {
            let help = "import a text, a JSON file, or what `pistol export --format pistol` wrote";
            Failure::new(Exit::Failure, "the file is neither a text in UTF-8 nor a document of Pistol's", help)
        })?;
        if self.file.extension().is_some_and(|extension| extension == "json") {
            return import_json(store, context, name, Making::of(self.policy), &text).await;
        }
        import(store, context, name, Making::of(self.policy), &text).await
    }
}

/// Takes in a document that was exported. One that has a name here keeps it.
pub(crate) async fn execute(node: &Node, file: &str, name: &str) -> Result<Listed, Failure> {
    let bytes = read_bytes(std::path::Path::new(file))?;
    let doc = node.import(&bytes).await.map_err(Failure::of)?;
    if Listed::of(node, doc.id())?.name.is_none() && check_free(node, name, doc.id()).is_ok() {
        node.name(doc.id(), name).await.map_err(Failure::of)?;
    }
    Listed::of(node, doc.id())
}
