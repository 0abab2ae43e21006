//! A stranger floods nodes: it connects under a new name each time, sends what it can, and listens to nothing.

use pistol_engine::Input;
use pistol_engine::limits::{OWED_STRANGERS_MAX, WAITING_A_PEER, WAITING_BYTES_A_PEER, WAITING_BYTES_IN_ALL};
use pistol_sync::limits::FRAME_BYTES_MAX;
use pistol_sync::node::NodeId;
use pistol_sync::proto::message::{Heads, Hello, Interest, Message, Scope, VERSIONS};
use pistol_sync::proto::proof::{Binding, Role};

use super::{Event, World, exported};
use crate::node::Node;
use crate::stranger::{Flood, Kind, TOPIC};

/// The stranger's place in the network: that of no node.
pub(super) const STRANGER: usize = usize::MAX;

impl World {
    /// A flood of some kind reaches some node, all planned at once.
    pub(super) fn flood(&mut self) -> Result<(), String> {
        let (node, made) = (self.chance.index(self.nodes.len()), self.chance.index(self.made.len()));
        let Some((victim, life)) = self.running(node) else { return Ok(()) };
        let kind = Kind::of(&mut self.chance);
        let now_ms = self.clock.now_ms();
        self.report.floods += 1;
        self.was_flooded = true;
        self.trace.happened(now_ms, node, || format!("a flood of {kind:?}"));
        let connection = self.net.connect((STRANGER, 0), (victim, life), now_ms, &mut self.chance);
        let name = NodeId(self.chance.bytes());
        let input = Input::Connected { connection, peer: name, is_dialler: false, exported: exported(connection) };
        self.give(node, input)?;
        let mut at_ms = now_ms;
        for frame in self.greeting(connection, name, node, made) {
            self.clock.at(at_ms, Event::Frame { connection, node, frame });
        }
        // By then the node has read the document.
        at_ms += self.weather.disk_ms * 2;
        let Some(document) = self.made.get(made) else { return Ok(()) };
        let mut flood = Flood::new(document, kind, &mut self.chance);
        for _ in 0..kind.frames(&mut self.chance) {
            at_ms += self.chance.below(3);
            let frame = flood.next(&mut self.chance);
            self.clock.at(at_ms, Event::Frame { connection, node, frame });
        }
        self.strangers_until_ms.insert(node, at_ms + 1);
        self.clock.at(at_ms + 1, Event::Ended { connection, node, reason: "the stranger left" });
        Ok(())
    }

    /// What anybody says who holds a ticket.
    pub(super) fn greeting(&self, connection: u64, name: NodeId, node: usize, made: usize) -> Vec<Vec<u8>> {
        let Some((listener, document)) = self.nodes.get(node).zip(self.made.get(made)) else { return Vec::new() };
        let hello = Hello {
            versions: VERSIONS.to_vec(),
            epoch: [0; 16],
            cursor: None,
            features: 0,
            frame_bytes_max: u32::try_from(FRAME_BYTES_MAX).unwrap_or(u32::MAX),
            extensions: Vec::new(),
        };
        let binding = Binding { dialler: name, listener: listener.id, exported: exported(connection) };
        let proof = document.read_key.as_ref().map(|key| binding.prove(key, Role::Dialler, &document.id()));
        let scope = Scope::Document(document.id().0);
        let interest = Interest { topic: TOPIC, scope, proof, wants_genesis: false, extensions: Vec::new() };
        let messages =
            [Message::Hello(hello), Message::Interest(interest), Message::Heads(TOPIC, Heads::all(Vec::new()))];
        messages.iter().map(Message::to_frame).collect()
    }

    /// What a node keeps for others is within its limits, whoever floods it.
    pub(super) fn is_within_limits(&self, index: usize) -> Result<(), String> {
        let Some(engine) = self.nodes.get(index).and_then(|node| node.engine.as_ref()) else { return Ok(()) };
        let shares: Vec<_> = engine.waiting().collect();
        let is_too_large = |(_, changes, bytes): &(NodeId, usize, usize)| {
            *changes > 1 && (*changes > WAITING_A_PEER || *bytes > WAITING_BYTES_A_PEER)
        };
        if let Some((peer, changes, bytes)) = shares.iter().copied().find(is_too_large) {
            return Err(format!("node {index} keeps {changes} changes of {bytes} bytes for {peer:?}"));
        }
        let in_all: usize = shares.iter().map(|(_, _, bytes)| bytes).sum();
        if in_all > WAITING_BYTES_IN_ALL {
            return Err(format!("node {index} keeps {in_all} bytes that wait"));
        }
        let owed = |made: &crate::user::Made| {
            let documents = self.nodes.get(index).and_then(Node::documents)?;
            documents.look(&made.id(), |insight| insight.state.owed.len()).ok()
        };
        let owed = self.made.iter().filter_map(owed).max().unwrap_or(0);
        if owed > OWED_STRANGERS_MAX + self.nodes.len() {
            return Err(format!("node {index} would ask {owed} peers again"));
        }
        Ok(())
    }
}
