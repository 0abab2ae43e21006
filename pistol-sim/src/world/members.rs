//! Documents with members: who does what about whom, and what must hold of the log and the judge in the end.

use pistol_acl::record::Role;
use pistol_core::id::DocumentId;
use pistol_core::key::AuthorId;
use pistol_engine::{Command, Input};

use super::{Asked, World};
use crate::member::{self, Deed};
use crate::node::Node;
use crate::picture::Picture;
use crate::reopened::Reopened;
use crate::theorems;

impl World {
    /// Everybody who may be given a part: the users of all nodes, and the traitors.
    fn everybody(&self) -> Vec<AuthorId> {
        let users = self.nodes.iter().map(|node| node.author().id());
        users.chain(self.traitors.iter().map(|traitor| traitor.key.id())).collect()
    }

    /// Who made a document gives parts to most of the others.
    pub(super) fn staff(&mut self, index: usize, document: DocumentId) -> Result<(), String> {
        for whom in self.everybody() {
            let role = self.chance.pick(&[Role::Writer, Role::Writer, Role::Admin, Role::Reader]);
            if let Some(role) = role.filter(|_| self.chance.percent(70)) {
                self.operate(index, document, (Deed::Grant(role), whom))?;
            }
        }
        Ok(())
    }

    /// A user does something about somebody's part.
    pub(super) fn do_deed(&mut self, index: usize, document: DocumentId) -> Result<(), String> {
        let deed = Deed::of(&mut self.chance);
        let everybody = self.everybody();
        let Some(whom) = self.chance.pick(&everybody) else { return Ok(()) };
        self.operate(index, document, (deed, whom))
    }

    fn operate(&mut self, index: usize, document: DocumentId, deed: (Deed, AuthorId)) -> Result<(), String> {
        let Some(documents) = self.nodes.get(index).and_then(Node::documents) else { return Ok(()) };
        if !documents.is_open(&document) {
            return self.ask(index, Command::Open(document), Asked::Open(document));
        }
        let operated = member::operate(&documents, &document, deed, &mut self.chance);
        let is_written = operated.map_err(|error| format!("an operation failed: {error}"))?;
        let now_ms = self.clock.now_ms();
        self.trace.happened(now_ms, index, || format!("{:?} of {:?} in {document:?}: {is_written}", deed.0, deed.1));
        self.report.operations += u64::from(is_written);
        self.give(index, Input::Wake)
    }

    /// Each node shows what a judge says who begins anew with all that it holds, and that keeps the theorems.
    pub(super) fn is_judged_alike(&mut self) -> Result<(), String> {
        for made in self.made.iter().filter(|made| made.has_members()) {
            let id = made.id();
            for (index, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.disk.holds(&id)) {
                let rows = Reopened::of(&node.disk, &id)?;
                let Some(own) = node.documents().and_then(|documents| Picture::of(&documents, &id)) else { continue };
                if let Some(difference) = rows.picture()?.difference(&own) {
                    return Err(format!("node {index} is judged otherwise anew in {id:?}: {difference}"));
                }
                let proved = theorems::hold(&rows, &own.accepted)
                    .map_err(|broken| format!("node {index} in {id:?}: {broken}"))?;
                if index == 0 {
                    let by = rows.operations.iter().map(|signed| signed.op().author);
                    let by = by.chain(rows.changes.iter().map(|change| change.change().author));
                    let is_traitor = |author: &AuthorId| self.traitors.iter().any(|traitor| traitor.is(author));
                    self.report.plotted += by.filter(is_traitor).count() as u64;
                    self.report.masked += (rows.changes.len() - own.accepted.len()) as u64;
                    self.report.spared += proved.spared;
                    self.report.ended += proved.ended;
                }
            }
        }
        Ok(())
    }
}
