//! What the keys of authors take: of each change at rest, and on its way to a node that follows.
//!
//! People talk in one room, each message a change of its own and some of them in one commit, while a node follows that keeps
//! everything. Then small documents are written, each by one of them with a last word by another, and the same node joins
//! them all. At the end it comes again, and nothing is new.

mod crowd;
mod machine;
mod wire;

use self::crowd::Crowd;
use self::machine::Machine;
use self::wire::Wire;
use crate::Outcome;
use crate::figure::Figure;

/// How many people there are.
pub(crate) const AUTHORS: [usize; 3] = [1, 100, 10_000];
/// Messages in the room: of ten thousand people each sends two.
const MESSAGES: usize = 20_000;
/// Messages that become durable together.
const AT_ONCE: usize = 10;
/// Small documents.
const DOCUMENTS: usize = 1_000;
/// Documents that are joined together.
const JOINED: usize = 50;

pub(crate) fn run(authors: usize) -> Outcome<Figure> {
    let folder = tempfile::tempdir()?;
    let (hub, follower) = (folder.path().join("hub"), folder.path().join("follower"));
    let mut wire = Wire::new(Machine::new(1, &hub)?, Machine::new(2, &follower)?);
    let mut crowd = Crowd::new(authors)?;
    let mut room = crowd.document(DOCUMENTS)?;
    wire.create(&room)?;
    wire.join(room.id())?;
    let mut changes = MESSAGES;
    for _ in 0..MESSAGES / AT_ONCE {
        let said = crowd.say(&mut room, AT_ONCE)?;
        wire.publish(&room, said)?;
    }
    wire.wait(room.id(), MESSAGES)?;
    let mut small = Vec::new();
    for number in 0..DOCUMENTS {
        let mut document = crowd.document(number)?;
        wire.create(&document)?;
        for envelope in crowd.write(&mut document, number)? {
            changes += envelope.changes;
            wire.publish(&document, envelope)?;
        }
        small.push(document.id());
        if small.len() == JOINED {
            small.drain(..).try_for_each(|document| wire.ask(document))?;
            wire.settle()?;
        }
    }
    small.drain(..).try_for_each(|document| wire.ask(document))?;
    wire.settle()?;
    let bytes = wire.bytes;
    wire.connect_again()?;
    let again = wire.bytes - bytes;
    let used = wire.end()?;
    Ok(Figure::new("access", "keys")
        .with("authors", authors)
        .with("changes", changes)
        .with("rest_bytes_per_change", each(used, changes))
        .with("wire_bytes_per_change", each(bytes, changes))
        .with("again_bytes_per_document", each(again, DOCUMENTS + 1)))
}

/// To a tenth.
#[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
fn each(bytes: u64, count: usize) -> f64 {
    (bytes as f64 * 10.0 / count as f64).round() / 10.0
}
