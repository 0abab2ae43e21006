//! How frames travel, and how connections come and go.

use pistol_engine::{ConnectionId, Input};
use pistol_sync::node::NodeId;

use super::flood::STRANGER;
use super::{Event, World, exported};

impl World {
    pub(super) fn send(&mut self, sender: usize, connection: ConnectionId, frame: &[u8]) -> Result<(), String> {
        let Some(other) = self.net.other_end(connection, sender) else { return Ok(()) };
        self.report.frames += 1;
        let plain = self.wires.whole(connection, sender, frame)?;
        if let Some(node) = self.nodes.get(sender) {
            // Nobody was there when the stranger sent: counts of what it sent promise nothing.
            let is_tampered = self.net.is_tampered(connection) || other.node == STRANGER;
            self.checker.sends((connection, sender, other.node), &plain, &node.disk, is_tampered)?;
        }
        if self.net.end(connection, sender).is_none() || other.node == STRANGER {
            return Ok(());
        }
        // No stream loses what it says of keys, and gives the rest.
        let frame = if self.net.is_tampered(connection) { plain } else { frame.to_vec() };
        let now_ms = self.clock.now_ms();
        for at_ms in self.net.arrivals(connection, sender, now_ms, &mut self.chance) {
            let frame = frame.clone();
            self.clock.at(at_ms, Event::Frame { connection, node: other.node, frame });
        }
        Ok(())
    }

    /// The end of a running node on a connection that it believes in.
    fn has_end(&mut self, connection: ConnectionId, node: usize) -> bool {
        let life = self.running(node).map(|(_, life)| life);
        self.net.end(connection, node).is_some_and(|end| Some(end.life) == life)
    }

    pub(super) fn arrive(&mut self, connection: ConnectionId, node: usize, frame: Vec<u8>) -> Result<(), String> {
        let is_alive = self.net.is_alive(connection, self.clock.now_ms());
        if !is_alive || !self.has_end(connection, node) {
            return Ok(());
        }
        self.give(node, Input::Received { connection, frame })
    }

    /// A node ends a connection: the other end learns of it, at the latest when it is silent for too long.
    pub(super) fn close(&mut self, index: usize, connection: ConnectionId) {
        if let Some(end) = self.net.end(connection, index) {
            end.is_open = false;
        }
        let delay = self.net.delay(&mut self.chance);
        if let Some(other) = self.net.other_end(connection, index) {
            let reason = "the peer closed the connection";
            self.clock.after(delay, Event::Ended { connection, node: other.node, reason });
        }
    }

    pub(super) fn ended(&mut self, connection: ConnectionId, node: usize, reason: &str) -> Result<(), String> {
        if !self.has_end(connection, node) {
            return Ok(());
        }
        if let Some(end) = self.net.end(connection, node) {
            end.is_open = false;
        }
        self.give(node, Input::Disconnected { connection, reason: reason.to_owned() })
    }

    pub(super) fn dialled(&mut self, from: usize, life: u64, peer: NodeId) {
        let to = self.nodes.iter().position(|node| node.id == peer);
        let listener = to.filter(|to| !self.net.is_apart(from, *to)).and_then(|to| self.running(to));
        let is_lucky = !self.chance.percent(self.weather.dial_fails_percent);
        if !self.is_alive(from, life) {
            return;
        }
        let Some(listener) = listener.filter(|_| is_lucky) else {
            let delay = self.chance.below(1000);
            let input = Box::new(Input::DialFailed { peer, reason: "the dial timed out".to_owned() });
            return self.clock.after(delay, Event::Input { node: from, life, input });
        };
        let now_ms = self.clock.now_ms();
        let connection = self.net.connect((from, life), listener, now_ms, &mut self.chance);
        self.clock.at(now_ms, Event::Stands { connection, node: listener.0, is_dialler: false });
        let delay = self.net.delay(&mut self.chance);
        if let Some(end) = self.net.end(connection, from) {
            end.begins(now_ms + delay);
        }
        self.clock.after(delay, Event::Stands { connection, node: from, is_dialler: true });
    }

    pub(super) fn stands(&mut self, connection: ConnectionId, node: usize, is_dialler: bool) -> Result<(), String> {
        let Some(other) = self.net.other_end(connection, node) else { return Ok(()) };
        let Some(peer) = self.nodes.get(other.node).map(|node| node.id) else { return Ok(()) };
        let life = self.running(node).map(|(_, life)| life);
        let is_here = self.has_end(connection, node);
        let is_standing = is_here && self.net.is_alive(connection, self.clock.now_ms());
        if is_standing {
            let exported = exported(connection);
            return self.give(node, Input::Connected { connection, peer, is_dialler, exported });
        }
        if let Some(life) = life.filter(|_| is_dialler) {
            self.net.end(connection, node).into_iter().for_each(|end| end.is_open = false);
            let input = Box::new(Input::DialFailed { peer, reason: "the dial timed out".to_owned() });
            self.clock.after(1, Event::Input { node, life, input });
        }
        Ok(())
    }
}
