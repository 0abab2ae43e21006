//! A node with a document, told anything by a peer: honest frames mutated, repeated, reordered, and made up.

use std::sync::{Arc, LazyLock};

use pistol_core::envelope::Verified;
use pistol_core::genesis::Genesis;
use pistol_core::id::{ChangeId, DocumentId};
use pistol_engine::{Input, Insight};
use pistol_sync::limits::HEADS_MAX;
use pistol_sync::node::NodeId;
use pistol_sync::proto::message::{Acknowledge, Head, Heads, Interest, Locate, LogHeads, Message, Refusal, Scope};

use super::frame;
use super::machine::{Machine, exchange};
use crate::chance::Chance;
use crate::finding::{Divergence, Outcome, promise};
use crate::history::any_history;
use crate::history::stage::{self, Stage};
use crate::mutate::mutate;

/// The connection of the peer who is hostile, and of the one who is not.
const HOSTILE: u64 = 1;
const HONEST: u64 = 2;

/// Forks wait a while after others, by the cost of showing those; so often and so long is waited for them.
const RESTS_MAX: usize = 100;
const REST_MS: u64 = 1000;

/// What two honest nodes said to each other while they joined, wrote and met.
struct Recorded {
    genesis: Arc<Genesis>,
    frames: Vec<Vec<u8>>,
}

static RECORDED: LazyLock<Option<Recorded>> = LazyLock::new(|| record().ok());

/// Makes what inputs begin with.
pub(super) fn prepare() {
    let _ = RECORDED.is_some();
    let _ = Stage::all().len();
}

fn record() -> Result<Recorded, Divergence> {
    let genesis = Arc::new(stage::genesis().map_err(|error| Divergence::new(error.to_string()))?);
    let (mut one, mut other) = (Machine::new(1)?, Machine::new(2)?);
    let document = one.create(Arc::clone(&genesis))?;
    other.join(document, one.node)?;
    one.connected(HOSTILE, other.node, false)?;
    other.connected(HOSTILE, one.node, true)?;
    let (mut frames, more) = exchange(HOSTILE, &mut one, &mut other)?;
    frames.extend(more);
    for text in ["hello", " world", "!"] {
        one.write(document, text)?;
        other.write(document, text)?;
        let (from_one, from_other) = exchange(HOSTILE, &mut one, &mut other)?;
        frames.extend(from_one);
        frames.extend(from_other);
    }
    promise(one.heads(document) == other.heads(document), "two honest nodes do not come to hold the same")?;
    // Changes of the stage's authors, forks included: they are of the same document.
    if let Some(stage) = Stage::all().first() {
        for part in stage.honest.chunks(2) {
            let bytes = pistol_core::envelope::Verified::seal(document, part).to_bytes();
            frames.push(Message::Envelope(0, bytes).to_frame());
        }
    }
    Ok(Recorded { genesis, frames })
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let recorded = RECORDED.as_ref().ok_or_else(|| Divergence::new("two honest nodes cannot be recorded"))?;
    let mut node = Machine::new(1)?;
    let document = node.create(Arc::clone(&recorded.genesis))?;
    node.put(document, "own")?;
    node.connected(HOSTILE, NodeId([2; 32]), chance.one_in(3))?;
    let is_polite = !chance.one_in(8);
    let hello = recorded.frames.iter().find(|frame| matches!(frame.first(), Some(1)));
    if let Some(hello) = hello.filter(|_| is_polite) {
        node.receive(HOSTILE, hello.clone())?;
        let scope = Scope::Document(document.0);
        let interest = Interest { topic: 0, scope, proof: None, wants_genesis: false, extensions: vec![] };
        node.receive(HOSTILE, Message::Interest(interest).to_frame())?;
    }
    if is_polite && chance.one_in(4) {
        takes_a_history(&mut node, document, chance)?;
    }
    for _ in 0..=chance.below(12) {
        let frame = any_frame(recorded, document, chance);
        node.receive(HOSTILE, frame)?;
        something_else(&mut node, chance)?;
    }
    meets_an_honest_peer(&mut node, document)
}

/// A hostile history, change by change, in any order: the node accepts what a replica does.
fn takes_a_history(node: &mut Machine, document: DocumentId, chance: &mut Chance) -> Result<(), Divergence> {
    let (changes, accepted) = any_history(chance)?;
    for change in &changes {
        let bytes = Verified::seal(document, std::slice::from_ref(change)).to_bytes();
        node.receive(HOSTILE, Message::Envelope(0, bytes).to_frame())?;
        if chance.one_in(4) {
            node.sync()?;
        }
    }
    node.sync()?;
    rest(node, document)?;
    // Who sent too much that is wrong is hung up on, and the rest is not looked at.
    let is_complete = !node.has_closed(HOSTILE) && changes.len() < 100;
    let knows = |id: &ChangeId| {
        let known = node.engine.documents().look(&document, |insight| insight.document.history().ordinal(id).is_some());
        known == Ok(true)
    };
    let is_same = changes.iter().all(|change| knows(&change.id()) == accepted.contains(&change.id()));
    promise(!is_complete || is_same, "a node accepts other changes than a replica")
}

/// Lets the time pass for which forks wait after others, and for which what came in is not shown yet.
fn rest(node: &mut Machine, document: DocumentId) -> Result<(), Divergence> {
    for _ in 0..RESTS_MAX {
        let rests = |insight: Insight<'_>| insight.state.branches_waiting > 0 || insight.document.is_behind();
        if node.engine.documents().look(&document, rests) != Ok(true) {
            return Ok(());
        }
        node.now_ms += REST_MS;
        node.give(Input::Wake)?;
        node.sync()?;
    }
    Err(Divergence::new("forks wait without an end"))
}

/// What else may happen between two frames.
fn something_else(node: &mut Machine, chance: &mut Chance) -> Result<(), Divergence> {
    match chance.below(12) {
        0..=3 => node.sync(),
        4 => node.fail_disk(),
        5 => {
            node.now_ms += chance.below(12_000);
            node.give(Input::Wake)
        }
        6 => node.give(Input::Disconnected { connection: HOSTILE, reason: "cut".to_owned() }).and_then(|()| {
            let is_dialler = chance.one_in(2);
            node.connected(HOSTILE, NodeId([2; 32]), is_dialler)
        }),
        _ => Ok(()),
    }
}

fn any_frame(recorded: &Recorded, document: DocumentId, chance: &mut Chance) -> Vec<u8> {
    let some = |chance: &mut Chance| chance.pick(&recorded.frames).cloned().unwrap_or_default();
    match chance.below(13) {
        0..=4 => some(chance),
        5..=6 => {
            let (mut frame, other) = (some(chance), some(chance));
            mutate(&mut frame, &other, chance);
            frame
        }
        7 => frame::mutated(chance),
        _ => made_up(document, chance).to_frame(),
    }
}

/// Messages of the right form that say anything.
fn made_up(document: DocumentId, chance: &mut Chance) -> Message {
    let topic = u32::try_from(chance.below(4)).unwrap_or(0);
    let number = |chance: &mut Chance| chance.number() >> chance.below(64);
    match chance.below(11) {
        0 => Message::Acknowledge(Acknowledge {
            topic,
            count: chance.below(5),
            waiting: u32::try_from(number(chance) >> 32).unwrap_or(0),
            refused: (0..chance.below(17)).map(|_| (chance.bytes32(), chance.byte())).collect(),
        }),
        1 => {
            let author = any_author(chance);
            let samples = (0..chance.below(64)).map(|_| (number(chance), chance.bytes32())).collect();
            Message::Locate(Locate { topic, author, session: 7, samples, is_reply: chance.one_in(2) })
        }
        2 | 3 => {
            let count = if chance.one_in(60) { HEADS_MAX as u64 } else { chance.below(40) };
            let mut ends: Vec<Head> = (0..count).map(|_| any_head(chance)).collect();
            if chance.one_in(2) {
                ends.sort_unstable();
            }
            let after = chance.one_in(5).then(|| any_head(chance));
            Message::Heads(topic, Heads { after, ends, has_more: chance.one_in(3) })
        }
        4 => Message::Settled(topic, chance.bytes32()),
        5 => Message::Leave(topic),
        6 => Message::Refused(topic, Refusal::Busy(u32::try_from(number(chance) >> 32).unwrap_or(0))),
        7 => Message::Ping(topic),
        9 => {
            let ids = |chance: &mut Chance, most| (0..chance.below(most)).map(|_| chance.bytes32()).collect();
            Message::LogHeads(topic, LogHeads { heads: ids(chance, 40), samples: ids(chance, 9) })
        }
        10 => Message::Operations(topic, (0..chance.below(4)).map(|_| super::operation::mutated(chance)).collect()),
        8 => Message::MoreHeads(topic, chance.one_in(2).then(|| any_head(chance))),
        _ => {
            let scope = if chance.one_in(4) { chance.bytes32() } else { document.0 };
            let scope = if chance.one_in(5) { Scope::Space(scope) } else { Scope::Document(scope) };
            Message::Interest(Interest {
                topic: u32::try_from(number(chance) >> 32).unwrap_or(0),
                scope,
                proof: chance.one_in(3).then(|| chance.bytes32()),
                wants_genesis: chance.one_in(2),
                extensions: vec![],
            })
        }
    }
}

fn any_author(chance: &mut Chance) -> [u8; 32] {
    let honest = Stage::all().first().map(|stage| stage.honest.as_slice()).unwrap_or_default();
    match chance.pick(honest) {
        Some(change) if chance.one_in(2) => *change.change().author.as_bytes(),
        _ => chance.bytes32(),
    }
}

fn any_head(chance: &mut Chance) -> Head {
    let honest = Stage::all().first().map(|stage| stage.honest.as_slice()).unwrap_or_default();
    match chance.pick(honest) {
        Some(change) if chance.one_in(3) => Head {
            author: *change.change().author.as_bytes(),
            session: change.change().session.0,
            seq: change.change().seq,
            link: if chance.one_in(2) { change.link().0 } else { chance.bytes32() },
        },
        _ => Head {
            author: any_author(chance),
            session: chance.below(9),
            seq: chance.number() >> chance.below(64),
            link: chance.bytes32(),
        },
    }
}

/// After all that, somebody honest joins: both must come to hold the same, and what the node wrote.
fn meets_an_honest_peer(node: &mut Machine, document: DocumentId) -> Outcome {
    node.sync()?;
    node.now_ms += 60_000;
    node.give(Input::Wake)?;
    node.sync()?;
    let mut honest = Machine::new(4)?;
    honest.now_ms = node.now_ms;
    honest.join(document, node.node)?;
    honest.connected(HONEST, node.node, true)?;
    node.connected(HONEST, honest.node, false)?;
    exchange(HONEST, node, &mut honest)?;
    honest.put(document, "honest")?;
    exchange(HONEST, node, &mut honest)?;
    // Forks of what came before wait at either, and what waits is told of when it is taken in.
    for _ in 0..2 {
        rest(node, document)?;
        honest.now_ms = honest.now_ms.max(node.now_ms);
        rest(&mut honest, document)?;
        node.now_ms = node.now_ms.max(honest.now_ms);
        exchange(HONEST, node, &mut honest)?;
    }
    let is_same = node.heads(document).is_some() && node.heads(document) == honest.heads(document);
    promise(is_same, "an honest peer does not come to hold the same")?;
    let is_kept = [&*node, &honest].iter().all(|node| node.holds(document, "honest") && node.holds(document, "own"));
    promise(is_kept, "what an honest node wrote is lost")?;
    Ok(true)
}
