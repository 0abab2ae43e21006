//! What judging one more change costs on top of the validator, while the rules stay as they are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pistol_acl::record::{AclOp, Action, Role, Subject};
use pistol_acl::{Access, AccessPolicy, Charter, Held, Kind as LogKind, SignedOp, State, Summary};
use pistol_core::chain::ChainId;
use pistol_core::document::{Document, EditAs};
use pistol_core::envelope::Linked;
use pistol_core::genesis::{Genesis, Insert, Policy};
use pistol_core::id::{ChangeId, DocumentId, Session};
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

/// A document with members, each change of which cites its author's grant.
pub(crate) fn of_members(count: usize) -> Outcome<Figure> {
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
    let action = Action::Grant { to: Subject::Key(member.id()), role: Role::Writer };
    let op = AclOp { log, author: root.id(), proof: vec![], prev: vec![], own: None, action };
    let grant = SignedOp::sign(&root, &op)?;
    let cited = grant.id();
    if !matches!(access.hold(grant), Held::Entered(_)) {
        return Err("the grant was refused".into());
    }
    access.settle();
    let id = |number: usize| {
        let mut id = [0; 32];
        id.iter_mut().zip(number.to_le_bytes()).for_each(|(byte, of)| *byte = of);
        ChangeId(id)
    };
    let summary = |number: usize| Summary {
        id: id(number),
        author: member.id(),
        deps: number.checked_sub(1).map(id).into_iter().collect(),
        authority: vec![cited],
    };
    let summaries: Vec<Summary> = (0..count).map(summary).collect();
    let begun = Instant::now();
    for summary in summaries {
        access.add(summary);
    }
    let judged = begun.elapsed();
    let last = count.checked_sub(1).ok_or("nothing to judge")?;
    if access.state(&id(last)) != State::Accepted {
        return Err("a member's change was not accepted".into());
    }
    Ok(Figure::new("access", "fast-path")
        .with("policy", "members")
        .with("changes", count)
        .with("us_per_change", us_each(judged, count)))
}
