//! `pistol identity new` and its like: people with several devices. What a root key signs is signed in this process: neither the
//! key nor its words pass the node's socket.

use pistol::{Doc, Draft, Identity, LogKind, Node, RootKey, Signed};
use serde::{Deserialize, Serialize};

use crate::command::Context;
use crate::command::grant::RoleName;
use crate::command::init::Identity as Known;
use crate::command::ls::Listed;
use crate::execute::load;
use crate::failure::{Exit, Failure};
use crate::import::{check_name, check_new_name, name_taken};
use crate::kind::KindName;
use crate::request::{Reply, Request};
use crate::roll::Roll;
use crate::store::{Network, Store};
use crate::who::author_of;
use crate::words;

/// Makes an identity with this device in it, and prints its id and the 24 words of its root key
///
/// The words belong on paper: they are shown once and stored nowhere. They are needed when no device with the role of an admin is
/// left. To add a device to an identity that there is, use `pistol identity add`.
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol identity new bob\n  pistol identity new bob --words-stdin")]
pub(super) struct New {
    /// What you call it; others have names of their own for it
    name: String,
    /// Take a root key that there is: its 24 words are read from stdin, or unseen from the terminal
    #[arg(long)]
    words_stdin: bool,
}

/// Certifies a device: it may then what the identity may, as far as its role goes
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  pistol identity add bob 5f1c…e2\n  pistol identity add bob 5f1c…e2 --role admin --root"
)]
pub(super) struct Add {
    /// The identity's name, or the beginning of its id
    name: String,
    /// The author that `pistol identity show` prints on the device
    device: String,
    /// What it may at most; an admin adds and revokes devices
    #[arg(long, value_enum, default_value_t)]
    role: RoleName,
    /// Sign with the root key: its 24 words are read from stdin, or unseen from the terminal
    #[arg(long)]
    root: bool,
}

/// Ends a device's part in all documents; what others have built on stays
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  pistol identity revoke bob 5f1c…e2 --keep plan --keep notes\n  pistol identity revoke bob 5f1c…e2 --root"
)]
pub(super) struct Revoke {
    /// The identity's name, or the beginning of its id
    name: String,
    /// The author of the device
    device: String,
    /// A document in which all stays that is shown here; may be repeated
    #[arg(long, value_name = "DOC")]
    keep: Vec<String>,
    /// Sign with the root key: its 24 words are read from stdin, or unseen from the terminal
    #[arg(long)]
    root: bool,
}

/// What is asked of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Asked {
    /// To take in a new identity.
    New { name: String, signed: String },
    /// To show one.
    Show { identity: String },
    /// To change one with this node's key.
    Change { identity: String, change: Change },
    /// To write out what a root is to sign.
    Draft { identity: String, root: String, change: Change },
    /// To take in what a root signed.
    Enter { identity: String, signed: String },
}

/// A change of an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Change {
    /// A device comes.
    Add { device: String, role: RoleName },
    /// A device goes.
    Revoke { device: String, keep: Vec<String> },
}

impl Change {
    /// The device, and the role that it gets if it gets one.
    fn meant(self) -> (String, Option<RoleName>) {
        match self {
            Change::Add { device, role } => (device, Some(role)),
            Change::Revoke { device, .. } => (device, None),
        }
    }
}

/// A new identity.
#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    roll: &'a Roll,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
struct Drafted {
    draft: String,
}

impl New {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let root = if self.words_stdin { words::root()? } else { RootKey::new().map_err(Failure::of)? };
        let new_words = if self.words_stdin { None } else { Some(root.words().map_err(Failure::of)?) };
        let words = new_words.as_ref().map(pistol::identity::Words::reveal);
        let store = context.reach(&Network::Off).await?;
        let made = self.make(&store, context, &root, words).await;
        let closed = store.close().await;
        made.and(closed)
    }

    async fn make(&self, store: &Store, context: &Context, root: &RootKey, words: Option<&str>) -> Result<(), Failure> {
        let (name, output) = (&self.name, &context.output);
        check_name(name)?;
        let listed: Vec<Listed> = store.ask(Request::List, context).await?.read()?;
        if listed.iter().any(|listed| listed.name.as_ref() == Some(name)) {
            return Err(name_taken(name));
        }
        let known: Known = store.ask(Request::Identity, context).await?.read()?;
        let new = root.begin(author_of(known.author())?).map_err(Failure::of)?;
        let asked = Asked::New { name: name.clone(), signed: new.to_string() };
        let made = store.ask(Request::Devices(asked), context).await.and_then(Reply::read);
        let roll: Roll = made.map_err(|failure| unsure(failure, words, &new.id().to_string()))?;
        let lines: Vec<&str> = std::iter::once(roll.listed.id.as_str()).chain(words).collect();
        output.record(&Made { roll: &roll, words }, lines.join("\n"))?;
        if words.is_some() {
            output.say("write the 24 words on paper: who has them owns this identity, and they are stored nowhere");
        }
        output.say(format_args!("made `{name}`; `pistol identity add {name} KEY` adds a device"));
        Ok(())
    }
}

/// It may have been made all the same, and then its words must not be lost.
fn unsure(failure: Failure, words: Option<&str>, id: &str) -> Failure {
    let Some(words) = words else { return failure };
    let help = format!(
        "{}. If `pistol identity ls` shows {id}, it was made all the same, and these are the words of its root key: {words}",
        failure.help
    );
    Failure { help, ..failure }
}

impl Add {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let change = Change::Add { device: author_of(&self.device)?.to_string(), role: self.role };
        let roll = changed(context, self.name, change, self.root).await?;
        context.output.record(&roll, roll.words())?;
        let name = roll.listed.name.as_ref().unwrap_or(&roll.listed.id);
        context.output.say(format_args!(
            "certified; `pistol share {name}` lets the device follow, peers learn of it when they meet this node"
        ));
        Ok(())
    }
}

impl Revoke {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let change = Change::Revoke { device: author_of(&self.device)?.to_string(), keep: self.keep };
        let roll = changed(context, self.name, change, self.root).await?;
        context.output.record(&roll, roll.words())?;
        context.output.say(
            "revoked; it ends the device's part as others learn of it. What it wrote last and nobody built on is masked in documents that no --keep named; \
             `pistol acl DOC` shows it",
        );
        Ok(())
    }
}

/// Changes an identity: by this node's key, or by the root's, which stays in this process.
async fn changed(context: &Context, identity: String, change: Change, by_root: bool) -> Result<Roll, Failure> {
    if !by_root {
        return context.ask(Request::Devices(Asked::Change { identity, change })).await;
    }
    crate::store::check_exists(&context.folder)?;
    let key = words::root()?;
    let store = context.reach(&Network::Off).await?;
    let changed = changed_by_root(&store, context, identity, change, &key).await;
    let closed = store.close().await;
    let roll = changed?;
    closed?;
    Ok(roll)
}

async fn changed_by_root(
    store: &Store,
    context: &Context,
    identity: String,
    change: Change,
    key: &RootKey,
) -> Result<Roll, Failure> {
    let asked = Asked::Draft { identity: identity.clone(), root: key.author().to_string(), change: change.clone() };
    let Drafted { draft } = store.ask(Request::Devices(asked), context).await?.read()?;
    let draft: Draft = draft.parse().map_err(Failure::of)?;
    // The node only writes out what was asked: the root signs nothing else.
    if (draft.device().to_string(), draft.role().map(RoleName::from)) != change.meant() {
        return Err(Failure::other_version("it wrote out something else for the root key to sign"));
    }
    let signed = key.sign(&draft).map_err(Failure::of)?;
    let asked = Asked::Enter { identity, signed: signed.to_string() };
    store.ask(Request::Devices(asked), context).await?.read()
}

/// Shows an identity.
pub(super) async fn show(context: &Context, identity: String) -> Result<(), Failure> {
    let roll: Roll = context.ask(Request::Devices(Asked::Show { identity })).await?;
    context.output.record(&roll, roll.words())
}

/// Lists the identities.
pub(super) async fn list(context: &Context) -> Result<(), Failure> {
    let listed: Vec<Listed> = context.ask(Request::List).await?;
    let hint = "no identities yet; `pistol identity new NAME` makes one";
    Listed::print(
        &listed.into_iter().filter(|listed| listed.kind == KindName::Identity).collect::<Vec<_>>(),
        context,
        hint,
    )
}

/// Does what is asked.
pub(crate) async fn execute(node: &Node, asked: Asked) -> Result<Reply, Failure> {
    let identity = match asked {
        Asked::New { name, signed } => new(node, &name, &signed).await?,
        Asked::Show { identity } => return roll(node, &find(node, &identity).await?),
        Asked::Change { identity, change } => {
            let identity = find(node, &identity).await?;
            by_this_device(node, &identity, &change).await?;
            identity
        }
        Asked::Draft { identity, root, change } => {
            let identity = find(node, &identity).await?;
            return Reply::new(&Drafted { draft: draft(node, &identity, &root, &change).await? });
        }
        Asked::Enter { identity, signed } => {
            let identity = find(node, &identity).await?;
            identity.enter(&signed.parse::<Signed>().map_err(Failure::of)?).map_err(Failure::of)?;
            identity
        }
    };
    identity.flush().await.map_err(Failure::of)?;
    roll(node, &identity)
}

fn roll(node: &Node, identity: &Identity) -> Result<Reply, Failure> {
    Reply::new(&Roll::of(node, identity.id(), &identity.roots(), identity.devices())?)
}

async fn find(node: &Node, name: &str) -> Result<Identity, Failure> {
    let found =
        node.find_among(name, &[LogKind::Identity]).map_err(|error| Failure::of_kind("identity", name, error))?;
    node.identity(found.id).await.map_err(Failure::of)
}

async fn new(node: &Node, name: &str, signed: &str) -> Result<Identity, Failure> {
    check_new_name(node, name)?;
    let identity = node.take_identity(&signed.parse().map_err(Failure::of)?).await.map_err(Failure::of)?;
    node.name(identity.id(), name).await.map_err(Failure::of)?;
    Ok(identity)
}

async fn by_this_device(node: &Node, identity: &Identity, change: &Change) -> Result<(), Failure> {
    let done = match change {
        Change::Add { device, role } => identity.certify(None, author_of(device)?, (*role).into()),
        Change::Revoke { device, keep } => {
            let docs = kept(node, keep).await?;
            identity.revoke(None, author_of(device)?, &docs.iter().collect::<Vec<_>>())
        }
    };
    done.map_err(|error| {
        let failure = Failure::of(error);
        let help = "run this on a device that is an admin of it, or give --root and the 24 words of its root key";
        if failure.code == Exit::Refused.code() { Failure { help: help.to_owned(), ..failure } } else { failure }
    })
}

async fn draft(node: &Node, identity: &Identity, root: &str, change: &Change) -> Result<String, Failure> {
    let root = author_of(root)?;
    if !identity.roots().contains(&root) {
        let help = "give those that `pistol identity new` printed when it made this identity";
        return Err(Failure::new(Exit::Refused, "these are the words of another root key", help));
    }
    let draft = match change {
        Change::Add { device, role } => identity.draft_certificate(root, author_of(device)?, (*role).into()),
        Change::Revoke { device, keep } => {
            let docs = kept(node, keep).await?;
            identity.draft_revocation(root, author_of(device)?, &docs.iter().collect::<Vec<_>>())
        }
    };
    Ok(draft.map_err(Failure::of)?.to_string())
}

/// The documents in which all stays.
pub(crate) async fn kept(node: &Node, names: &[String]) -> Result<Vec<Doc>, Failure> {
    let mut docs = Vec::new();
    for name in names {
        docs.push(load(node, name).await?);
    }
    Ok(docs)
}
