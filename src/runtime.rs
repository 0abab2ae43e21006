//! What carries out a node's effects: the folder, the disk's thread, the network, and the thread that drives the engine.

pub(crate) mod disk;
mod driver;
pub(crate) mod folder;
mod network;
mod start;
mod subscribers;
mod worker;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pistol_core::key::{AuthorId, AuthorKey};
use pistol_core::store::{Batch, Frozen, Store, StoreError, Table, schema};
use pistol_engine::{
    Catalog, Command, Contact, Documents, Engine, Input, Now, OPEN_BYTES, Opening, Reply, ReplyError, Saving,
};
use pistol_sync::net::{BindOptions, Endpoint, Limits, Profile};
use pistol_sync::node::NodeId;
use tokio::sync::oneshot;

use crate::error::OpenError;
use disk::Disk;
use driver::{Driver, Event};
use folder::{FolderLock, OnReserve, Passphrase, ReservedStore, StoreFolder};
use network::Network;
pub(crate) use subscribers::{Subscriber, Subscribers};
use worker::Worker;

/// How a node is opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) profile: Profile,
    pub(crate) is_offline: bool,
    /// Bytes that documents in memory may take; the engine's own measure if none.
    pub(crate) open_bytes: Option<usize>,
    pub(crate) passphrase: Option<Passphrase>,
}

/// The node was shut down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopped;

/// A running node.
pub(crate) struct Runtime {
    pub(crate) documents: Documents,
    pub(crate) catalog: Catalog,
    pub(crate) subscribers: Arc<Subscribers>,
    /// Signs the genesis of a new document; the engine has its own for changes.
    pub(crate) author_key: AuthorKey,
    pub(crate) author: AuthorId,
    pub(crate) node: NodeId,
    pub(crate) network: Arc<Network>,
    pub(crate) picture: Arc<Picture>,
    pub(crate) on_reserve: OnReserve,
    /// The store's folder.
    pub(crate) path: PathBuf,
    /// What was found damaged when the store was opened, in words.
    pub(crate) damage: Vec<String>,
    clock: Clock,
    events: mpsc::Sender<Event>,
    is_stopped: AtomicBool,
    driver: Mutex<Option<JoinHandle<()>>>,
    /// Given up when the store is closed, however long handles live on.
    folder: Mutex<Option<FolderLock>>,
}

/// What the driver last saw of the engine, for those who ask in passing.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    pub(crate) contacts: Mutex<Vec<Contact>>,
}

/// The time since the node was opened, and the calendar's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn now(&self) -> Now {
        let milliseconds = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { steady_ms: milliseconds(self.0.elapsed()), wall_ms: milliseconds(wall) }
    }

    /// Microseconds since the node was opened.
    fn now_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Runtime {
    pub(crate) async fn start(path: &Path, options: Options) -> Result<Arc<Runtime>, OpenError> {
        let (folder, passphrase) = (path.to_owned(), options.passphrase.clone());
        let opened = tokio::task::spawn_blocking(move || StoreFolder::open(&folder, passphrase.as_ref())).await;
        let mut folder = opened.map_err(|error| OpenError::Folder(error.to_string()))??;
        let clock = Clock(Instant::now());
        let key = AuthorKey::from_seed(&folder.author_seed);
        let author = key.id();
        let open_bytes = options.open_bytes.unwrap_or(OPEN_BYTES);
        let endpoint = if options.is_offline { None } else { Some(listen(&mut folder, options).await?) };
        let node = NodeId(*AuthorKey::from_seed(&folder.node_secret).id().as_bytes());
        let (start, damage) = start::start_of(&mut folder, key, node, open_bytes)?;
        let engine = Engine::new(start, clock.now())?;
        let (events, waiting) = mpsc::channel();
        let network = Arc::new(Network::new(endpoint, events.clone(), tokio::runtime::Handle::current()));
        let replies = events.clone();
        let on_reserve = folder.store.on_reserve();
        let reply = move |reply| {
            // After the driver has ended nobody waits for replies.
            let _ = replies.send(Event::Disk(reply));
        };
        let disk = Disk::start(
            folder.store,
            ReservedStore::has_reserve,
            ReservedStore::make_reserve,
            reply,
            ReservedStore::end,
        );
        let disk = disk.map_err(OpenError::Thread)?;
        let (saver, opener) = workers(&events).map_err(OpenError::Thread)?;
        let (documents, catalog, subscribers) =
            (engine.documents(), engine.catalog(), Arc::new(Subscribers::default()));
        let picture = Arc::new(Picture::default());
        let driver = Driver {
            engine,
            waiting,
            disk,
            saver,
            opener,
            deferred: std::collections::VecDeque::new(),
            turns: pistol_engine::Turns::default(),
            network: Arc::clone(&network),
            subscribers: Arc::clone(&subscribers),
            picture: Arc::clone(&picture),
            clock,
            replies: BTreeMap::new(),
            next_token: 0,
        };
        driver.paint_contacts();
        let thread = std::thread::Builder::new().name("pistol-engine".to_owned()).spawn(move || driver.run());
        let driver = Mutex::new(Some(thread.map_err(OpenError::Thread)?));
        network.accept();
        Ok(Arc::new(Runtime {
            documents,
            catalog,
            subscribers,
            author_key: AuthorKey::from_seed(&folder.author_seed),
            author,
            node,
            network,
            picture,
            on_reserve,
            path: path.to_owned(),
            damage,
            clock,
            events,
            is_stopped: AtomicBool::new(false),
            driver,
            folder: Mutex::new(Some(folder.lock)),
        }))
    }

    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    /// Tells the engine that something was edited.
    pub(crate) fn wake(&self) {
        if self.documents.must_wake() {
            // A stopped driver has nothing to be woken for.
            let _ = self.events.send(Event::Input(Input::Wake));
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    /// Asks the engine, and waits for the answer.
    pub(crate) async fn ask(&self, command: Command) -> Result<Result<Reply, ReplyError>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.events.send(Event::Command(command, reply)).map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// The store as it is now, to be read elsewhere.
    pub(crate) async fn frozen(&self) -> Result<Result<Frozen, StoreError>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.events.send(Event::Freeze(reply)).map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// Ends the connections, the engine and the disk, in this order.
    pub(crate) async fn stop(self: &Arc<Self>) {
        self.is_stopped.store(true, Ordering::Release);
        self.network.close().await;
        let runtime = Arc::clone(self);
        // Joining blocks, if only until the last commit is done.
        let _ = tokio::task::spawn_blocking(move || runtime.join()).await;
    }

    fn join(&self) {
        let _ = self.events.send(Event::Stop);
        if let Some(driver) = lock(&self.driver).take() {
            let _ = driver.join();
        }
        drop(lock(&self.folder).take());
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.network.abandon();
        self.join();
    }
}

/// Listens where the node listened last, if it can: peers look for it there.
async fn listen(folder: &mut StoreFolder, options: Options) -> Result<Endpoint, OpenError> {
    let last = folder.store.read(Table::Meta, schema::PORT_KEY)?.map(|value| schema::port(&value)).transpose()?;
    let bind = async |port: u16| {
        let (secret, limits) = (*folder.node_secret, Limits::default());
        let mut listen = options.listen.clone();
        if listen.is_empty() && port != 0 {
            listen = vec![(Ipv4Addr::UNSPECIFIED, port).into(), (Ipv6Addr::UNSPECIFIED, port).into()];
        }
        listen.iter_mut().filter(|address| address.port() == 0).for_each(|address| address.set_port(port));
        Endpoint::bind(BindOptions { secret, listen, profile: options.profile, limits }).await
    };
    let endpoint = match bind(last.unwrap_or(0)).await {
        Err(_) if last.is_some() => bind(0).await?,
        bound => bound?,
    };
    let port = endpoint.addresses().first().map(SocketAddr::port);
    if let Some(port) = port.filter(|port| Some(*port) != last) {
        let mut batch = Batch::default();
        batch.put(Table::Meta, schema::PORT_KEY, schema::port_value(port));
        // Not remembered, it costs peers a search, and keeps nobody from the documents on a full disk.
        let _ = folder.store.commit(&batch);
    }
    Ok(endpoint)
}

/// The threads that save pictures and load them.
fn workers(events: &mpsc::Sender<Event>) -> std::io::Result<(Worker<Saving>, Worker<Opening>)> {
    let answer = || {
        let events = events.clone();
        move |input| {
            // After the driver has ended nobody waits for it.
            let _ = events.send(Event::Work(input));
        }
    };
    let saved = |saving: Saving| Input::Saved { document: saving.document(), saved: saving.save() };
    let opened = |opening: Opening| opening.open();
    Ok((Worker::start("pistol-saver", saved, answer())?, Worker::start("pistol-opener", opened, answer())?))
}
