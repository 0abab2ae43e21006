//! Nodes that keep the rules, and peers on the bare transport that do not.

use std::time::Duration;

use iroh::endpoint::{RecvStream, SendStream, presets};
use pistol_sync::net::{BindError, BindOptions, Connection, Endpoint, FrameReceiver, FrameSender, Limits, Profile};

/// A limit that is meant to be reached: the test waits for it.
pub(crate) const SHORT: Duration = Duration::from_millis(200);

/// What no test takes unless it hangs.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), work).await.expect("this should have ended long ago")
}

/// Limits that a slow machine does not reach.
pub(crate) fn patient() -> Limits {
    let long = Duration::from_mins(2);
    Limits { dial: long, handshake: long, open: long, stall: long, ..Limits::default() }
}

pub(crate) async fn endpoint(secret: u8) -> Endpoint {
    limited(secret, |_| {}).await
}

pub(crate) async fn limited(secret: u8, change: impl FnOnce(&mut Limits)) -> Endpoint {
    let mut limits = patient();
    change(&mut limits);
    bind(secret, "127.0.0.1:0", Profile::Default, limits).await.unwrap()
}

/// Listens at the addresses of a list with blanks between.
pub(crate) async fn bind(secret: u8, listen: &str, profile: Profile, limits: Limits) -> Result<Endpoint, BindError> {
    let listen = listen.split_whitespace().map(|address| address.parse().unwrap()).collect();
    let secret = [secret; 32];
    Endpoint::bind(BindOptions { secret, listen, profile, limits }).await
}

/// The dialler's and the other's view of a connection.
pub(crate) async fn connected(from: &Endpoint, to: &Endpoint) -> (Connection, Connection) {
    let addresses = to.addresses();
    let (dialled, accepted) = soon(async { tokio::join!(from.connect(to.id(), &addresses), to.accept()) }).await;
    (dialled.unwrap(), accepted.unwrap())
}

pub(crate) type Halves = (FrameSender, FrameReceiver);

/// The stream as both sides have it, after a first frame of the dialler.
pub(crate) async fn opened(dialled: &Connection, accepted: &Connection) -> (Halves, Halves) {
    let mut ours = soon(dialled.open()).await.unwrap();
    soon(ours.0.send(b"hello")).await.unwrap();
    let mut theirs = soon(accepted.open()).await.unwrap();
    assert_eq!(soon(theirs.1.receive()).await.unwrap().unwrap(), b"hello");
    (ours, theirs)
}

/// A peer on the bare transport that has written `bytes`, and the connection as `to` has it.
pub(crate) struct Raw {
    pub(crate) connection: iroh::endpoint::Connection,
    pub(crate) sending: SendStream,
    _receiving: RecvStream,
    _endpoint: iroh::Endpoint,
}

pub(crate) async fn raw(to: &Endpoint, bytes: &[u8]) -> (Raw, Connection) {
    let endpoint = iroh::Endpoint::builder(presets::Minimal).clear_ip_transports();
    let endpoint = endpoint.bind_addr("127.0.0.1:0").unwrap().bind().await.unwrap();
    let id = iroh::EndpointId::from_bytes(&to.id().0).unwrap();
    let address = iroh::EndpointAddr::new(id).with_ip_addr(to.addresses()[0]);
    let (connection, accepted) =
        soon(async { tokio::join!(endpoint.connect(address, b"pistol/1"), to.accept()) }).await;
    let connection = connection.unwrap();
    let (mut sending, receiving) = soon(connection.open_bi()).await.unwrap();
    soon(sending.write_all(bytes)).await.unwrap();
    (Raw { connection, sending, _receiving: receiving, _endpoint: endpoint }, accepted.unwrap())
}
