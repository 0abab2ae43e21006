//! Connections as the engine knows them, on the transport's: a task for each that reads, and one that writes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use pistol_engine::{ConnectionId, Input};
use pistol_sync::net::{CloseReason, Connection, Endpoint, FrameReceiver, FrameSender, Traffic};
use pistol_sync::node::NodeId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc as async_mpsc};
use tokio::task::JoinSet;

use super::driver::Event;
use super::lock;

/// Inputs from all connections that may wait for the engine, besides one of each: past it the peers are made to wait.
const INPUTS_WAITING_MAX: usize = 64;
/// Inputs from one connection that may wait for the engine.
const INPUTS_A_CONNECTION: u32 = 16;
/// Bytes that may wait to be sent to one peer: past it the peer does not read.
const OUTGOING_BYTES_MAX: usize = 32 << 20;
/// How long the tasks may take to end.
const CLOSE_LIMIT: Duration = Duration::from_secs(3);

/// Why there is no connection while the application wants none.
const PAUSED: &str = "the network of this node is paused";

/// The network of one node.
pub(crate) struct Network {
    /// Given up when the network is closed, however long handles live on: it holds the sockets.
    endpoint: Mutex<Option<Endpoint>>,
    events: mpsc::Sender<Event>,
    handle: tokio::runtime::Handle,
    room: Arc<Semaphore>,
    lines: Mutex<BTreeMap<ConnectionId, Line>>,
    /// Changed and looked at under the lock of `lines`, so that no connection slips in.
    is_paused: AtomicBool,
    next: AtomicU64,
    tasks: Mutex<JoinSet<()>>,
}

/// Leave to wait for the engine: in the room of the connection, and in that of all; the first of a connection needs
/// none of the latter, so that no flood keeps it out.
pub(super) type Permit = (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>);

/// One connection, as others of the node see it.
struct Line {
    connection: Connection,
    outgoing: async_mpsc::UnboundedSender<Vec<u8>>,
    outgoing_bytes: Arc<AtomicUsize>,
}

impl Network {
    pub(super) fn new(endpoint: Option<Endpoint>, events: mpsc::Sender<Event>, handle: tokio::runtime::Handle) -> Self {
        Network {
            endpoint: Mutex::new(endpoint),
            events,
            handle,
            room: Arc::new(Semaphore::new(INPUTS_WAITING_MAX)),
            lines: Mutex::new(BTreeMap::new()),
            is_paused: AtomicBool::new(false),
            next: AtomicU64::new(1),
            tasks: Mutex::new(JoinSet::new()),
        }
    }

    fn endpoint(&self) -> Option<Endpoint> {
        lock(&self.endpoint).clone()
    }

    /// Whether there is no connection.
    pub(super) fn is_alone(&self) -> bool {
        lock(&self.lines).is_empty()
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.endpoint().map(|endpoint| endpoint.addresses()).unwrap_or_default()
    }

    /// What the connections with a peer have cost so far.
    pub(crate) fn traffic(&self, node: &NodeId) -> Vec<Traffic> {
        let lines = lock(&self.lines);
        lines.values().filter(|line| line.connection.peer() == *node).map(|line| line.connection.traffic()).collect()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, &self.handle);
    }

    /// Begins to take connections.
    pub(super) fn accept(self: &Arc<Self>) {
        let Some(endpoint) = self.endpoint() else { return };
        let network = Arc::clone(self);
        self.spawn(async move {
            while let Some(connection) = endpoint.accept().await {
                let taken = Arc::clone(&network);
                network.spawn(async move { taken.serve(connection).await });
            }
        });
    }

    /// Ends all connections at once, and makes none until [`Network::resume`].
    pub(crate) fn pause(&self) {
        let lines = lock(&self.lines);
        self.is_paused.store(true, Ordering::Relaxed);
        // The reading tasks notice, and take the lines away.
        lines.values().for_each(|line| line.connection.close(CloseReason::Idle));
    }

    pub(crate) fn resume(&self) {
        let _lines = lock(&self.lines);
        self.is_paused.store(false, Ordering::Relaxed);
    }

    /// Takes a connection in, unless the network is paused.
    fn keep(&self, id: ConnectionId, line: Line) -> bool {
        let mut lines = lock(&self.lines);
        let is_paused = self.is_paused.load(Ordering::Relaxed);
        if !is_paused {
            lines.insert(id, line);
        }
        !is_paused
    }

    pub(super) fn dial(self: &Arc<Self>, peer: NodeId, addresses: Vec<SocketAddr>) {
        let network = Arc::clone(self);
        self.spawn(async move {
            let Some(endpoint) = network.endpoint() else {
                let reason = "this node was opened without a network".to_owned();
                return network.dial_failed(peer, reason);
            };
            if network.is_paused.load(Ordering::Relaxed) {
                return network.dial_failed(peer, PAUSED.to_owned());
            }
            match endpoint.connect(peer, &addresses).await {
                Ok(connection) => network.serve(connection).await,
                Err(error) => network.dial_failed(peer, error.to_string()),
            }
        });
    }

    /// Tells the engine of something that came on a connection, as soon as there is room for it.
    async fn tell(&self, connection: ConnectionId, own: &Arc<Semaphore>, input: Input) {
        let Ok(permit) = Arc::clone(own).acquire_owned().await else { return };
        let of_all = tokio::select! {
            biased;
            permit = Arc::clone(&self.room).acquire_owned() => permit.ok(),
            // Nothing else of this connection waits.
            _ = own.acquire_many(INPUTS_A_CONNECTION - 1) => None,
        };
        // After the driver has ended nobody listens.
        let _ = self.events.send(Event::Connection(connection, input, (permit, of_all)));
    }

    fn dial_failed(&self, peer: NodeId, reason: String) {
        let _ = self.events.send(Event::Input(Input::DialFailed { peer, reason }));
    }

    /// A connection came to nothing: whoever dialled hears of it.
    fn failed(&self, peer: NodeId, is_dialler: bool, reason: String) {
        if is_dialler {
            self.dial_failed(peer, reason);
        }
    }

    /// Reads a connection to its end, while another task writes.
    async fn serve(self: Arc<Self>, connection: Connection) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (peer, is_dialler) = (connection.peer(), connection.is_dialler());
        let (sender, receiver) = match connection.open().await {
            Ok(stream) => stream,
            Err(error) => {
                connection.close(CloseReason::Protocol);
                return self.failed(peer, is_dialler, error.to_string());
            }
        };
        let (outgoing, waiting) = async_mpsc::unbounded_channel();
        let outgoing_bytes = Arc::new(AtomicUsize::new(0));
        let line = Line { connection: connection.clone(), outgoing, outgoing_bytes: Arc::clone(&outgoing_bytes) };
        if !self.keep(id, line) {
            connection.close(CloseReason::Idle);
            return self.failed(peer, is_dialler, PAUSED.to_owned());
        }
        self.spawn(write(sender, waiting, outgoing_bytes));
        let exported = connection.exported_key();
        let own = Arc::new(Semaphore::new(usize::try_from(INPUTS_A_CONNECTION).unwrap_or(usize::MAX)));
        self.tell(id, &own, Input::Connected { connection: id, peer, is_dialler, exported }).await;
        let reason = self.read(id, &own, receiver).await;
        lock(&self.lines).remove(&id);
        connection.close(CloseReason::Protocol);
        self.tell(id, &own, Input::Disconnected { connection: id, reason }).await;
    }

    /// Reads frames until there are no more; says why.
    async fn read(&self, connection: ConnectionId, own: &Arc<Semaphore>, mut receiver: FrameReceiver) -> String {
        loop {
            match receiver.receive().await {
                Ok(Some(frame)) => self.tell(connection, own, Input::Received { connection, frame }).await,
                Ok(None) => return "the peer ended the connection".to_owned(),
                Err(error) => return with_source(&error),
            }
        }
    }

    pub(super) fn send(&self, connection: ConnectionId, frame: Vec<u8>) {
        let lines = lock(&self.lines);
        let Some(line) = lines.get(&connection) else { return };
        let waiting = line.outgoing_bytes.fetch_add(frame.len(), Ordering::Relaxed) + frame.len();
        if waiting > OUTGOING_BYTES_MAX || line.outgoing.send(frame).is_err() {
            line.connection.close(CloseReason::Stalled);
        }
    }

    /// Ends a connection; what was given to it before still goes out.
    pub(super) fn hang_up(&self, connection: ConnectionId) {
        if let Some(line) = lock(&self.lines).remove(&connection) {
            // Dropping the queue lets the writer finish, which closes.
            drop(line.outgoing);
        }
    }

    /// Ends all connections and waits for their tasks.
    pub(super) async fn close(&self) {
        lock(&self.lines).clear();
        let endpoint = lock(&self.endpoint).take();
        if let Some(endpoint) = endpoint {
            endpoint.close().await;
        }
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        let _ = tokio::time::timeout(CLOSE_LIMIT, async { while tasks.join_next().await.is_some() {} }).await;
        tasks.shutdown().await;
    }

    /// Ends all tasks at once.
    pub(super) fn abandon(&self) {
        lock(&self.tasks).abort_all();
        lock(&self.lines).clear();
    }
}

fn with_source(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

async fn write(
    mut sender: FrameSender,
    mut waiting: async_mpsc::UnboundedReceiver<Vec<u8>>,
    waiting_bytes: Arc<AtomicUsize>,
) {
    while let Some(frame) = waiting.recv().await {
        waiting_bytes.fetch_sub(frame.len(), Ordering::Relaxed);
        // The reading task learns why the connection ended.
        if sender.send(&frame).await.is_err() {
            return;
        }
    }
    sender.finish();
}
