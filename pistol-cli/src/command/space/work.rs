//! What a node does for `pistol space`.

use pistol::{Doc, DocumentId, LogKind, Node, Place, Space};
use serde::{Deserialize, Serialize};

use super::shown::{Held, Named, Shown};
use super::values;
use crate::command::grant::Parted;
use crate::command::identity::kept;
use crate::command::ls::Listed;
use crate::failure::{Exit, Failure};
use crate::import::check_new_name;
use crate::preset::PresetName;
use crate::request::Reply;
use crate::who::who;

/// What is asked of the node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Asked {
    /// To make one.
    New { name: String, preset: PresetName },
    /// To show one.
    Show { space: String },
    /// To list its documents.
    Documents { space: String },
    /// To take a document out.
    Remove { space: String, document: String },
    /// To take somebody's documents out.
    Ban { space: String, who: String, keep: Vec<String> },
    /// To claim a name.
    Claim { space: String, name: String, document: String },
    /// To confirm a name.
    Confirm { space: String, name: String },
    /// To put a value at a path.
    Put { space: String, path: String, value: serde_json::Value },
    /// To read the value at a path.
    Read { space: String, path: String },
}

/// Does what is asked.
pub(crate) async fn execute(node: &Node, asked: Asked) -> Result<Reply, Failure> {
    match asked {
        Asked::New { name, preset } => {
            check_new_name(node, &name)?;
            let space = node.create_space(preset.into()).await.map_err(Failure::of)?;
            node.name(space.id(), &name).await.map_err(Failure::of)?;
            space.flush().await.map_err(Failure::of)?;
            Reply::new(&Shown::of(node, &space)?)
        }
        Asked::Show { space } => Reply::new(&Shown::of(node, &find(node, &space).await?)?),
        Asked::Documents { space } => {
            let space = find(node, &space).await?;
            let here = documents_in(&space).into_iter().map(|id| Listed::of(node, id));
            let mut listed = here.collect::<Result<Vec<_>, _>>()?;
            Listed::sort_by_name(&mut listed);
            Reply::new(&listed)
        }
        Asked::Remove { space: name, document } => {
            let space = find(node, &name).await?;
            let id = document_of(node, &space, &name, &document)?;
            space.remove(id).map_err(Failure::of)?;
            space.flush().await.map_err(Failure::of)?;
            let removed = space.documents().into_iter().find(|document| document.id == id).map(Held::from);
            Reply::new(&removed.ok_or_else(|| no_document(&name, &document))?)
        }
        Asked::Ban { space, who: text, keep } => {
            let space = find(node, &space).await?;
            let (subject, docs) = (who(node, &text)?, kept(node, &keep).await?);
            space.ban(subject, &docs.iter().collect::<Vec<_>>()).map_err(Failure::of)?;
            space.flush().await.map_err(Failure::of)?;
            Reply::new(&Parted::of(node, space.id(), &subject, None)?)
        }
        Asked::Claim { space: called, name, document } => {
            let space = find(node, &called).await?;
            let id = document_of(node, &space, &called, &document)?;
            space.claim(&name, id).map_err(Failure::of)?;
            named(&space, name).await
        }
        Asked::Confirm { space, name } => {
            let space = find(node, &space).await?;
            space.confirm(&name).map_err(Failure::of)?;
            named(&space, name).await
        }
        Asked::Put { space, path, value } => values::execute_put(node, &space, path, &value).await,
        Asked::Read { space, path } => values::execute_read(node, &space, path).await,
    }
}

/// What became of a name when all of the space is durable.
async fn named(space: &Space, name: String) -> Result<Reply, Failure> {
    space.flush().await.map_err(Failure::of)?;
    let naming = space.name(&name).map_err(Failure::of)?;
    Reply::new(&Named::of(space, name, naming)?)
}

/// A space by its name here, or the beginning of its id.
pub(crate) async fn find(node: &Node, name: &str) -> Result<Space, Failure> {
    let found = node.find_among(name, &[LogKind::Space]).map_err(|error| Failure::of_kind("space", name, error))?;
    node.space(found.id).await.map_err(Failure::of)
}

/// The documents that have their place in a space.
pub(crate) async fn documents(node: &Node, space: DocumentId) -> Result<Vec<Doc>, Failure> {
    let space = node.space(space).await.map_err(Failure::of)?;
    let mut docs = Vec::new();
    for id in documents_in(&space) {
        docs.push(node.held(id).await.map_err(Failure::of)?);
    }
    Ok(docs)
}

/// Their ids.
pub(crate) fn documents_in(space: &Space) -> Vec<DocumentId> {
    let documents = space.documents().into_iter();
    documents.filter(|document| document.place == Place::Here).map(|document| document.id).collect()
}

/// A document that says it belongs to the space.
fn document_of(node: &Node, space: &Space, called: &str, document: &str) -> Result<DocumentId, Failure> {
    let id = node.find(document).map_err(Failure::of)?;
    let is_there = space.documents().iter().any(|document| document.id == id);
    if is_there { Ok(id) } else { Err(no_document(called, document)) }
}

fn no_document(space: &str, document: &str) -> Failure {
    let help = format!("`pistol ls {space}` shows its documents, `pistol new NAME --space {space}` makes one");
    Failure::new(Exit::NotFound, format!("`{document}` is no document of the space `{space}`"), help)
}
