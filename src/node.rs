//! A node, as an application embeds it.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pistol_core::document::{self, Edit};
use pistol_core::genesis::{Genesis, Kind, Limits, Policy, Read, ReadKey, Terms};
use pistol_core::id::DocumentId;
use pistol_core::key::{AuthorId, AuthorKey};
use pistol_engine::{Command, Entry};
use pistol_sync::node::NodeId;
use pistol_sync::ticket::Ticket;

use crate::builder::NodeBuilder;
use crate::doc::Doc;
use crate::error::{CreateError, FindError, FlushError, ForgetError, JoinError, NameError, OpenError};
use crate::preset::Preset;
use crate::runtime::{Options, Runtime, lock};

/// How long the end of a node waits for pictures of its documents.
const REST_MOST: Duration = Duration::from_secs(2);
/// All kinds of what a store holds.
const KINDS: [Kind; 4] = [Kind::Document, Kind::Identity, Kind::Group, Kind::Space];

/// A running node: a folder on disk, an author, and a place on the network. Cheap to clone; the last handle stops it.
///
/// ```no_run
/// # async fn example() -> pistol::Result<()> {
/// let node = pistol::Node::open("notes.pistol").await?;
/// let note = node.create(pistol::Policy::Owned, |doc| doc.text("body").push("Mine.")).await?;
/// node.shutdown().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Node(Arc<Runtime>);

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({:?})", self.0.node)
    }
}

/// A document that the store holds, or the log of an identity or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DocumentInfo {
    /// Its id.
    pub id: DocumentId,
    /// What it is.
    pub kind: Kind,
    /// What it is called here.
    pub name: Option<String>,
    /// Who may change it.
    pub policy: Policy,
    /// Whether anyone may read it.
    pub is_public: bool,
}

impl From<Entry> for DocumentInfo {
    fn from(entry: Entry) -> Self {
        let Entry { id, kind, name, policy, is_public, .. } = entry;
        DocumentInfo { id, kind, name, policy, is_public }
    }
}

/// A peer that is known or connected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerInfo {
    /// Who.
    pub node: NodeId,
    /// Whether there is a connection.
    pub is_connected: bool,
    /// Where it may be reached.
    pub addresses: Vec<SocketAddr>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// Bytes sent to it over its present connection, as the transport counts.
    pub sent_bytes: u64,
    /// Bytes received from it.
    pub received_bytes: u64,
}

impl Node {
    /// Opens a node in a folder, which is made if there is none.
    ///
    /// # Errors
    /// [`OpenError`] if the folder is in use, damaged, or cannot be written, or the network cannot be started.
    pub async fn open(path: impl AsRef<Path>) -> Result<Node, OpenError> {
        Node::builder(path).open().await
    }

    /// Options for opening a node.
    pub fn builder(path: impl AsRef<Path>) -> NodeBuilder {
        NodeBuilder::new(path.as_ref())
    }

    pub(crate) async fn start(path: &Path, options: Options) -> Result<Node, OpenError> {
        Runtime::start(path, options).await.map(Node)
    }

    /// Makes a document. What the closure makes is part of its signed beginning: the objects that everybody shares.
    ///
    /// # Errors
    /// [`CreateError`] if the contents are refused, or the store does not take them.
    pub async fn create<T>(&self, policy: Policy, content: impl FnOnce(&mut Edit) -> T) -> Result<Doc, CreateError> {
        self.found(policy, false, content).await
    }

    /// Makes a document for some purpose, as [`Node::create`] does.
    ///
    /// # Errors
    /// As [`Node::create`].
    pub async fn create_for<T>(
        &self,
        preset: Preset,
        content: impl FnOnce(&mut Edit) -> T,
    ) -> Result<Doc, CreateError> {
        self.found(preset.policy(), preset.is_public(), content).await
    }

    async fn found<T>(
        &self,
        policy: Policy,
        is_public: bool,
        content: impl FnOnce(&mut Edit) -> T,
    ) -> Result<Doc, CreateError> {
        let (genesis, key) = self.genesis(policy, is_public, content)?;
        self.found_from(genesis, key).await
    }

    pub(crate) async fn found_from(&self, genesis: Genesis, key: Option<ReadKey>) -> Result<Doc, CreateError> {
        let (policy, pin) = (genesis.terms().policy, self.0.documents.pin(genesis.id()));
        self.0.ask(Command::Create { genesis: Arc::new(genesis), read_key: key.clone() }).await??;
        Ok(Doc::new(Arc::clone(&self.0), pin, policy, key))
    }

    fn genesis<T>(
        &self,
        policy: Policy,
        is_public: bool,
        content: impl FnOnce(&mut Edit) -> T,
    ) -> Result<(Genesis, Option<ReadKey>), CreateError> {
        let (_, skeleton) = document::skeleton(content)?;
        let (mut nonce, mut read_key) = ([0; 16], ReadKey([0; 32]));
        let random = getrandom::fill(&mut nonce).and_then(|()| getrandom::fill(&mut read_key.0));
        random.map_err(|error| document::EditError::Failed(error.to_string()))?;
        let read_key = Some(read_key).filter(|_| !is_public);
        let terms = Terms {
            kind: Kind::Document,
            roots: vec![self.0.author],
            creator: 0,
            policy,
            limits: Limits::default(),
            read: read_key.as_ref().map_or(Read::Public, |key| Read::Key(key.commitment())),
            skeleton,
            space: None,
            authority: Vec::new(),
            app: uuid::Uuid::nil(),
            predecessor: None,
            nonce,
        };
        Ok((Genesis::sign(self.0.key(), terms)?, read_key))
    }

    /// Joins a document by invitation; or an identity or a group, which is followed then: [`Doc::kind`] says which. What this
    /// store holds already is opened at once.
    ///
    /// # Errors
    /// [`JoinError`] if the inviting node does not answer within 10 seconds, or refuses, or the ticket does not open
    /// the document.
    pub async fn join(&self, ticket: &Ticket) -> Result<Doc, JoinError> {
        let pin = self.0.documents.pin(ticket.document);
        self.0.ask(Command::Join(ticket.clone())).await??;
        let joined = self.0.catalog.entry(&ticket.document).ok_or(pistol_engine::ReplyError::NotFound)?;
        Ok(Doc::new(Arc::clone(&self.0), pin, joined.policy, joined.read_key))
    }

    /// Opens a document that the store holds.
    ///
    /// # Errors
    /// [`FindError`] if the store does not hold it, or cannot read it, or it is an identity or a group.
    pub async fn document(&self, id: DocumentId) -> Result<Doc, FindError> {
        match self.0.catalog.entry(&id).map(|entry| entry.kind).filter(|kind| !kind.is_document()) {
            Some(kind) => Err(FindError::OtherKind { name: id.to_string(), kind }),
            None => self.held(id).await,
        }
    }

    /// Opens whatever the store holds by this id, a document, an identity or a group: to share it, and to see how it stands with
    /// peers.
    ///
    /// # Errors
    /// [`FindError`] if the store does not hold it, or cannot read it.
    pub async fn held(&self, id: DocumentId) -> Result<Doc, FindError> {
        let pin = self.0.documents.pin(id);
        self.0.ask(Command::Open(id)).await??;
        let entry = self.0.catalog.entry(&id).ok_or_else(|| FindError::NotFound(id.to_string()))?;
        Ok(Doc::new(Arc::clone(&self.0), pin, entry.policy, entry.read_key))
    }

    pub(crate) fn runtime(&self) -> &Arc<Runtime> {
        &self.0
    }

    /// Finds a document by its name here, or by the beginning of its id.
    ///
    /// # Errors
    /// [`FindError`] if there is none, or several, or it is an identity or a group.
    pub fn find(&self, name_or_id: &str) -> Result<DocumentId, FindError> {
        self.find_among(name_or_id, &[Kind::Document]).map(|found| found.id)
    }

    /// Finds what is of one of these kinds, by its name here, or by the beginning of its id.
    ///
    /// ```no_run
    /// # async fn example(node: pistol::Node) -> pistol::Result<()> {
    /// let bob = node.find_among("bob", &[pistol::LogKind::Identity])?;
    /// println!("{} devices", node.identity(bob.id).await?.devices().len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`FindError`] if there is none, or several, or only something of another kind.
    pub fn find_among(&self, name_or_id: &str, kinds: &[Kind]) -> Result<DocumentInfo, FindError> {
        let catalog = &self.0.catalog;
        let begin = |kinds: &[Kind]| match name_or_id {
            "" => Vec::new(),
            begin => catalog.beginning_with(begin, kinds, 2),
        };
        let found = match catalog.named(name_or_id) {
            Some(named) => Some(named),
            None => match begin(kinds).as_slice() {
                [id] => Some(*id),
                [] => begin(&KINDS).first().copied(),
                _ => return Err(FindError::Ambiguous(name_or_id.to_owned())),
            },
        };
        match found.and_then(|id| self.document_info(id)) {
            Some(found) if kinds.contains(&found.kind) => Ok(found),
            Some(DocumentInfo { kind, .. }) => Err(FindError::OtherKind { name: name_or_id.to_owned(), kind }),
            None if kinds.contains(&Kind::Document) => Err(FindError::NotFound(name_or_id.to_owned())),
            None => Err(FindError::NoLog(name_or_id.to_owned())),
        }
    }

    /// The documents that the store holds. None is opened for it.
    pub fn documents(&self) -> Vec<DocumentInfo> {
        self.all_of(Kind::Document)
    }

    /// The identities that the store holds: those made or joined here, and those that documents name.
    pub fn identities(&self) -> Vec<DocumentInfo> {
        self.all_of(Kind::Identity)
    }

    /// The groups that the store holds, as [`Node::identities`].
    pub fn groups(&self) -> Vec<DocumentInfo> {
        self.all_of(Kind::Group)
    }

    /// The spaces that the store holds, made or joined here, or named by documents.
    pub fn spaces(&self) -> Vec<DocumentInfo> {
        self.all_of(Kind::Space)
    }

    fn all_of(&self, kind: Kind) -> Vec<DocumentInfo> {
        self.0.catalog.list().into_iter().filter(|entry| entry.kind == kind).map(DocumentInfo::from).collect()
    }

    /// What is called so here, if anything is.
    pub fn named(&self, name: &str) -> Option<DocumentId> {
        self.0.catalog.named(name)
    }

    /// One document, identity or group that the store holds. It is not opened for it.
    pub fn document_info(&self, id: DocumentId) -> Option<DocumentInfo> {
        self.0.catalog.entry(&id).map(DocumentInfo::from)
    }

    /// Calls a document, an identity or a group by a name, in this store only.
    ///
    /// # Errors
    /// [`NameError`] if something else is called so.
    pub async fn name(&self, id: DocumentId, name: &str) -> Result<(), NameError> {
        self.0.ask(Command::Name(id, name.to_owned())).await??;
        Ok(())
    }

    /// Whether the disk was full and the store writes into what was its reserve of 4 MiB: some space must be freed
    /// before that is used up too. The reserve is made again by itself when there is room.
    pub fn is_on_reserve(&self) -> bool {
        self.0.on_reserve.get()
    }

    /// Removes a document from this store, and returns when its room in the file is free for others. Peers keep theirs,
    /// and it can be joined again. A removal that is cut short goes on when the store is opened again.
    ///
    /// # Errors
    /// [`ForgetError`] if the store does not hold it, or while a [`Doc`] or a view of it lives.
    pub async fn forget(&self, id: DocumentId) -> Result<(), ForgetError> {
        self.0.ask(Command::Forget(id)).await??;
        Ok(())
    }

    /// What was found damaged when the store was opened, in words; how a document stands is in its [`crate::DocStatus`].
    pub fn damage(&self) -> &[String] {
        &self.0.damage
    }

    /// The node's name on the network.
    pub fn id(&self) -> NodeId {
        self.0.node
    }

    /// The author who signs what is edited here.
    pub fn author(&self) -> AuthorId {
        self.0.author
    }

    /// Where this node may be reached, as it knows.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.network.addresses()
    }

    /// The peers that are known or connected.
    pub fn peers(&self) -> Vec<PeerInfo> {
        let contacts = lock(&self.0.picture.contacts).clone();
        let info = |contact: pistol_engine::Contact| {
            let traffic = self.0.network.traffic(&contact.node);
            PeerInfo {
                node: contact.node,
                is_connected: contact.is_connected,
                addresses: contact.addresses,
                last_error: contact.last_error,
                sent_bytes: traffic.iter().map(|traffic| traffic.sent_bytes).sum(),
                received_bytes: traffic.iter().map(|traffic| traffic.received_bytes).sum(),
            }
        };
        contacts.into_iter().map(info).collect()
    }

    /// Tries now to reach all known peers that are not connected.
    ///
    /// # Errors
    /// [`FlushError::Stopped`] if the node was shut down.
    pub async fn redial(&self) -> Result<(), FlushError> {
        self.0.ask(Command::Redial).await??;
        Ok(())
    }

    /// Ends all connections and makes none until [`Node::resume`]. Everything else goes on as without a network.
    pub fn pause(&self) {
        self.0.network.pause();
    }

    /// Makes connections again after [`Node::pause`], beginning now.
    ///
    /// # Errors
    /// [`FlushError::Stopped`] if the node was shut down.
    pub async fn resume(&self) -> Result<(), FlushError> {
        self.0.network.resume();
        self.redial().await
    }

    /// Waits until everything edited so far, in all documents, is durable.
    ///
    /// # Errors
    /// [`FlushError`] if the disk did not take it; it is tried again by itself.
    pub async fn flush(&self) -> Result<(), FlushError> {
        self.0.ask(Command::Flush).await??;
        Ok(())
    }

    /// Makes everything durable, tells the peers goodbye, and ends the node. Other handles on it do nothing any more.
    ///
    /// # Errors
    /// [`FlushError`] if the disk did not take the last edits; the node ends all the same.
    pub async fn shutdown(self) -> Result<(), FlushError> {
        let flushed = self.flush().await;
        // Without the pictures documents open all the same, more slowly.
        let _ = tokio::time::timeout(REST_MOST, self.0.ask(Command::Rest)).await;
        self.0.subscribers.end();
        self.0.stop().await;
        flushed
    }
}

impl Runtime {
    pub(crate) fn key(&self) -> &AuthorKey {
        &self.author_key
    }
}
