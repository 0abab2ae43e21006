//! A node process of the demo: it does what it is told on stdin until that ends, and answers on stdout.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_lite::StreamExt;
use pistol::{Doc, Error, Node, Policy};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use super::order::{BODY, GUEST, MEETING, Order, Reply, Status, Texts};
use super::trace::Stroke;
use super::{LIMIT, SHARED};
use crate::failure::Failure;

/// One of the node processes that `pistol demo` starts
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol demo-node folder\n  pistol demo-node other-folder")]
pub(crate) struct DemoNode {
    /// The folder of its store
    folder: PathBuf,
}

impl DemoNode {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let listen = ([127, 0, 0, 1], 0).into();
        let node = Node::builder(&self.folder).listen(listen).open().await.map_err(Failure::of)?;
        say(&Reply::Ready { author: node.author().to_string(), node: node.id().to_string() })?;
        let mut held = Held { node, folder: self.folder, docs: Vec::new() };
        held.reopen().await.map_err(Failure::of)?;
        let mut orders = BufReader::new(tokio::io::stdin()).lines();
        let read = |error| Failure::io("read orders", &error);
        while let Some(line) = orders.next_line().await.map_err(read)? {
            let order: Order =
                serde_json::from_str(&line).map_err(|error| Failure::other_version(&error.to_string()))?;
            let is_last = matches!(order, Order::Close);
            let reply = held.obey(order).await.unwrap_or_else(|error| Reply::Failed(format!("{error:?}")));
            say(&reply)?;
            if is_last {
                return Ok(());
            }
        }
        // Nobody is left to work for.
        held.node.shutdown().await.map_err(Failure::of)
    }
}

fn say(reply: &Reply) -> Result<(), Failure> {
    let mut line = serde_json::to_string(reply).map_err(|error| Failure::other_version(&error.to_string()))?;
    line.push('\n');
    let mut stdout = io::stdout().lock();
    let said = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
    said.map_err(|error| Failure::io("answer the demo", &error))
}

struct Held {
    node: Node,
    folder: PathBuf,
    docs: Vec<(String, Doc)>,
}

impl Held {
    /// Opens what the store holds already.
    async fn reopen(&mut self) -> Result<(), Error> {
        for info in self.node.documents() {
            if let Some(name) = info.name {
                self.docs.push((name, self.node.document(info.id).await?));
            }
        }
        Ok(())
    }

    fn doc(&self, name: &str) -> Result<Doc, Error> {
        let held = self.docs.iter().find(|(known, _)| known == name);
        held.map(|(_, doc)| doc.clone()).ok_or_else(|| pistol::FindError::NotFound(name.to_owned()).into())
    }

    async fn keep(&mut self, name: String, doc: Doc) -> Result<(), Error> {
        self.node.name(doc.id(), &name).await?;
        self.docs.push((name, doc));
        Ok(())
    }

    async fn obey(&mut self, order: Order) -> Result<Reply, Error> {
        match order {
            Order::Create { name, is_owned } => {
                let policy = if is_owned { Policy::Owned } else { Policy::WorldWritable };
                let doc = self.node.create(policy, |doc| [BODY, MEETING, GUEST].map(|text| doc.text(text))).await?;
                let ticket = doc.ticket().to_string();
                self.keep(name, doc).await?;
                return Ok(Reply::Ticket(ticket));
            }
            Order::Join { name, ticket } => {
                let doc = self.node.join(&ticket.parse()?).await?;
                doc.synced(LIMIT).await?;
                self.keep(name, doc).await?;
            }
            Order::Invite { name } => return Ok(Reply::Ticket(self.doc(&name)?.ticket().to_string())),
            Order::Type { text, strokes, cut_after, flush_every } => {
                self.type_in(&text, &strokes, cut_after, flush_every).await?;
                return Ok(Reply::Typed(now_us()));
            }
            Order::Await { changes } => await_changes(&self.doc(SHARED)?, changes).await?,
            Order::Resume => {
                self.node.resume().await?;
                self.doc(SHARED)?.synced(LIMIT).await?;
            }
            Order::Sync => self.doc(SHARED)?.synced(LIMIT).await?,
            Order::Read => return Ok(Reply::Texts(texts(&self.doc(SHARED)?))),
            Order::Look { name } => return Ok(Reply::Status(self.look(&self.doc(&name)?))),
            Order::Close => {
                self.docs.clear();
                self.node.clone().shutdown().await?;
            }
        }
        Ok(Reply::Done(now_us()))
    }

    async fn type_in(
        &self,
        text: &str,
        strokes: &[Stroke],
        cut_after: Option<usize>,
        flush_every: Option<usize>,
    ) -> Result<(), Error> {
        let doc = self.doc(SHARED)?;
        for (stroke, typed) in strokes.iter().zip(1..) {
            doc.edit(|doc| doc.text(text).splice(stroke.at, stroke.removed, &stroke.added))?;
            if cut_after == Some(typed) {
                self.node.pause();
            }
            if flush_every.is_some_and(|every| typed % every == 0) {
                doc.flush().await?;
                // Whoever does not listen any more has killed this process.
                let _ = say(&Reply::Flushed(typed));
            }
        }
        Ok(())
    }

    fn look(&self, doc: &Doc) -> Status {
        let status = doc.status();
        let mut heads: Vec<String> = status.heads.iter().map(ToString::to_string).collect();
        heads.sort_unstable();
        let peers = self.node.peers().into_iter();
        Status {
            changes: status.changes,
            heads,
            refusals: status.refusals,
            forks: status.forks.iter().map(ToString::to_string).collect(),
            traffic: peers.map(|peer| (peer.node.to_string(), peer.sent_bytes, peer.received_bytes)).collect(),
            store_bytes: folder_bytes(&self.folder),
            automerge_bytes: doc.to_automerge().len(),
        }
    }
}

/// The calendar's clock, which the processes of one machine share.
fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

async fn await_changes(doc: &Doc, changes: u64) -> Result<(), Error> {
    let mut heard = doc.changes();
    let arrived = async { while doc.status().changes < changes && heard.next().await.is_some() {} };
    match timeout(LIMIT, arrived).await {
        Ok(()) => Ok(()),
        // What `synced` says of it is clearer than that the time is over.
        Err(_) => Ok(doc.synced(Duration::ZERO).await?),
    }
}

fn texts(doc: &Doc) -> Texts {
    let text = |name: &str| doc.read(|doc| doc.text(name).to_string());
    Texts { body: text(BODY), meeting: text(MEETING), guest: text(GUEST) }
}

fn folder_bytes(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len()).sum()
}
