//! Fourth act: a third peer, who holds the invitations, sends what no honest node would, as bytes on real connections.

use pistol::Ticket;
use pistol::hostile::{HostileError, HostilePeer, Writer};

use super::order::{BODY, GUEST, Order};
use super::process::{Process, unexpected};
use super::{SHARED, Stage};
use crate::failure::Failure;

/// The name of the document that only one node may write in.
const OWNED: &str = "owned";
/// The keys of the peer: it is a stranger to both documents.
const SEED: [u8; 32] = [0x5e; 32];

const FORGED: &str = "signature is not the author's";
const FORBIDDEN: &str = "policy does not let this author write";

pub(super) async fn run(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.show("a stranger lies");
    // A peer with what it writes is large.
    Box::pin(forge(stage)).await?;
    Box::pin(trespass(stage)).await?;
    Box::pin(fork(stage)).await
}

fn failed(error: impl std::fmt::Display) -> Failure {
    unexpected("the hostile peer", &error.to_string())
}

async fn connect(process: &mut Process, name: &str) -> Result<HostilePeer, Failure> {
    let ticket = process.ticket(Order::Invite { name: name.to_owned() }).await?;
    let ticket: Ticket = ticket.parse().map_err(failed)?;
    Box::pin(HostilePeer::connect(&ticket, SEED)).await.map_err(failed)
}

fn write(writer: &mut Writer, text: &str, words: &str) -> Result<(), Failure> {
    writer.edit(|doc| doc.text(text).push(words)).map_err(failed)
}

/// Sends an envelope, and waits until the node has dealt with it.
async fn send(peer: &mut HostilePeer, envelope: &[u8]) -> Result<usize, HostileError> {
    let before = peer.acknowledged().await?.refused.len();
    peer.send_envelope(envelope).await?;
    Ok(peer.acknowledged().await?.refused.len() - before)
}

/// A signature with one bit wrong, and a change in the session of somebody else.
async fn forge(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let mut peer = connect(&mut stage.one, SHARED).await?;
    let envelopes = peer.envelopes();
    let (count, bytes) = (envelopes.len() as u64, envelopes.iter().map(|envelope| envelope.len() as u64).sum());
    stage.report.count("envelopes of the whole document", count, "envelopes")?;
    stage.report.count("envelopes of the whole document", bytes, "bytes")?;
    let mut forged = peer.writer().map_err(failed)?;
    write(&mut forged, GUEST, "forged")?;
    let victim = peer.authors().into_iter().find(|author| author.to_string() == stage.two.author);
    let mut stolen = peer.writer_as(victim.ok_or_else(|| failed("node two has written nothing"))?).map_err(failed)?;
    write(&mut stolen, GUEST, "stolen")?;
    let cases = [
        ("a change with a flipped signature is refused", forged.forged_envelope()),
        ("a change in another author's session is refused", stolen.envelope()),
    ];
    for (claim, envelope) in cases {
        let before = stage.one.status().await?.refused(FORGED);
        send(&mut peer, &envelope).await.map_err(failed)?;
        let after = stage.one.status().await?;
        let is_refused = after.refused(FORGED) == before + 1 && after.changes == stage.changes;
        stage.report.claim(claim, is_refused, &format!("node one says: {}", after.reason(FORGED)))?;
    }
    peer.close().await;
    Ok(())
}

/// A stranger's own change, rightly signed, in a document that is not theirs to write in: each node refuses by itself.
async fn trespass(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let ticket = stage.one.ticket(Order::Create { name: OWNED.to_owned(), is_owned: true }).await?;
    stage.two.ask(Order::Join { name: OWNED.to_owned(), ticket }).await?;
    for process in [&mut stage.one, &mut stage.two] {
        let mut peer = connect(process, OWNED).await?;
        let mut writer = peer.writer().map_err(failed)?;
        write(&mut writer, BODY, "I was here")?;
        let told = send(&mut peer, &writer.envelope()).await.map_err(failed)?;
        peer.close().await;
        let status = process.status_of(OWNED).await?;
        let is_refused = status.refused(FORBIDDEN) == 1 && told == 1 && status.changes == 0;
        let detail = format!("{} says: {}", process.name, status.reason(FORBIDDEN));
        stage.report.claim("a stranger's change to an `Owned` document is refused", is_refused, &detail)?;
    }
    Ok(())
}

/// Two ways on from one place of one session, both rightly signed, each told to another node.
async fn fork(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let mut to_one = connect(&mut stage.one, SHARED).await?;
    let mut to_two = connect(&mut stage.two, SHARED).await?;
    let mut left = to_one.writer().map_err(failed)?;
    write(&mut left, GUEST, "Both of you,")?;
    let mut right = left.fork().ok_or_else(|| failed("its session cannot be forked"))?;
    write(&mut left, GUEST, " [this]")?;
    write(&mut right, GUEST, " [that]")?;
    let (left, right) = (left.envelope(), right.envelope());
    let told = tokio::join!(to_one.send_envelope(&left), to_two.send_envelope(&right));
    told.0.map_err(failed)?;
    told.1.map_err(failed)?;
    // The beginning, which both ways share, and the two ways.
    stage.changes += 3;
    let order = Order::Await { changes: stage.changes };
    let (one, two) = tokio::join!(stage.one.ask(order.clone()), stage.two.ask(order));
    one?;
    two?;
    let author = to_one.author().to_string();
    to_one.close().await;
    to_two.close().await;
    let (one, two) = (stage.one.status().await?, stage.two.status().await?);
    let is_named = one.forks == [author.clone()] && two.forks == [author.clone()];
    let detail = format!("both nodes name {author}");
    stage.report.claim("a forked session is noticed and its author named", is_named, &detail)?;
    let (one, two) = (stage.one.texts().await?, stage.two.texts().await?);
    let is_merged = one == two && ["Both of you,", " [this]", " [that]"].iter().all(|part| one.guest.contains(part));
    let detail = format!("each branch was told to another node; both read `{}`", one.guest);
    stage.report.claim("both branches of the fork are merged", is_merged, &detail)
}
