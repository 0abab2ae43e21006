//! Worlds with a space: its documents come to whoever follows it, without a ticket of their own.

use std::sync::Arc;

use pistol_acl::record::{Action, Role, Subject};
use pistol_core::genesis::{Genesis, Kind, Policy, ReadKey};
use pistol_core::id::DocumentId;
use pistol_engine::{Command, Input, OperateError};

use super::{Asked, World};
use crate::node::Node;
use crate::user::{self, Made};

/// Documents that users add to a space at most.
const ADDED_MAX: usize = 6;

impl World {
    /// A space, which some user makes, and in which all others may add documents.
    pub(super) fn create_space(&mut self) -> Result<(), String> {
        let index = self.chance.index(self.nodes.len());
        let Some(node) = self.nodes.get(index) else { return Ok(()) };
        let policy = if self.chance.percent(50) { Policy::Members } else { Policy::WorldWritable };
        let made = user::make_space(&node.author(), policy, &mut self.chance).map_err(|error| error.to_string())?;
        let (id, genesis, read_key) = (made.id(), made.genesis.clone(), made.read_key.clone());
        self.space = Some(self.made.len());
        self.made.push(made);
        self.ask(index, Command::Create { genesis, read_key }, Asked::Other)?;
        self.open_all(index)?;
        if policy == Policy::Members {
            let users: Vec<_> = self.nodes.iter().map(|node| node.author().id()).collect();
            let Some(documents) = self.nodes.get(index).and_then(Node::documents) else { return Ok(()) };
            for user in users {
                let grant = Action::Grant { to: Subject::Key(user), role: Role::Writer };
                documents.operate(&id, |_| Ok(grant)).map_err(|error| format!("an operation failed: {error}"))?;
            }
            self.give(index, Input::Wake)?;
        }
        (0..self.weather.documents).try_for_each(|_| self.add_to_space(index))
    }

    /// Whether what a user made is the space.
    pub(super) fn is_space(&self, made: usize) -> bool {
        self.space == Some(made)
    }

    /// Whether a document comes with the space: whoever follows that must have it in the end.
    pub(super) fn comes_by_itself(&self, made: usize) -> bool {
        !self.is_space(made) && self.made.get(made).is_some_and(|made| made.is_for_readers)
    }

    /// A user adds a document to the space, if the node knows that it may.
    pub(super) fn add_to_space(&mut self, index: usize) -> Result<(), String> {
        let space = self.space.and_then(|space| self.made.get(space)).cloned();
        let (Some(space), Some(node)) = (space, self.nodes.get(index)) else { return Ok(()) };
        if self.made.len() > ADDED_MAX {
            return Ok(());
        }
        let author = node.author();
        let path = node.documents().and_then(|documents| {
            let path = |insight: pistol_engine::Insight<'_>| insight.access?.path_to_add(&author.id());
            documents.look(&space.id(), path).ok().flatten()
        });
        let Some(path) = path else { return Ok(()) };
        let is_for_readers = self.chance.percent(85);
        let made = user::make(&author, &mut self.chance).map_err(|error| error.to_string())?;
        let made = in_space(&author, &made, &space, path, is_for_readers)?;
        let (genesis, read_key) = (made.genesis.clone(), made.read_key.clone());
        self.made.push(made);
        self.ask(index, Command::Create { genesis, read_key }, Asked::Other)
    }

    /// The owner takes a document out of the space, or somebody tries to.
    pub(super) fn remove_from_space(&mut self, index: usize) -> Result<(), String> {
        let Some(space) = self.space.and_then(|space| self.made.get(space)).map(Made::id) else { return Ok(()) };
        let documents: Vec<DocumentId> = self.made.iter().map(Made::id).filter(|id| *id != space).collect();
        let (Some(document), Some(open)) =
            (self.chance.pick(&documents), self.nodes.get(index).and_then(Node::documents))
        else {
            return Ok(());
        };
        match open.operate(&space, |_| Ok(Action::RemoveDocument { document })) {
            Ok(_) => {
                // From now on nobody need come to have it who has it not.
                self.made.iter_mut().filter(|made| made.id() == document).for_each(|made| made.is_removed = true);
                self.report.operations += 1;
                self.give(index, Input::Wake)
            }
            Err(OperateError::Power(_) | OperateError::Refused(_) | OperateError::Document(_)) => Ok(()),
            Err(error) => Err(format!("a removal failed: {error}")),
        }
    }
}

/// The same document, in a space.
fn in_space(
    author: &pistol_core::key::AuthorKey,
    made: &Made,
    space: &Made,
    authority: Vec<pistol_core::id::AuthorityId>,
    is_for_readers: bool,
) -> Result<Made, String> {
    let mut terms = made.genesis.terms().clone();
    let derived = space.read_key.as_ref().map(|key| key.of_document(&terms.nonce));
    let own = ReadKey(*blake3::hash(&terms.nonce).as_bytes());
    let read_key = if is_for_readers { derived } else { Some(own) };
    (terms.space, terms.authority) = (Some(space.id()), authority);
    terms.read = user::read_by(read_key.as_ref());
    let genesis = Genesis::sign(author, terms).map_err(|error| error.to_string())?;
    debug_assert_eq!(genesis.terms().kind, Kind::Document);
    Ok(Made { genesis: Arc::new(genesis), read_key, is_for_readers, is_removed: false })
}
