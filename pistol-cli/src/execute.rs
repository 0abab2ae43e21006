//! Doing what a request asks: the one way into a node, for this process and for those that come through the socket.

use std::time::Duration;

use pistol::{Doc, DocumentId, LogKind, Node};
use tokio::sync::watch;

use crate::command::{
    acl, backup, cat, edit, export, forget, grant, group, identity, import, init, join, log, ls, new, release, revoke,
    set, share, space, status, sync,
};
use crate::equal::Terms;
use crate::failure::Failure;
use crate::kind;
use crate::request::{Progress, Reply, Request};

/// Executes a request. What it changed is durable when it returns.
pub(crate) async fn execute(
    node: &Node,
    request: Request,
    progress: &watch::Sender<Progress>,
) -> Result<Reply, Failure> {
    match request {
        Request::Identity => Reply::new(&init::execute(node)),
        Request::Devices(asked) => identity::execute(node, asked).await,
        Request::Groups(asked) => group::execute(node, asked).await,
        Request::Spaces(asked) => space::execute(node, asked).await,
        Request::Find { name } => Reply::new(&ls::Listed::of(node, find_any(node, &name)?)?),
        Request::New(making) => Reply::new(&new::make(node, &making).await?),
        Request::Name { document, name } => Reply::new(&new::name(node, &document, &name).await?),
        Request::List => Reply::new(&ls::execute(node)),
        Request::Read { document } => Reply::new(&cat::execute(node, &document).await?),
        Request::Set { document, path, value } => Reply::new(&set::execute(node, &document, &path, &value).await?),
        Request::Append { document, text } => Reply::new(&edit::append(node, &document, &text).await?),
        Request::Rewrite { document, base, text } => Reply::new(&edit::rewrite(node, &document, base, text).await?),
        Request::Backup { folder } => Reply::new(&backup::execute(node, &folder).await?),
        Request::Export { document, format, file } => {
            Reply::new(&export::execute(node, &document, format, &file).await?)
        }
        Request::Import { file, name } => Reply::new(&import::execute(node, &file, &name).await?),
        Request::History { document } => Reply::new(&log::execute(node, &document).await?),
        Request::Rules { document } => Reply::new(&acl::rules(node, &document).await?),
        Request::Why { document, change } => Reply::new(&acl::why(node, &document, &change).await?),
        Request::Grant { document, who, role } => Reply::new(&grant::execute(node, &document, &who, role).await?),
        Request::Loss { document, who } => Reply::new(&revoke::loss(node, &document, &who).await?),
        Request::Revoke { document, who, exact, keep } => {
            Reply::new(&revoke::execute(node, &document, &who, exact, &keep).await?)
        }
        Request::Release { document } => Reply::new(&release::execute(node, &document).await?),
        Request::Forget { document } => Reply::new(&forget::execute(node, &document).await?),
        Request::Invite { document } => Reply::new(&share::execute(node, &document).await?),
        Request::Join { ticket, name, wait, timeout_ms } => {
            let terms = Terms { wait, timeout: Duration::from_millis(timeout_ms) };
            Reply::new(&join::execute(node, &ticket, name.as_deref(), terms, progress).await?)
        }
        Request::Sync { document, wait, timeout_ms } => {
            let terms = Terms { wait, timeout: Duration::from_millis(timeout_ms) };
            Reply::new(&sync::execute(node, document.as_deref(), terms, progress).await?)
        }
        Request::Status { document } => Reply::new(&status::execute(node, document.as_deref()).await?),
    }
}

/// The document of a name, or of the beginning of an id.
pub(crate) async fn load(node: &Node, document: &str) -> Result<Doc, Failure> {
    let id = node.find(document).map_err(Failure::of)?;
    node.document(id).await.map_err(Failure::of)
}

/// The same of what has members: a document or a space.
pub(crate) async fn load_with_members(node: &Node, name: &str) -> Result<Doc, Failure> {
    let found = node.find_among(name, &[LogKind::Document, LogKind::Space]).map_err(Failure::of)?;
    node.held(found.id).await.map_err(Failure::of)
}

/// The same of anything that is shared and synced: a document, an identity, a group or a space.
pub(crate) async fn load_any(node: &Node, name: &str) -> Result<Doc, Failure> {
    node.held(find_any(node, name)?).await.map_err(Failure::of)
}

/// The id of a document, an identity, a group or a space.
pub(crate) fn find_any(node: &Node, name: &str) -> Result<DocumentId, Failure> {
    node.find_among(name, &kind::ALL).map(|found| found.id).map_err(Failure::of)
}
