//! Paths of authority: what an author stands on, from the ids that a change or an operation cites.
//!
//! A path leads from a root of the log to the author: a role, groups, a device. What is found here is final for every
//! replica; whether each step still counts is decided in [`crate::rulings`].

use pistol_core::id::AuthorityId;
use pistol_core::key::AuthorId;

use crate::charter::{Charter, Kind};
use crate::limits;
use crate::log::{Entry, Logs, Ordinal};
use crate::record::{Action, LogId, Role, Subject};

/// How far from the roots: the grants between a root and the author. Less is more senior.
pub(crate) type Level = u32;

/// The level of somebody without any authority, where anyone may write: junior to everybody.
pub(crate) const STRANGER: Level = u32::MAX;

/// That a grant on a path names somebody. Levels are those of the grant's own log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Naming {
    pub(crate) subject: Subject,
    pub(crate) log: LogId,
    /// The grant; `None` for whoever writes without one.
    pub(crate) hop: Option<Ordinal>,
    pub(crate) level: Level,
}

/// What an author stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) level: Level,
    /// The weakest role on the path.
    pub(crate) role: Role,
    /// The root keys that it stands on, if no grant of the log is between.
    pub(crate) roots: Vec<AuthorId>,
    /// The identity whose certificate is last on the path: it is the author's for ever, in what cites this path.
    pub(crate) identity: Option<LogId>,
    pub(crate) namings: Vec<Naming>,
    pub(crate) hops: Vec<Ordinal>,
}

impl Standing {
    pub(crate) fn is_stranger(&self) -> bool {
        self.level == STRANGER
    }

    /// Whether the author who stands so is the subject.
    pub(crate) fn is(&self, author: &AuthorId, subject: &Subject) -> bool {
        match subject {
            Subject::Key(key) => key == author,
            Subject::Identity(identity) => self.identity == Some(*identity),
            Subject::Group(_) | Subject::Space(_) => false,
        }
    }
}

/// Why an operation or a change is refused, here and everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It builds on something that was refused, or on another log.
    #[error("it builds on something that was refused, or that is not part of the same log")]
    Past,
    /// The path does not lead from a root to the author.
    #[error("what it cites does not lead from a root to its author")]
    Path,
    /// Groups within groups, or a log that would decide about a greater one.
    #[error("what it cites passes through too many groups, or through one that may not decide here")]
    Nesting,
    /// The role does not allow it.
    #[error("the author's role does not allow this")]
    Role,
    /// Such an action has no meaning in such a log.
    #[error("this action has no meaning in this log")]
    Misplaced,
    /// The author has written as much as may be.
    #[error("the author has written as much into this log as may be; another admin or device must go on")]
    Quota,
    /// The policy does not let the author write.
    #[error("the policy does not let this author write here")]
    Policy,
}

/// There is no final answer yet, or it is no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsettled {
    Missing(Vec<[u8; 32]>),
    Refused(Refusal),
}

impl From<Refusal> for Unsettled {
    fn from(refusal: Refusal) -> Self {
        Unsettled::Refused(refusal)
    }
}

/// Follows a path from the roots of a log to an author.
pub(crate) fn resolve(
    logs: &Logs,
    log: &LogId,
    author: &AuthorId,
    path: &[AuthorityId],
) -> Result<Standing, Unsettled> {
    if path.len() > limits::PATH_MAX {
        return Err(Refusal::Path.into());
    }
    let mut walk = Walk::new(logs, logs.charter(log)?);
    for hop in logs.find_all(path)? {
        walk.step(hop)?;
    }
    walk.end(author)
}

/// Where a walk has come to.
enum At {
    /// Among the members of `here`.
    Inside,
    /// At a key that was made a root of the log.
    Root(AuthorId),
    /// At a key; nothing can follow.
    Key(AuthorId),
}

struct Walk<'a> {
    logs: &'a Logs,
    first: &'a Charter,
    here: &'a Charter,
    at: At,
    nesting: usize,
    standing: Standing,
}

impl<'a> Walk<'a> {
    fn new(logs: &'a Logs, first: &'a Charter) -> Self {
        let standing = Standing {
            level: STRANGER,
            role: Role::Admin,
            roots: Vec::new(),
            identity: None,
            namings: Vec::new(),
            hops: Vec::new(),
        };
        Walk { logs, first, here: first, at: At::Inside, nesting: 0, standing }
    }

    fn step(&mut self, hop: Ordinal) -> Result<(), Refusal> {
        let entry = self.logs.entry(hop).ok_or(Refusal::Path)?;
        let is_first = self.standing.hops.is_empty();
        self.standing.hops.push(hop);
        let is_here = entry.op().log == self.here.log;
        match (&self.at, &entry.op().action) {
            (At::Inside, Action::Grant { to, role }) if is_here => self.grant(hop, entry, to, *role, is_first),
            (At::Inside, Action::AddRoot { key }) if is_here && is_first => {
                self.standing.level = 0;
                self.standing.roots = vec![*key];
                self.at = At::Root(*key);
                Ok(())
            }
            (At::Inside, Action::Grant { to: Subject::Key(device), role }) if is_first => {
                self.certificate(hop, entry, *device, *role, None)
            }
            (At::Root(key), Action::Grant { to: Subject::Key(device), role }) => {
                self.certificate(hop, entry, *device, *role, Some(*key))
            }
            _ => Err(Refusal::Path),
        }
    }

    fn grant(&mut self, hop: Ordinal, entry: &Entry, to: &Subject, role: Role, is_first: bool) -> Result<(), Refusal> {
        self.name(hop, entry, *to, role);
        if is_first {
            self.standing.level = entry.standing.level.saturating_add(1);
        }
        let (log, kind) = match to {
            Subject::Key(key) => {
                self.at = At::Key(*key);
                self.standing.identity = (self.here.kind == Kind::Identity).then_some(self.here.log);
                return Ok(());
            }
            Subject::Identity(log) => (log, Kind::Identity),
            Subject::Group(log) => (log, Kind::Group),
            Subject::Space(log) => (log, Kind::Space),
        };
        // The next step is known, so its log is; if this is another, the path is broken.
        let charter = self.logs.charter(log).map_err(|_| Refusal::Path)?;
        self.nesting += usize::from(kind != Kind::Identity);
        // Only what is less than the log itself may decide there: so no two logs can revoke each other's operations.
        if charter.kind != kind || kind >= self.first.kind || self.nesting > limits::NESTING_MAX {
            return Err(Refusal::Nesting);
        }
        self.here = charter;
        Ok(())
    }

    /// A device of an identity that is a root: all its roots are, or the last of them was added. Were one enough, anybody could
    /// make an identity with the owner's key beside their own. Where anyone may write, any identity will do.
    fn certificate(
        &mut self,
        hop: Ordinal,
        entry: &Entry,
        device: AuthorId,
        role: Role,
        added: Option<AuthorId>,
    ) -> Result<(), Refusal> {
        let identity = self.logs.charter(&entry.op().log).map_err(|_| Refusal::Path)?;
        if identity.kind != Kind::Identity || self.first.kind == Kind::Identity {
            return Err(Refusal::Path);
        }
        let is_root = !identity.roots.is_empty()
            && identity.roots.iter().all(|root| self.first.is_root(root) || added == Some(*root))
            && added.is_none_or(|added| identity.is_root(&added));
        if is_root {
            self.standing.level = 0;
            self.standing.roots.clone_from(&identity.roots);
        } else if added.is_some() || !self.first.policy.is_open() {
            return Err(Refusal::Path);
        }
        self.name(hop, entry, Subject::Key(device), role);
        self.standing.identity = Some(identity.log);
        self.at = At::Key(device);
        Ok(())
    }

    fn end(mut self, author: &AuthorId) -> Result<Standing, Unsettled> {
        let is_alone = self.standing.hops.is_empty();
        match self.at {
            At::Key(key) | At::Root(key) if key == *author => {}
            At::Inside if is_alone && self.first.is_root(author) => {
                self.standing.level = 0;
                self.standing.roots = vec![*author];
            }
            At::Inside if is_alone && self.first.policy.is_open() => self.standing.role = Role::Writer,
            _ => return Err(Refusal::Path.into()),
        }
        Ok(self.standing)
    }

    fn name(&mut self, hop: Ordinal, entry: &Entry, subject: Subject, role: Role) {
        let level = entry.standing.level.saturating_add(1);
        self.standing.namings.push(Naming { subject, log: entry.op().log, hop: Some(hop), level });
        self.standing.role = self.standing.role.min(role);
    }
}
