//! A traitor reaches a node: it says what it likes of all that it made up so far, in whatever order, and keeps the rest back.

use pistol_core::id::DocumentId;
use pistol_core::key::AuthorId;
use pistol_engine::Input;
use pistol_sync::node::NodeId;

use super::flood::STRANGER;
use super::{Event, World, exported};
use crate::reopened::Reopened;
use crate::traitor::Plot;

impl World {
    /// Makes up more, from what some node holds, and tells one node a part of it all.
    pub(super) fn betray(&mut self) -> Result<(), String> {
        let (node, made) = (self.chance.index(self.nodes.len()), self.chance.index(self.made.len()));
        let Some((victim, life)) = self.running(node) else { return Ok(()) };
        let Some(id) = self.made.get(made).filter(|made| made.has_members()).map(crate::user::Made::id) else {
            return Ok(());
        };
        self.plot(made, &id)?;
        let frames = self.part_of_plots(&id);
        if frames.is_empty() {
            return Ok(());
        }
        let now_ms = self.clock.now_ms();
        self.report.treasons += 1;
        self.was_flooded = true;
        self.trace.happened(now_ms, node, || format!("treason in {id:?}: {} frames", frames.len()));
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
        for frame in frames {
            at_ms += self.chance.below(5);
            self.clock.at(at_ms, Event::Frame { connection, node, frame });
        }
        self.clock
            .at(at_ms + 1 + self.chance.below(300), Event::Ended { connection, node, reason: "the traitor left" });
        Ok(())
    }

    fn plot(&mut self, made: usize, id: &DocumentId) -> Result<(), String> {
        let holders: Vec<usize> = (0..self.nodes.len())
            .filter(|index| self.nodes.get(*index).is_some_and(|node| node.disk.holds(id)))
            .collect();
        let Some(spied) = self.chance.pick(&holders).and_then(|index| self.nodes.get(index)) else { return Ok(()) };
        let rows = Reopened::of(&spied.disk, id)?;
        let others: Vec<AuthorId> = self.nodes.iter().map(|node| node.author().id()).collect();
        let which = self.chance.index(self.traitors.len());
        let (Some(traitor), Some(document)) = (self.traitors.get(which), self.made.get(made)) else { return Ok(()) };
        let frames = Plot::new(traitor, document, &others, &rows).frames(&mut self.chance);
        self.plots.entry(*id).or_default().extend(frames);
        Ok(())
    }

    /// Some of what was made up in a document, mostly in order.
    fn part_of_plots(&mut self, id: &DocumentId) -> Vec<Vec<u8>> {
        let all = self.plots.get(id).cloned().unwrap_or_default();
        let told_percent = self.chance.pick(&[100, 80, 50]).unwrap_or(80);
        let mut told: Vec<Vec<u8>> = all.into_iter().filter(|_| self.chance.percent(told_percent)).collect();
        if self.chance.percent(30) {
            for at in (1..told.len()).rev() {
                told.swap(at, self.chance.index(at + 1));
            }
        }
        told
    }
}
