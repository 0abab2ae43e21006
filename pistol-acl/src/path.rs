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

/// How far from the roots. Less is more senior.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Height {
    /// Grants between a root and the author.
    pub(crate) level: u32,
    /// Among roots: how many roots, each added by the one before. It orders the judging, and is no seniority.
    pub(crate) rank: u32,
}

impl Height {
    pub(crate) const ROOT: Height = Height { level: 0, rank: 0 };
    /// Somebody without any authority, where anyone may write: junior to everybody.
    pub(crate) const STRANGER: Height = Height { level: u32::MAX, rank: 0 };
}

/// That a path names somebody, as one of its logs sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Naming {
    pub(crate) subject: Subject,
    pub(crate) log: LogId,
    /// The step of the path in that log; `None` if the genesis makes the subject a root there.
    pub(crate) hop: Option<Ordinal>,
    pub(crate) height: Height,
}

/// What an author stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) height: Height,
    /// The weakest role on the path.
    pub(crate) role: Role,
    /// The root key that it stands on, if no grant is between.
    pub(crate) root: Option<AuthorId>,
    /// The identity that the path names: it is the author's for ever, in what cites this path.
    pub(crate) identity: Option<LogId>,
    pub(crate) namings: Vec<Naming>,
    pub(crate) hops: Vec<Ordinal>,
}

impl Standing {
    pub(crate) fn is_stranger(&self) -> bool {
        self.height == Height::STRANGER
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
    #[error("the author has written as many operations into this log as may be")]
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
    /// At a key that was made a root of `here`.
    Root(AuthorId),
    /// At a key; nothing can follow.
    Key(AuthorId),
}

struct Walk<'a> {
    logs: &'a Logs,
    first: &'a Charter,
    here: &'a Charter,
    at: At,
    /// The logs passed, each with the step in it.
    passed: Vec<(LogId, Option<Ordinal>, Height)>,
    nesting: usize,
    standing: Standing,
}

impl<'a> Walk<'a> {
    fn new(logs: &'a Logs, first: &'a Charter) -> Self {
        let standing = Standing {
            height: Height::STRANGER,
            role: Role::Admin,
            root: None,
            identity: None,
            namings: Vec::new(),
            hops: Vec::new(),
        };
        Walk { logs, first, here: first, at: At::Inside, passed: Vec::new(), nesting: 0, standing }
    }

    fn step(&mut self, hop: Ordinal) -> Result<(), Unsettled> {
        let entry = self.logs.entry(hop).ok_or(Refusal::Path)?;
        self.standing.hops.push(hop);
        match (&self.at, &entry.op().action) {
            (At::Inside, Action::Grant { to, role }) if entry.op().log == self.here.log => {
                self.grant(hop, entry, to, *role)
            }
            (At::Inside, Action::AddRoot { key }) if entry.op().log == self.here.log => {
                self.pass(Some(hop), Height { level: 0, rank: entry.standing.height.rank.saturating_add(1) });
                self.name(Subject::Key(*key));
                self.at = At::Root(*key);
                Ok(())
            }
            (At::Inside | At::Root(_), Action::Grant { to: Subject::Key(device), role }) => {
                self.certificate(hop, entry, *device, *role)
            }
            _ => Err(Refusal::Path.into()),
        }
    }

    fn grant(&mut self, hop: Ordinal, entry: &Entry, to: &Subject, role: Role) -> Result<(), Unsettled> {
        self.pass(Some(hop), Height { level: entry.standing.height.level.saturating_add(1), rank: 0 });
        self.name(*to);
        self.standing.role = self.standing.role.min(role);
        let (log, kind) = match to {
            Subject::Key(key) => {
                self.at = At::Key(*key);
                return Ok(());
            }
            Subject::Identity(log) => (log, Kind::Identity),
            Subject::Group(log) => (log, Kind::Group),
            Subject::Space(log) => (log, Kind::Space),
        };
        let charter = self.logs.charter(log)?;
        self.nesting += usize::from(kind != Kind::Identity);
        let is_again = self.passed.iter().any(|(passed, ..)| passed == log);
        // Only what is less than the log itself may decide there: so no two logs can revoke each other's operations.
        if charter.kind != kind || kind >= self.first.kind || is_again || self.nesting > limits::NESTING_MAX {
            return Err(Refusal::Nesting.into());
        }
        if kind == Kind::Identity {
            self.standing.identity = Some(*log);
        }
        self.here = charter;
        Ok(())
    }

    /// A device of an identity whose key is a root of `here`; or, where anyone may write, of any identity.
    fn certificate(&mut self, hop: Ordinal, entry: &Entry, device: AuthorId, role: Role) -> Result<(), Unsettled> {
        let issuer = entry.op().author;
        let identity = self.logs.charter(&entry.op().log)?;
        let is_root = match &self.at {
            At::Root(key) => *key == issuer,
            _ => self.here.is_root(&issuer),
        } && entry.op().proof.is_empty();
        let is_stranger = self.passed.is_empty() && self.here.policy.is_open() && !is_root;
        if identity.kind != Kind::Identity || self.here.kind == Kind::Identity || !(is_root || is_stranger) {
            return Err(Refusal::Path.into());
        }
        if is_stranger {
            self.pass(None, Height::STRANGER);
        } else if matches!(self.at, At::Inside) {
            self.pass(None, Height::ROOT);
            self.name(Subject::Key(issuer));
        }
        self.name(Subject::Identity(identity.log));
        self.standing.identity = Some(identity.log);
        self.standing.role = self.standing.role.min(role);
        self.here = identity;
        self.pass(Some(hop), Height { level: entry.standing.height.level.saturating_add(1), rank: 0 });
        self.name(Subject::Key(device));
        self.at = At::Key(device);
        Ok(())
    }

    fn end(mut self, author: &AuthorId) -> Result<Standing, Unsettled> {
        match self.at {
            At::Key(key) | At::Root(key) if key == *author => {}
            At::Inside if self.here.is_root(author) => {
                self.pass(None, Height::ROOT);
                self.name(Subject::Key(*author));
            }
            At::Inside if self.passed.is_empty() && self.here.policy.is_open() => {
                self.pass(None, Height::STRANGER);
                self.name(Subject::Key(*author));
                self.standing.role = Role::Writer;
            }
            _ => return Err(Refusal::Path.into()),
        }
        Ok(self.standing)
    }

    fn pass(&mut self, hop: Option<Ordinal>, height: Height) {
        if self.passed.is_empty() {
            self.standing.height = height;
        }
        self.passed.push((self.here.log, hop, height));
    }

    /// Every log passed knows the subject by its own step of the path, so each can revoke it for itself.
    fn name(&mut self, subject: Subject) {
        if self.passed.len() == 1
            && self.standing.height.level == 0
            && let Subject::Key(key) = subject
        {
            self.standing.root.get_or_insert(key);
        }
        let naming = |(log, hop, height): &(LogId, Option<Ordinal>, Height)| Naming {
            subject,
            log: *log,
            hop: *hop,
            height: *height,
        };
        self.standing.namings.extend(self.passed.iter().map(naming));
    }
}
