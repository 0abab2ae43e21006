//! The store as this command reaches it: held by itself, or through the node that holds it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pistol::{Error, ErrorKind, Node};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::command::Context;
use crate::execute::execute;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::passphrase;
use crate::request::{Progress, Reply, Request};
use crate::socket::client;
use crate::socket::server::Server;

/// How long another command may hold the store before this one gives up: it is done in a moment, or it serves.
const BUSY_TIME: Duration = Duration::from_secs(5);
/// How often to look whether it is done.
const BUSY_LOOK: Duration = Duration::from_millis(20);

/// What a command needs of the network if it has to open the store itself.
#[derive(Clone, Debug)]
pub(crate) enum Network {
    /// Nothing: it only looks at the store, or changes it.
    Off,
    /// To reach peers and be reached, at these addresses if any are given.
    On(Vec<SocketAddr>),
}

/// A store, in reach.
pub(crate) enum Store {
    /// This process holds it, and serves others while it uses the network.
    Held {
        /// The node of this process.
        node: Node,
        /// Its socket.
        server: Option<Server>,
    },
    /// Another process holds it and answers at its socket in this folder.
    Served(PathBuf),
}

impl Store {
    /// Opens the store, or finds the node that holds it.
    pub(crate) async fn reach(context: &Context, network: &Network) -> Result<Self, Failure> {
        let Context { folder, output, interrupt } = context;
        let mut interrupt = interrupt.clone();
        let deadline = Instant::now() + BUSY_TIME;
        let mut passphrase = passphrase::given();
        loop {
            if client::is_served(folder).await {
                output.detail(format_args!("the store {} is served by a running node", folder.display()));
                return Ok(Store::Served(folder.clone()));
            }
            match open(folder, network, passphrase.as_deref()).await {
                Ok(node) => {
                    let store = Store::hold(node, folder, network, output);
                    output.detail(format_args!("opened the store {}", folder.display()));
                    return Ok(store);
                }
                Err(error) if error.kind() == ErrorKind::StoreInUse && Instant::now() < deadline => {
                    tokio::select! {
                        () = sleep(BUSY_LOOK) => {}
                        failure = interrupt.received() => return Err(failure),
                    }
                }
                Err(error) => passphrase = Some(passphrase::for_sealed(error)?),
            }
        }
    }

    fn hold(node: Node, folder: &Path, network: &Network, output: &Output) -> Self {
        let server = match network {
            Network::Off => None,
            Network::On(_) => Server::start(node.clone(), folder)
                .inspect_err(|error| {
                    output.say(format_args!("other commands cannot use the store meanwhile: no socket ({error})"));
                })
                .ok(),
        };
        Store::Held { node, server }
    }

    /// Asks for something, and shows how far it is.
    pub(crate) async fn ask(&self, request: Request, context: &Context) -> Result<Reply, Failure> {
        let mut interrupt = context.interrupt.clone();
        let (progress, mut seen) = watch::channel(Progress::default());
        let bar = context.output.bar();
        let answer = async {
            match self {
                Store::Held { node, .. } => execute(node, request, &progress).await,
                Store::Served(folder) => client::ask(folder, request, &progress).await,
            }
        };
        tokio::pin!(answer);
        loop {
            tokio::select! {
                answer = &mut answer => return answer,
                failure = interrupt.received() => return Err(failure),
                Ok(()) = seen.changed() => bar.show(&seen.borrow_and_update()),
            }
        }
    }

    /// Lets go of the store: everything is durable then.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        match self {
            Store::Held { node, server } => {
                if let Some(server) = server {
                    server.stop().await;
                }
                node.shutdown().await.map_err(Failure::of)
            }
            Store::Served(_) => Ok(()),
        }
    }
}

async fn open(folder: &Path, network: &Network, passphrase: Option<&str>) -> Result<Node, Error> {
    let builder = Node::builder(folder);
    let builder = match passphrase {
        Some(passphrase) => builder.passphrase(passphrase),
        None => builder,
    };
    let builder = match network {
        Network::Off => builder.offline(),
        Network::On(addresses) => addresses.iter().fold(builder, |builder, address| builder.listen(*address)),
    };
    Ok(builder.open().await?)
}

/// A store that a command only looks at must be there already.
pub(crate) fn check_exists(folder: &Path) -> Result<(), Failure> {
    if folder.exists() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::NotFound,
        format!("there is no store in {}", folder.display()),
        "make one with `pistol init`, or say where it is with --store DIR",
    ))
}
