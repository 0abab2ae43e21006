//! Worlds of the oracle as signed records, told to a node.
//!
//! The oracle keeps operations that no role permits and lets others follow on them; a node refuses them, and all that follows.
//! So what follows on such a one is made to follow on what that followed on: the pasts of all others stay as they were.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    dead_code,
    reason = "a test fails by panicking, and no test uses everything"
)]

use std::collections::{BTreeMap, BTreeSet};

use pistol_acl::record::{AclOp, Action, Heads, Keep, LogId, Mode, Role, Subject};
use pistol_acl::{Access, AccessPolicy, Charter, Held, Kind, Place, SignedOp, State, Summary};
use pistol_core::id::{AuthorityId, ChangeId, DocumentId};
use pistol_oracle as oracle;

use super::story::{Item, Story, author, key, take};

/// What the judge is not asked: rules for entries. And a kept change keeps its document, as its operation names both.
pub(crate) fn comparable(mut world: oracle::World) -> oracle::World {
    world.changes.iter_mut().for_each(|change| change.writes.clear());
    // The oracle takes a root added to an identity for one of its devices; a certificate is a grant.
    let added = |id: &oracle::OperationId| {
        let is_added = |op: &&oracle::Operation| matches!(op.action, oracle::Action::AddRoot { .. }) && op.id == *id;
        world
            .operations
            .iter()
            .find(is_added)
            .is_some_and(|op| world.logs.iter().any(|log| log.id == op.log && log.kind == oracle::Kind::Identity))
    };
    let dropped: BTreeSet<_> = world
        .changes
        .iter()
        .filter(|change| matches!(change.authority.as_slice(), [only] if added(only)))
        .map(|change| change.id)
        .collect();
    world.changes.retain(|change| !dropped.contains(&change.id));
    let documents: BTreeMap<_, _> = world.changes.iter().map(|change| (change.id, change.document)).collect();
    for operation in &mut world.operations {
        if let oracle::Action::Revoke(revocation) = &mut operation.action {
            let kept: Vec<_> = revocation
                .keep
                .iter()
                .filter_map(|kept| match kept {
                    oracle::Kept::Change(id) => documents.get(id).copied().map(oracle::Kept::Document),
                    _ => None,
                })
                .collect();
            revocation.keep.extend(kept);
        }
        // A release follows on nothing, so that it can be proved alone.
        if operation.action == oracle::Action::Release {
            operation.prev.clear();
        }
    }
    world
}

/// A node for each document, told a whole world.
pub(crate) struct Told {
    nodes: BTreeMap<DocumentId, Access>,
    signed: Vec<SignedOp>,
    entered: BTreeSet<oracle::OperationId>,
    ids: BTreeMap<oracle::OperationId, AuthorityId>,
}

impl Told {
    pub(crate) fn of(world: &oracle::World) -> Told {
        let charters: Vec<Charter> = world.logs.iter().map(|log| charter(log, &BTreeMap::new())).collect();
        let mut scribe = Scribe {
            world,
            node: Access::new(DocumentId([0; 32])),
            ids: BTreeMap::new(),
            signed: vec![],
            entered: BTreeSet::new(),
            pasts: BTreeMap::new(),
        };
        charters.into_iter().for_each(|charter| drop(scribe.node.found(charter)));
        // Numbers rise, so an operation comes after all that it names; the lists are shuffled.
        let mut operations: Vec<_> = world.operations.iter().collect();
        operations.sort_by_key(|operation| operation.id);
        operations.into_iter().for_each(|operation| scribe.write(operation));
        let Scribe { ids, signed, entered, .. } = scribe;
        let charters = || world.logs.iter().map(|log| Item::Charter(charter(log, &ids)));
        let mut nodes = BTreeMap::new();
        for document in world.changes.iter().map(|change| log_id(change.document)).chain(charters().map(|item| {
            let Item::Charter(charter) = item else { panic!("a charter") };
            charter.log
        })) {
            nodes.entry(document).or_insert_with(|| {
                let changes = world.changes.iter().filter(|change| log_id(change.document) == document);
                let changes = changes.filter(|change| change.is_structurally_valid).map(|change| summary(change, &ids));
                let mut access = Access::new(document);
                // Changes first: they wait, and then everything comes at once.
                changes.map(Item::Change).for_each(|item| take(&mut access, item));
                signed.iter().cloned().map(Item::Operation).chain(charters()).for_each(|item| take(&mut access, item));
                access.settle();
                access
            });
        }
        Told { nodes, signed, entered, ids }
    }

    pub(crate) fn waits(&self, id: oracle::OperationId) -> bool {
        !self.entered.contains(&id)
    }

    pub(crate) fn is_valid(&self, id: oracle::OperationId) -> bool {
        let node = self.nodes.values().next();
        self.ids.get(&id).is_some_and(|id| node.is_some_and(|node| node.is_valid(id)))
    }

    pub(crate) fn state(&self, change: &oracle::Change) -> State {
        self.nodes[&log_id(change.document)].state(&change_id(change.id))
    }

    pub(crate) fn explain(&self, change: &oracle::Change) -> String {
        self.nodes[&log_id(change.document)].explain(&change_id(change.id)).to_string()
    }

    /// Whether two operations became one: they differed only in refused ones that they followed on.
    pub(crate) fn has_merged(&self) -> bool {
        self.ids.values().collect::<BTreeSet<_>>().len() < self.ids.len()
    }

    /// What is told of one document, to be told again in another order.
    pub(crate) fn story(&self, world: &oracle::World, document: oracle::LogId) -> Story {
        let charters = world.logs.iter().map(|log| charter(log, &self.ids)).collect();
        let changes = world.changes.iter().filter(|change| change.document == document);
        let changes = changes.filter(|change| change.is_structurally_valid).map(|change| summary(change, &self.ids));
        let changes: BTreeMap<ChangeId, Summary> = changes.map(|summary| (summary.id, summary)).collect();
        Story::of(log_id(document), charters, self.signed.clone(), changes.into_values().collect())
    }

    pub(crate) fn node_of(&self, document: oracle::LogId) -> &Access {
        &self.nodes[&log_id(document)]
    }

    pub(crate) fn state_of(&self, document: oracle::LogId, change: oracle::ChangeId) -> State {
        self.node_of(document).state(&change_id(change))
    }

    pub(crate) fn node(&self) -> &Access {
        self.nodes.values().next().unwrap()
    }

    pub(crate) fn place(&self, document: oracle::LogId) -> &Place {
        self.nodes[&log_id(document)].place()
    }
}

/// Signs the operations of a world, one after the other, as each names earlier ones.
struct Scribe<'w> {
    world: &'w oracle::World,
    node: Access,
    ids: BTreeMap<oracle::OperationId, AuthorityId>,
    signed: Vec<SignedOp>,
    entered: BTreeSet<oracle::OperationId>,
    /// The pasts of what is known whole, refused or not.
    pasts: BTreeMap<oracle::OperationId, BTreeSet<oracle::OperationId>>,
}

impl Scribe<'_> {
    fn write(&mut self, operation: &oracle::Operation) {
        if !operation.is_well_signed || self.ids.contains_key(&operation.id) {
            return;
        }
        let is_whole = operation.prev.iter().all(|prev| self.pasts.contains_key(prev));
        let past: BTreeSet<_> = operation
            .prev
            .iter()
            .flat_map(|prev| self.pasts.get(prev).into_iter().flatten().chain([prev]))
            .copied()
            .collect();
        let prev = if is_whole { self.spliced(operation, &past) } else { operation.prev.clone() };
        let prev: BTreeSet<AuthorityId> = prev.iter().map(|id| self.id(*id)).collect();
        let prev: Vec<AuthorityId> = prev.into_iter().collect();
        let by = author(operation.author.0 as u8 + 1);
        let own = prev.iter().position(|id| self.signed.iter().any(|op| op.id() == *id && op.op().author == by));
        let proof: Vec<_> = operation.proof.iter().map(|id| self.id(*id)).collect();
        let is_cited_known = operation.proof.iter().all(|hop| self.pasts.contains_key(hop));
        let has_log = self.world.logs.iter().any(|log| log.id == operation.log);
        if is_whole && is_cited_known && has_log {
            self.pasts.insert(operation.id, past);
        }
        let op =
            AclOp { log: log_id(operation.log), author: by, proof, prev, own, action: self.action(&operation.action) };
        // A path that is too long cannot even be signed.
        let Ok(signed) = SignedOp::sign(&key(operation.author.0 as u8 + 1), &op) else { return };
        self.ids.insert(operation.id, signed.id());
        if matches!(self.node.hold(signed.clone()), Held::Entered(_)) {
            self.entered.insert(operation.id);
        }
        self.signed.push(signed);
    }

    /// The latest operations of the past that a node keeps.
    fn spliced(&self, operation: &oracle::Operation, past: &BTreeSet<oracle::OperationId>) -> Vec<oracle::OperationId> {
        let log_of = |id: &oracle::OperationId| self.world.operations.iter().find(|op| op.id == *id).map(|op| op.log);
        if operation.prev.iter().any(|prev| log_of(prev) != Some(operation.log)) {
            return operation.prev.clone();
        }
        let here = || past.iter().filter(|id| self.entered.contains(id) && log_of(id) == Some(operation.log));
        let is_latest = |id: &&oracle::OperationId| !here().any(|later| self.pasts[later].contains(id));
        here().filter(is_latest).copied().collect()
    }

    /// What stands for a kept operation: itself, or the latest of its past that a node keeps.
    fn kept(&self, id: oracle::OperationId) -> Vec<AuthorityId> {
        let Some(past) = self.pasts.get(&id).filter(|_| !self.entered.contains(&id)) else { return vec![self.id(id)] };
        let entered = || past.iter().filter(|id| self.entered.contains(id));
        let is_latest = |id: &&oracle::OperationId| !entered().any(|later| self.pasts[later].contains(id));
        entered().filter(is_latest).map(|id| self.id(*id)).collect()
    }

    /// An operation's id; one of something that was never said, if it cannot be.
    fn id(&self, id: oracle::OperationId) -> AuthorityId {
        self.ids.get(&id).copied().unwrap_or_else(|| AuthorityId(number(0xee, id.0)))
    }

    fn action(&self, action: &oracle::Action) -> Action {
        match action {
            oracle::Action::Grant { to, role } => Action::Grant { to: subject(*to), role: role_of(*role) },
            oracle::Action::Revoke(revocation) => Action::Revoke {
                who: subject(revocation.who),
                mode: if revocation.mode == oracle::Mode::Exact { Mode::Exact } else { Mode::Endorsed },
                cascade: revocation.cascade,
                keep: self.keep(&revocation.keep),
            },
            oracle::Action::Checkpoint { document, heads } => {
                let mut heads: BTreeSet<ChangeId> = heads.iter().map(|head| change_id(*head)).collect();
                if heads.is_empty() {
                    // Without heads it would be an acknowledgement.
                    heads.insert(ChangeId([0xdd; 32]));
                }
                Action::Checkpoint(Heads {
                    document: log_id(*document),
                    heads: heads.into_iter().collect(),
                    tips: vec![],
                })
            }
            oracle::Action::AddRoot { key } => Action::AddRoot { key: author(key.0 as u8 + 1) },
            oracle::Action::Relinquish => Action::Relinquish,
            oracle::Action::Release => Action::Release,
            oracle::Action::RemoveDocument { document } => Action::RemoveDocument { document: log_id(*document) },
            oracle::Action::Acknowledge { document } => {
                Action::Checkpoint(Heads { document: log_id(*document), heads: vec![], tips: vec![] })
            }
            oracle::Action::Name { name, target } => {
                Action::Name { name: format!("name-{name}"), target: log_id(*target) }
            }
            oracle::Action::Witness { names } => {
                let names: BTreeSet<AuthorityId> = names.iter().map(|claim| self.id(*claim)).collect();
                Action::Witness { names: names.into_iter().collect() }
            }
        }
    }

    fn keep(&self, keep: &[oracle::Kept]) -> Keep {
        let mut changes: BTreeMap<DocumentId, BTreeSet<ChangeId>> = BTreeMap::new();
        let mut operations = BTreeSet::new();
        for kept in keep {
            match kept {
                oracle::Kept::Change(id) => {
                    if let Some(change) = self.world.changes.iter().find(|change| change.id == *id) {
                        changes.entry(log_id(change.document)).or_default().insert(change_id(*id));
                    }
                }
                oracle::Kept::Operation(id) => operations.extend(self.kept(*id)),
                oracle::Kept::Document(document) => drop(changes.entry(log_id(*document)).or_default()),
            }
        }
        let heads = |(document, heads): (DocumentId, BTreeSet<ChangeId>)| Heads {
            document,
            heads: heads.into_iter().collect(),
            tips: vec![],
        };
        Keep { changes: changes.into_iter().map(heads).collect(), operations: operations.into_iter().collect() }
    }
}

fn number(kind: u8, number: u32) -> [u8; 32] {
    let mut id = [kind; 32];
    id[..4].copy_from_slice(&number.to_be_bytes());
    id
}

pub(crate) fn log_id(log: oracle::LogId) -> LogId {
    DocumentId(number(1, log.0))
}

fn change_id(change: oracle::ChangeId) -> ChangeId {
    ChangeId(number(2, change.0))
}

fn subject(subject: oracle::Subject) -> Subject {
    match subject {
        oracle::Subject::Key(key) => Subject::Key(author(key.0 as u8 + 1)),
        oracle::Subject::Identity(log) => Subject::Identity(log_id(log)),
        oracle::Subject::Group(log) => Subject::Group(log_id(log)),
        oracle::Subject::Space(log) => Subject::Space(log_id(log)),
    }
}

fn role_of(role: oracle::Role) -> Role {
    match role {
        oracle::Role::Relay => Role::Relay,
        oracle::Role::Reader => Role::Reader,
        oracle::Role::Writer => Role::Writer,
        oracle::Role::Admin => Role::Admin,
    }
}

fn charter(log: &oracle::Log, ids: &BTreeMap<oracle::OperationId, AuthorityId>) -> Charter {
    let kind = match log.kind {
        oracle::Kind::Identity => Kind::Identity,
        oracle::Kind::Group => Kind::Group,
        oracle::Kind::Space => Kind::Space,
        oracle::Kind::Document => Kind::Document,
    };
    let policy = match log.policy {
        oracle::Policy::Owned => AccessPolicy::Owned,
        oracle::Policy::WorldWritable => AccessPolicy::WorldWritable,
        oracle::Policy::FirstWriter { members_only, .. } => AccessPolicy::FirstWriter { members_only },
        oracle::Policy::Members => AccessPolicy::Members,
    };
    let roots: Vec<_> = log.roots.iter().map(|root| author(root.0 as u8 + 1)).collect();
    let id = |id: &oracle::OperationId| ids.get(id).copied().unwrap_or(AuthorityId(number(0xee, id.0)));
    let space = log.home.as_ref().map(|home| (log_id(home.space), home.authority.iter().map(id).collect::<Vec<_>>()));
    let creator = log.home.as_ref().map_or(roots[0], |home| author(home.creator.0 as u8 + 1));
    Charter { log: log_id(log.id), kind, roots, creator, policy, is_releasable: log.is_releasable, space }
}

fn summary(change: &oracle::Change, ids: &BTreeMap<oracle::OperationId, AuthorityId>) -> Summary {
    let id = |id: &oracle::OperationId| ids.get(id).copied().unwrap_or(AuthorityId(number(0xee, id.0)));
    Summary {
        id: change_id(change.id),
        author: author(change.author.0 as u8 + 1),
        deps: change.deps.iter().map(|dep| change_id(*dep)).collect(),
        authority: change.authority.iter().map(id).collect(),
    }
}
