//! `pistol share`: invites others to a document, and serves it.

use std::net::SocketAddr;
use std::path::Path;

use futures_lite::StreamExt;
use pistol::{Doc, Node};
use serde::{Deserialize, Serialize};

use super::Context;
use super::cat::Read;
use super::ls::Listed;
use crate::execute::load_any;
use crate::failure::{Exit, Failure};
use crate::import::{import, read_text};
use crate::kind::KindName;
use crate::output::Output;
use crate::policy::PolicyName;
use crate::preset::Making;
use crate::request::Request;
use crate::store::{Network, Store};

/// Prints a ticket for a document, a space, an identity or a group, and serves it until Ctrl-C
///
/// A file that is no document yet is made into one first. While this runs, other commands use the store through it.
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol share notes\n  pistol share notes.md --policy world-writable")]
pub(crate) struct Share {
    /// The name of a document, a space, an identity or a group, the beginning of its id, or a text file
    document: String,
    /// Where to be reached, as in 127.0.0.1:0; may be repeated
    #[arg(long, value_name = "ADDR")]
    listen: Vec<SocketAddr>,
    /// Who may change a document that is made of a file
    #[arg(long, value_enum, default_value_t)]
    policy: PolicyName,
}

/// An invitation.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Invitation {
    ticket: String,
    id: String,
    name: Option<String>,
    kind: KindName,
    addresses: Vec<SocketAddr>,
}

impl Share {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let store = context.reach(&Network::On(self.listen.clone())).await?;
        let shared = self.share(&store, context).await;
        let closed = store.close().await;
        shared.and(closed)
    }

    async fn share(&self, store: &Store, context: &Context) -> Result<(), Failure> {
        let output = &context.output;
        if matches!(store, Store::Served(_)) && !self.listen.is_empty() {
            return Err(Failure::new(
                Exit::Store,
                "a running node holds the store, and it listens at addresses of its own",
                "leave --listen out, or end the running node first",
            ));
        }
        let document = self.find_or_import(store, context).await?;
        let invitation: Invitation = store.ask(Request::Invite { document }, context).await?.read()?;
        output.record(&invitation, &invitation.ticket)?;
        match store {
            Store::Served(_) => output.say("the node that runs already serves it, as long as it runs"),
            Store::Held { node, .. } => {
                let doc = load_any(node, &invitation.id).await?;
                let with_it = if invitation.kind == KindName::Space { "the space with its documents " } else { "" };
                output.say(format_args!(
                    "serving {with_it}until Ctrl-C; the other side runs `pistol join` with this ticket"
                ));
                output.detail(format_args!("listening at {:?}", invitation.addresses));
                let mut interrupt = context.interrupt.clone();
                tokio::select! {
                    _ = interrupt.received() => output.say("ending"),
                    () = tell_changes(&doc, output) => {}
                }
            }
        }
        Ok(())
    }

    /// The id of the document that is meant.
    async fn find_or_import(&self, store: &Store, context: &Context) -> Result<String, Failure> {
        let output = &context.output;
        let path = Path::new(&self.document);
        let found = store.ask(Request::Read { document: self.document.clone() }, context).await;
        match found {
            Ok(reply) => {
                let read: Read = reply.read()?;
                if path.is_file() && read_text(path).ok().as_deref() != read.text() {
                    output.say(format_args!(
                        "sharing the document `{path}`, not the file: they differ",
                        path = self.document
                    ));
                }
                Ok(read.id)
            }
            Err(failure) if failure.code != Exit::NotFound.code() => Err(failure),
            // An identity, a group or a space has nothing to read.
            Err(_) => match store.ask(Request::Invite { document: self.document.clone() }, context).await {
                Ok(reply) => Ok(reply.read::<Invitation>()?.id),
                Err(_) => self.import(store, context).await,
            },
        }
    }

    /// The id of a new document, made of the file.
    async fn import(&self, store: &Store, context: &Context) -> Result<String, Failure> {
        let path = Path::new(&self.document);
        if path.is_file() {
            let text = read_text(path)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let made = import(store, context, &name, Making::of(self.policy), &text).await?;
            context.output.say(format_args!("made the document `{name}` of the file"));
            return Ok(made.id);
        }
        Err(Failure::new(
            Exit::NotFound,
            format!("neither a document nor a file is called `{}`", self.document),
            "`pistol ls` shows the documents of this store; `pistol new` makes one",
        ))
    }
}

async fn tell_changes(doc: &Doc, output: &Output) {
    let mut changes = doc.changes();
    while let Some(event) = changes.next().await {
        let changes = if event.changes == 1 { "change" } else { "changes" };
        output.say(format_args!("{} {changes} by {}", event.changes, event.author));
    }
    // The document's changes end with its node, which ends with this command.
    std::future::pending::<()>().await;
}

/// Makes a ticket.
pub(crate) async fn execute(node: &Node, document: &str) -> Result<Invitation, Failure> {
    let doc = load_any(node, document).await?;
    let Listed { id, name, kind, .. } = Listed::of(node, doc.id())?;
    Ok(Invitation { ticket: doc.ticket().to_string(), id, name, kind, addresses: node.addresses() })
}
