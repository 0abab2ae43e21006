//! A stage for one story: a document of `OWNER`, and others who act in it.

use pistol_oracle::{
    Action, Author, Change, ChangeId, Judgement, Kept, Kind, Log, LogId, Mode, Operation, OperationId, Policy,
    Revocation, Role, Subject, World, Write,
};

pub(crate) const DOCUMENT: LogId = LogId(0);
pub(crate) const IDENTITY: LogId = LogId(1);
pub(crate) const GROUP: LogId = LogId(2);
pub(crate) const SPACE: LogId = LogId(3);

pub(crate) const OWNER: Author = Author(0);
pub(crate) const ALICE: Author = Author(1);
pub(crate) const BOB: Author = Author(2);
pub(crate) const CAROL: Author = Author(3);
/// The offline root of the identity, and its devices.
pub(crate) const ROOT: Author = Author(4);
pub(crate) const PHONE: Author = Author(5);
pub(crate) const LAPTOP: Author = Author(6);
pub(crate) const STRANGER: Author = Author(9);

pub(crate) type Path<'a> = &'a [OperationId];

/// A world in the making.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) world: World,
    next: u32,
}

impl Scene {
    pub(crate) fn new(policy: Policy) -> Self {
        let logs = vec![
            Log::document(DOCUMENT, policy, OWNER),
            Log::new(IDENTITY, Kind::Identity, ROOT),
            Log::new(GROUP, Kind::Group, OWNER),
            Log { is_releasable: true, ..Log::new(SPACE, Kind::Space, OWNER) },
        ];
        Self { world: World { logs, ..World::default() }, next: 0 }
    }

    pub(crate) fn members() -> Self {
        Self::new(Policy::Members)
    }

    /// An operation in any log.
    pub(crate) fn says(
        &mut self,
        log: LogId,
        author: Author,
        proof: Path<'_>,
        prev: Path<'_>,
        action: Action,
    ) -> OperationId {
        let id = OperationId(self.next);
        self.next += 1;
        let (proof, prev) = (proof.to_vec(), prev.to_vec());
        self.world.operations.push(Operation {
            id,
            log,
            author,
            proof,
            prev,
            action,
            bytes: 200,
            is_well_signed: true,
        });
        id
    }

    /// An operation of the document's owner.
    pub(crate) fn owner(&mut self, prev: Path<'_>, action: Action) -> OperationId {
        self.says(DOCUMENT, OWNER, &[], prev, action)
    }

    pub(crate) fn writes(&mut self, author: Author, authority: Path<'_>, deps: &[ChangeId]) -> ChangeId {
        self.does(author, authority, deps, vec![])
    }

    pub(crate) fn does(
        &mut self,
        author: Author,
        authority: Path<'_>,
        deps: &[ChangeId],
        writes: Vec<Write>,
    ) -> ChangeId {
        let id = ChangeId(self.next);
        self.next += 1;
        let (deps, authority) = (deps.to_vec(), authority.to_vec());
        let change = Change { id, document: DOCUMENT, author, deps, authority, is_structurally_valid: true, writes };
        self.world.changes.push(change);
        id
    }

    pub(crate) fn judge(&self) -> Judgement {
        self.world.judge()
    }

    /// Which of these are accepted.
    pub(crate) fn accepts<const N: usize>(&self, changes: [ChangeId; N]) -> [bool; N] {
        let judgement = self.judge();
        changes.map(|change| judgement.accepts(change))
    }

    /// Which of these are valid.
    pub(crate) fn valid<const N: usize>(&self, operations: [OperationId; N]) -> [bool; N] {
        let judgement = self.judge();
        operations.map(|operation| judgement.is_valid(operation))
    }
}

pub(crate) fn grant(to: Subject, role: Role) -> Action {
    Action::Grant { to, role }
}

pub(crate) fn writer(key: Author) -> Action {
    grant(Subject::Key(key), Role::Writer)
}

pub(crate) fn admin(key: Author) -> Action {
    grant(Subject::Key(key), Role::Admin)
}

pub(crate) fn revoke(who: Subject, mode: Mode, keep: &[Kept], cascade: bool) -> Action {
    Action::Revoke(Revocation { who, mode, keep: keep.to_vec(), cascade })
}

pub(crate) fn endorsed(key: Author) -> Action {
    revoke(Subject::Key(key), Mode::Endorsed, &[], false)
}

pub(crate) fn exact(key: Author, keep: &[Kept]) -> Action {
    revoke(Subject::Key(key), Mode::Exact, keep, false)
}
