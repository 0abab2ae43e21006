//! Paths: from a root of a log, hop by hop, to the author; and what their level and role permit. All of this is final:
//! it follows from what is cited, and no revocation is looked at.

use std::collections::{BTreeMap, BTreeSet};

use crate::known::Known;
use crate::verdict::Fault;
use crate::world::{Action, Author, Kind, Log, LogId, Operation, OperationId, Policy, Role, Subject, World};

const HOPS_MAX: usize = 4;
const NESTING_MAX: usize = 2;
/// The level of an author without a grant: junior to everybody.
const STRANGER: u32 = u32::MAX;

/// A path that leads from a root to an author.
#[derive(Clone, Debug)]
pub(crate) struct Chain<'w> {
    /// The cited operations, the root's first.
    pub(crate) hops: Vec<&'w Operation>,
    /// 0 for a root, one more than the granter's for a grantee.
    pub(crate) level: u32,
    /// The least role on the path.
    pub(crate) role: Role,
    /// Of a root, the keys whose standing as a root it uses.
    pub(crate) roots: BTreeSet<Author>,
    /// The identity whose certificate is the last hop.
    pub(crate) identity: Option<LogId>,
}

/// Everything known, and of each operation the path that it cites, or what is wrong with it.
pub(crate) struct Authority<'w> {
    pub(crate) known: Known<'w>,
    world: &'w World,
    chains: BTreeMap<OperationId, Result<Chain<'w>, Fault>>,
}

impl<'w> Authority<'w> {
    pub(crate) fn of(world: &'w World) -> Self {
        let mut authority = Self { known: Known::of(world), world, chains: BTreeMap::new() };
        for operation in authority.known.in_order.clone() {
            let chain = authority.ground(operation);
            authority.chains.insert(operation.id, chain);
        }
        authority
    }

    /// The path of an operation, if it leads from a root to its author and permits what it does.
    fn ground(&self, operation: &Operation) -> Result<Chain<'w>, Fault> {
        let log = self.known.logs.get(&operation.log).ok_or(Fault::PathBroken)?;
        let is_elsewhere = |id: &OperationId| self.known.operation(*id).is_none_or(|prev| prev.log != operation.log);
        if operation.prev.iter().any(is_elsewhere) {
            return Err(Fault::PrevElsewhere);
        }
        let chain = self.chain(log, operation.author, &operation.proof).or_else(|fault| {
            // Where anyone may add documents, anyone may claim names.
            let may_claim = matches!(operation.action, Action::Name { .. }) && log.policy.needs_no_grant();
            may_claim.then(|| self.stranger(operation.author, &operation.proof)).flatten().ok_or(fault)
        })?;
        let is_peer = |hop: &&Operation| hop.log != log.id && self.kind(hop.log) >= Some(log.kind);
        if chain.hops.iter().any(is_peer) {
            return Err(Fault::PathThroughPeers);
        }
        permits(log, operation, &chain)?;
        self.is_within_quota(log, operation).map(|()| chain)
    }

    /// Whether the past of an operation leaves its author room for it.
    fn is_within_quota(&self, log: &Log, operation: &Operation) -> Result<(), Fault> {
        let limits = self.world.limits;
        let (most, most_bytes) = if log.kind == Kind::Identity {
            (limits.operations_of_one_author_in_identities, limits.bytes_of_one_author_in_identities)
        } else {
            (limits.operations_of_one_author, limits.bytes_of_one_author)
        };
        let earlier = self.known.earlier_ones_by(operation.author, operation.id);
        if earlier.len() >= most {
            return Err(Fault::QuotaExceeded);
        }
        let bytes: u64 = earlier.iter().map(|operation| operation.bytes).sum();
        if bytes > most_bytes { Err(Fault::BytesExceeded) } else { Ok(()) }
    }

    /// The path of an operation that is known whole, or what is wrong with it.
    pub(crate) fn of_operation(&self, id: OperationId) -> Option<Result<&Chain<'w>, Fault>> {
        self.chains.get(&id).map(|chain| chain.as_ref().map_err(|fault| *fault))
    }

    /// The path that an author cites in a log, all of whose operations are known whole.
    pub(crate) fn chain(&self, log: &Log, author: Author, path: &[OperationId]) -> Result<Chain<'w>, Fault> {
        if path.len() > HOPS_MAX {
            return Err(Fault::PathTooLong);
        }
        let hops: Vec<&Operation> = path.iter().filter_map(|id| self.known.operation(*id)).collect();
        if let Some(hop) = hops.iter().find(|hop| !matches!(self.of_operation(hop.id), Some(Ok(_)))) {
            return Err(Fault::Hop(hop.id));
        }
        let Some(first) = hops.first().copied() else {
            return if log.roots.contains(&author) { Ok(Chain::root(author)) } else { Err(Fault::NotARoot) };
        };
        let (level, mut roots) = self.begin(log, first)?;
        for (before, after) in hops.iter().zip(hops.iter().skip(1)) {
            roots = self.step(log, before, after, roots)?;
        }
        if hops.last().and_then(|last| given_to(last)) != Some(Subject::Key(author)) {
            return Err(Fault::PathBroken);
        }
        if hops.iter().filter(|hop| is_nest(hop)).count() > NESTING_MAX {
            return Err(Fault::NestedTooDeep);
        }
        let role = hops.iter().filter_map(|hop| hop.grant()).map(|(_, role)| role).min().unwrap_or(Role::Admin);
        Ok(Chain { level, role, roots, identity: self.certified(&hops), hops })
    }

    /// The level that the first hop gives, and the roots it speaks for: it is a grant of this log, an added root, or a
    /// certificate of an identity that is a root.
    fn begin(&self, log: &Log, hop: &Operation) -> Result<(u32, BTreeSet<Author>), Fault> {
        if hop.log == log.id {
            return match hop.action {
                Action::Grant { .. } => Ok((self.level_given(hop), BTreeSet::new())),
                Action::AddRoot { key } => Ok((0, BTreeSet::from([key]))),
                _ => Err(Fault::PathBroken),
            };
        }
        let roots = self.roots_of_identity(hop).ok_or(Fault::NotARoot)?;
        if roots.iter().all(|root| log.roots.contains(root)) { Ok((0, roots)) } else { Err(Fault::NotARoot) }
    }

    /// Goes from one hop to the next, which is a grant in the log that the one before names, or a certificate of the
    /// identity whose root was added.
    fn step(
        &self,
        log: &Log,
        before: &Operation,
        after: &Operation,
        roots: BTreeSet<Author>,
    ) -> Result<BTreeSet<Author>, Fault> {
        if let Action::AddRoot { key } = before.action {
            let identity = self.roots_of_identity(after).ok_or(Fault::PathBroken)?;
            let are_roots = identity.iter().all(|root| *root == key || log.roots.contains(root));
            let is_root = are_roots && identity.contains(&key) && after.log != log.id;
            return if is_root { Ok(identity) } else { Err(Fault::NotARoot) };
        }
        let (next, kind) = match given_to(before) {
            Some(Subject::Identity(log)) => (log, Kind::Identity),
            Some(Subject::Group(log)) => (log, Kind::Group),
            Some(Subject::Space(log)) => (log, Kind::Space),
            Some(Subject::Key(_)) | None => return Err(Fault::PathBroken),
        };
        let leads_on = after.log == next && self.kind(next) == Some(kind) && after.grant().is_some();
        if leads_on { Ok(roots) } else { Err(Fault::PathBroken) }
    }

    /// The roots of the identity whose certificate this is.
    fn roots_of_identity(&self, certificate: &Operation) -> Option<BTreeSet<Author>> {
        certificate.grant()?;
        let identity = self.known.logs.get(&certificate.log).filter(|log| log.kind == Kind::Identity)?;
        Some(identity.roots.iter().copied().collect()).filter(|roots: &BTreeSet<Author>| !roots.is_empty())
    }

    /// The identity whose certificate is the last hop: a grant. Who was made a root of an identity is none of its devices.
    fn certified(&self, hops: &[&Operation]) -> Option<LogId> {
        hops.last()
            .filter(|hop| hop.grant().is_some())
            .map(|hop| hop.log)
            .filter(|log| self.kind(*log) == Some(Kind::Identity))
    }

    fn kind(&self, log: LogId) -> Option<Kind> {
        self.known.logs.get(&log).map(|log| log.kind)
    }

    /// The level of an operation: that of its path.
    pub(crate) fn level(&self, id: OperationId) -> u32 {
        match self.of_operation(id) {
            Some(Ok(chain)) => chain.level,
            _ => STRANGER,
        }
    }

    /// The level that a grant gives: one more than that of its author.
    pub(crate) fn level_given(&self, grant: &Operation) -> u32 {
        self.level(grant.id).saturating_add(1)
    }

    /// The path of one who writes in a document, or adds a document to a space, if it suffices under the policy.
    pub(crate) fn to_write(&self, log: &Log, author: Author, path: &[OperationId]) -> Result<Chain<'w>, Fault> {
        if log.policy.needs_no_grant() {
            return self.chain(log, author, path).or_else(|fault| self.stranger(author, path).ok_or(fault));
        }
        let chain = self.chain(log, author, path)?;
        let is_enough = chain.role >= Role::Writer && (chain.level == 0 || log.policy != Policy::Owned);
        if is_enough { Ok(chain) } else { Err(Fault::RoleTooLow) }
    }

    /// One who needs no grant cites nothing, or the certificate of an identity.
    fn stranger(&self, author: Author, path: &[OperationId]) -> Option<Chain<'w>> {
        let hops: Vec<&Operation> = path.iter().filter_map(|id| self.known.operation(*id)).collect();
        let identity = self.certified(&hops);
        let is_certificate = |hop: &&Operation| {
            identity.is_some()
                && given_to(hop) == Some(Subject::Key(author))
                && matches!(self.of_operation(hop.id), Some(Ok(_)))
        };
        (hops.len() <= 1 && hops.iter().all(is_certificate)).then_some(Chain {
            hops,
            level: STRANGER,
            role: Role::Writer,
            roots: BTreeSet::new(),
            identity,
        })
    }
}

impl Chain<'_> {
    fn root(author: Author) -> Self {
        Self { hops: Vec::new(), level: 0, role: Role::Admin, roots: BTreeSet::from([author]), identity: None }
    }

    /// Whether this subject is the author itself: its key, or the identity that it speaks for.
    pub(crate) fn is_oneself(&self, author: Author, subject: Subject) -> bool {
        match subject {
            Subject::Key(key) => key == author,
            Subject::Identity(identity) => self.identity == Some(identity),
            Subject::Group(_) | Subject::Space(_) => false,
        }
    }
}

/// The subject that a hop gives standing to.
fn given_to(hop: &Operation) -> Option<Subject> {
    match hop.action {
        Action::Grant { to, .. } => Some(to),
        Action::AddRoot { key } => Some(Subject::Key(key)),
        _ => None,
    }
}

fn is_nest(hop: &Operation) -> bool {
    matches!(given_to(hop), Some(Subject::Group(_) | Subject::Space(_)))
}

/// Whether level and role of a path permit the operation, in a log of this kind.
fn permits(log: &Log, operation: &Operation, chain: &Chain<'_>) -> Result<(), Fault> {
    let is_admin = chain.role >= Role::Admin;
    let is_root = chain.level == 0 && is_admin;
    let (is_here, is_permitted) = match &operation.action {
        Action::Grant { to, .. } => (may_hold(log.kind, *to), is_admin),
        Action::Revoke(revocation) => (true, is_admin || chain.is_oneself(operation.author, revocation.who)),
        Action::Checkpoint { document, .. } => {
            (log.kind == Kind::Space || (log.kind == Kind::Document && *document == log.id), is_admin)
        }
        Action::AddRoot { .. } | Action::Relinquish => (true, is_root && chain.identity.is_none()),
        Action::Release => (matches!(log.kind, Kind::Document | Kind::Space), is_root),
        Action::RemoveDocument { .. } => (log.kind == Kind::Space, is_root),
        Action::Acknowledge { .. } | Action::Name { .. } => (log.kind == Kind::Space, chain.role >= Role::Writer),
        Action::Witness { .. } => (log.kind == Kind::Space, is_admin),
    };
    match (is_here, is_permitted) {
        (false, _) => Err(Fault::NotInThisLog),
        (true, false) => Err(Fault::RoleTooLow),
        (true, true) if operation.action == Action::Release && !log.is_releasable => Err(Fault::NotReleasable),
        (true, true) => Ok(()),
    }
}

/// Whether a log of this kind may grant to such a subject: identities certify keys, and only documents name spaces.
fn may_hold(kind: Kind, subject: Subject) -> bool {
    match subject {
        Subject::Key(_) => true,
        Subject::Identity(_) | Subject::Group(_) => kind != Kind::Identity,
        Subject::Space(_) => kind == Kind::Document,
    }
}
