//! How a node is opened.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use pistol_sync::net::Profile;

use crate::error::OpenError;
use crate::node::Node;
use crate::runtime::Options;
use crate::runtime::folder::Passphrase;

/// Options for opening a node.
///
/// ```no_run
/// # async fn example() -> pistol::Result<()> {
/// let node = pistol::Node::builder("notes.pistol").listen("127.0.0.1:0".parse().unwrap()).open().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct NodeBuilder {
    path: PathBuf,
    options: Options,
}

impl NodeBuilder {
    pub(crate) fn new(path: &Path) -> Self {
        NodeBuilder { path: path.to_owned(), options: Options::default() }
    }

    /// Listens at an address, instead of at all of the machine's; port 0 takes any free one. May be said several times.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.options.listen.push(address);
        self
    }

    /// What the node's connections are tuned for.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.options.profile = profile;
        self
    }

    /// Opens the node without any network.
    pub fn offline(mut self) -> Self {
        self.options.is_offline = true;
        self
    }

    /// How many bytes documents in memory may take, about, instead of 256 MiB. When they take more, those are closed that
    /// were not used for longest and that no handle is on; they are opened again when they are needed.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.options.open_bytes = Some(bytes);
        self
    }

    /// Opens the author key with a passphrase; a new one is sealed with it. See [`crate::identity`].
    pub fn passphrase(mut self, passphrase: impl Into<String>) -> Self {
        self.options.passphrase = Some(Passphrase::new(passphrase.into()));
        self
    }

    /// Opens the node.
    ///
    /// # Errors
    /// [`OpenError`] if the folder is in use, damaged, or cannot be written, or the network cannot be started.
    pub async fn open(self) -> Result<Node, OpenError> {
        Node::start(&self.path, self.options).await
    }
}
