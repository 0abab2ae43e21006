//! What judging one more change costs on top of the validator, while the rules stay as they are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pistol_acl::record::{Action, Role, Subject};
use pistol_acl::{Access, AccessPolicy, Charter, Held, Kind as LogKind, SignedOp, State, Summary};
use pistol_core::chain::ChainId;
use pistol_core::document::{Document, EditAs};
use pistol_core::envelope::Linked;
use pistol_core::genesis::{Genesis, Insert, Policy};
use pistol_core::id::{AuthorityId, ChangeId, DocumentId, Session};
use pistol_core::key::AuthorKey;
use pistol_core::validate::Check;

use crate::Outcome;
use crate::figure::Figure;
use crate::genesis::genesis;
use crate::samples::us_each;

/// Authors who write in turn.
const AUTHORS: u8 = 4;

/// A document of first writers, in which each change names something of another author.
pub(crate) fn of_first_writers(count: usize) -> Outcome<Figure> {
    let (genesis, changes) = written(count)?;
    let mut document = Document::new(genesis)?;
    let (mut checked, mut judged) = (Duration::ZERO, Duration::ZERO);
    for change in &changes {
        let begun = Instant::now();
        let Check::Valid(valid) = document.check(change) else { return Err("a change was refused".into()) };
        checked += begun.elapsed();
        let begun = Instant::now();
        let admitted = pistol_acl::judge(document.history(), *valid)?;
        judged += begun.elapsed();
        let begun = Instant::now();
        document.accept(admitted.into_valid())?;
        checked += begun.elapsed();
    }
    Ok(Figure::new("access", "fast-path")
        .with("policy", "first-writer")
        .with("changes", changes.len())
        .with("us_per_change", us_each(judged, changes.len()))
        .with("validator_us", us_each(checked, changes.len())))
}

fn written(count: usize) -> Outcome<(Arc<Genesis>, Vec<Linked>)> {
    let keys: Vec<AuthorKey> = (1..=AUTHORS).map(|number| AuthorKey::from_seed(&[number; 32])).collect();
    let policy = Policy::FirstWriter { insert: Insert::Anywhere, shared_counters: false, shared_slots: false };
    let genesis = genesis(keys.first().ok_or("nobody writes")?, policy, |doc| doc.list("messages"))?;
    let mut document = Document::new(Arc::clone(&genesis))?;
    let mut changes = Vec::with_capacity(count);
    for (key, time_ms) in keys.iter().cycle().zip(1_700_000_000_000..).take(count) {
        let chain = ChainId { author: key.id(), session: Session(1) };
        let by = EditAs { chain, time_ms, message: None, authority: &[], judge: pistol_acl::allow };
        // A message after the last one, which somebody else wrote.
        let made = document.edit(&by, |doc| doc.list("messages").push("a message of some words"))?;
        changes.extend(made.changes.into_iter().map(|accepted| accepted.change));
    }
    Ok((genesis, changes))
}

/// A document of a root and a member, each change of whom cites the grant.
pub(super) struct Team {
    pub(super) access: Access,
    pub(super) log: DocumentId,
    pub(super) member: AuthorKey,
    root: AuthorKey,
    grant: AuthorityId,
}

impl Team {
    pub(super) fn new() -> Outcome<Team> {
        let (root, member) = (AuthorKey::from_seed(&[1; 32]), AuthorKey::from_seed(&[2; 32]));
        let log = DocumentId([1; 32]);
        let mut access = Access::new(log);
        access.found(Charter {
            log,
            kind: LogKind::Document,
            roots: vec![root.id()],
            creator: root.id(),
            policy: AccessPolicy::Members,
            is_releasable: true,
            space: None,
        });
        let mut team = Team { access, log, member, root, grant: AuthorityId([0; 32]) };
        let grant = team.operation(Action::Grant { to: Subject::Key(team.member.id()), role: Role::Writer })?;
        team.grant = grant.id();
        if !matches!(team.access.hold(grant), Held::Entered(_)) {
            return Err("the grant was refused".into());
        }
        team.access.settle();
        Ok(team)
    }

    /// An operation of the root's on all that is known.
    pub(super) fn operation(&self, action: Action) -> Outcome<SignedOp> {
        let draft = self.access.draft(self.root.id(), action)?;
        Ok(SignedOp::sign(&self.root, &draft)?)
    }

    /// The member's change of a number, after the one before.
    pub(super) fn summary(&self, number: usize) -> Summary {
        Summary {
            id: change(number),
            author: self.member.id(),
            deps: number.checked_sub(1).map(change).into_iter().collect(),
            authority: vec![self.grant],
        }
    }
}

/// The id of the change of a number: no two numbers are alike in their first bytes, as no two hashes are.
pub(super) fn change(number: usize) -> ChangeId {
    let mut id = [0; 32];
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    id.iter_mut().zip(mixed.to_be_bytes()).for_each(|(byte, of)| *byte = of);
    ChangeId(id)
}

/// A document with members, each change of which cites its author's grant.
pub(crate) fn of_members(count: usize) -> Outcome<Figure> {
    let mut team = Team::new()?;
    let summaries: Vec<Summary> = (0..count).map(|number| team.summary(number)).collect();
    let begun = Instant::now();
    for summary in summaries {
        team.access.add(summary);
    }
    let judged = begun.elapsed();
    let last = count.checked_sub(1).ok_or("nothing to judge")?;
    if team.access.state(&change(last)) != State::Accepted {
        return Err("a member's change was not accepted".into());
    }
    Ok(Figure::new("access", "fast-path")
        .with("policy", "members")
        .with("changes", count)
        .with("us_per_change", us_each(judged, count)))
}
