//! What goes wrong.

use super::{Event, World};
use crate::user::Made;

impl World {
    pub(super) fn go_wrong(&mut self) {
        let node = self.chance.index(self.nodes.len());
        let is_backed_up = self.chance.percent(30);
        if let Some(backed_up) = self.nodes.get_mut(node).filter(|_| is_backed_up) {
            backed_up.disk.snapshot();
        }
        if self.chance.percent(self.weather.restore_percent / 4) {
            return self.roll_back_later(node);
        }
        match self.chance.below(9) {
            0..=3 => self.crash(node),
            4..=6 => self.cut_one(),
            _ => self.part(node),
        }
    }

    /// A process is killed, or the power goes: in both cases what was not synced may be there or not.
    fn crash(&mut self, index: usize) {
        let is_kept = self.chance.percent(50);
        let Some(node) = self.nodes.get_mut(index).filter(|node| node.engine.is_some()) else { return };
        node.stop(is_kept);
        if self.chance.percent(self.weather.rotten_percent) {
            node.disk.rot(&mut self.chance);
        }
        self.report.crashes += 1;
        self.trace.happened(self.clock.now_ms(), index, || format!("crash, unsynced batch kept: {is_kept}"));
        self.asked.retain(|(node, _), _| *node != index);
        for connection in self.net.open(|one, other| one == index || other == index) {
            self.cut(connection);
        }
        let delay = self.chance.below(1500);
        self.clock.after(delay, Event::Restart { node: index });
    }

    pub(super) fn cut(&mut self, connection: u64) {
        let now_ms = self.clock.now_ms();
        let lost_from_ms = now_ms + self.chance.below(self.weather.latency_ms);
        let Some(ends) = self.net.cut(connection, lost_from_ms) else { return };
        for end in ends {
            let silence_ms = if self.chance.percent(50) { 0 } else { self.chance.below(3000) };
            let reason = "the connection was lost";
            self.clock.at(lost_from_ms + silence_ms, Event::Ended { connection, node: end.node, reason });
        }
    }

    fn cut_one(&mut self) {
        let open = self.net.open(|_, _| true);
        if let Some(connection) = self.chance.pick(&open) {
            self.report.cuts += 1;
            self.trace.happened(self.clock.now_ms(), 0, || format!("cut [{connection}]"));
            self.cut(connection);
        }
    }

    /// A node and some of the others cannot reach each other, until all partitions end.
    fn part(&mut self, node: usize) {
        if self.chance.percent(40) {
            self.trace.happened(self.clock.now_ms(), node, || "partitions end".to_owned());
            return self.net.unite();
        }
        self.report.partitions += 1;
        self.trace.happened(self.clock.now_ms(), node, || "partition".to_owned());
        for other in (0..self.nodes.len()).filter(|other| *other != node) {
            if self.chance.percent(70) {
                self.net.part(node, other);
            }
        }
        let parted = self.net.open(|one, other| self.net.is_apart(one, other));
        for connection in parted {
            self.cut(connection);
        }
    }

    pub(super) fn restart(&mut self, index: usize) -> Result<(), String> {
        if self.running(index).is_some() {
            return Ok(());
        }
        let which = self.chance.index(8);
        let is_restored = self.chance.percent(self.weather.restore_percent) && self.restore(index, which);
        // A restored backup is noticed by its fence, and sometimes the fence itself was touched.
        let is_noticed = is_restored || self.chance.percent(5);
        self.start(index, !is_noticed)?;
        if is_restored || self.chance.percent(50) {
            self.open_all(index)?;
        }
        Ok(())
    }

    /// A whole machine is set back to its state of now: a user types before that, and goes on typing after it.
    fn roll_back_later(&mut self, node: usize) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.disk.snapshot();
        }
        let delay = self.chance.between(50, 1000);
        self.type_after(node, &[delay / 2, delay - 20]);
        self.clock.after(delay, Event::RollBack { node });
    }

    /// No fence can notice this: the sessions go on from a place that they have left, and fork.
    pub(super) fn roll_back(&mut self, node: usize) -> Result<(), String> {
        if self.is_healed {
            return Ok(());
        }
        self.crash(node);
        self.restore(node, usize::MAX);
        self.report.rollbacks += 1;
        self.start(node, true)?;
        self.open_all(node)?;
        self.type_after(node, &[1, 10, 100]);
        Ok(())
    }

    fn type_after(&mut self, node: usize, delays: &[u64]) {
        for delay in delays {
            self.clock.after(*delay, Event::Type { node });
        }
    }

    pub(super) fn start(&mut self, index: usize, sessions_continue: bool) -> Result<(), String> {
        let now = self.now();
        let Some(node) = self.nodes.get_mut(index) else { return Ok(()) };
        let terms = (self.weather.snapshot_changes, self.weather.open_bytes);
        node.start(sessions_continue, terms, now, &mut self.chance)
            .map_err(|error| format!("a node does not start: {error}"))?;
        if self.is_healed {
            node.hold(self.made.iter().map(Made::id));
        }
        self.trace.happened(now.steady_ms, index, || format!("start, sessions continue: {sessions_continue}"));
        Ok(())
    }

    /// Puts a backup in the place of a node's store: what nobody else holds is lost.
    fn restore(&mut self, index: usize, which: usize) -> bool {
        let Some(node) = self.nodes.get_mut(index) else { return false };
        let Some(before) = node.disk.restore(which) else { return false };
        let mut lost = before.held;
        for node in &self.nodes {
            lost.retain(|id| !node.disk.platter.held.contains(id));
        }
        self.checker.lost(&lost);
        self.was_restored = true;
        self.trace.happened(self.clock.now_ms(), index, || "an older backup is put in place".to_owned());
        true
    }
}
