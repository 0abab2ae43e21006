//! What names cost in a space that has many: to take in the operations that claim and confirm them, one more of these, to ask
//! for one, and to list all.

use std::time::Instant;

use pistol_acl::record::{AclOp, Action, Role, Subject};
use pistol_acl::{Access, AccessPolicy, Charter, Held, Kind, Naming, SignedOp, SpaceName};
use pistol_core::id::{AuthorityId, DocumentId};
use pistol_core::key::AuthorKey;

use crate::Outcome;
use crate::figure::Figure;
use crate::samples::{Samples, milliseconds, us_each};

/// Writers who claim names in turn.
const WRITERS: u8 = 4;
/// Claims that the owner confirms at once.
const CONFIRMED_AT_ONCE: usize = 100;
/// How often one more name is claimed.
const CLAIMED_LATER: usize = 20;

/// A space in which writers claim names and its owner confirms every second one.
struct Space {
    access: Access,
    log: DocumentId,
    /// The owner, and the writers.
    authors: Vec<Author>,
    /// The last operation.
    last: Option<AuthorityId>,
}

struct Author {
    key: AuthorKey,
    proof: Vec<AuthorityId>,
    /// Its own last operation.
    last: Option<AuthorityId>,
}

pub(crate) fn run(count: usize) -> Outcome<Figure> {
    let mut space = Space::new()?;
    let written = space.written(count)?;
    let operations = written.len();
    let begun = Instant::now();
    for signed in written {
        space.enter(signed)?;
    }
    let entered = begun.elapsed();
    let begun = Instant::now();
    space.access.settle();
    let settled = begun.elapsed();
    let asked = space.asked(count)?;
    let begun = Instant::now();
    let listed = space.listed()?;
    let list = begun.elapsed();
    if listed != count {
        return Err(format!("{listed} of {count} names are listed").into());
    }
    let mut later = Samples::default();
    for number in count..count + CLAIMED_LATER {
        let key = &space.authors.last().ok_or("nobody claims")?.key;
        let begun = Instant::now();
        let op = space.access.draft(key.id(), claim(number))?;
        let signed = SignedOp::sign(key, &op)?;
        space.enter(signed)?;
        space.access.settle();
        later.push(begun.elapsed());
    }
    if space.naming(count)? != (false, true) {
        return Err("a name that was claimed later is not claimed".into());
    }
    Ok(Figure::new("access", "names")
        .with("names", count)
        .with("operations", operations)
        .with("us_per_operation", us_each(entered, operations))
        .with("settle_ms", milliseconds(settled))
        .with("claim_ms", milliseconds(later.median()))
        .with("us_per_name", us_each(asked, count))
        .with("list_ms", milliseconds(list)))
}

impl Space {
    fn new() -> Outcome<Space> {
        let (log, owner) = (DocumentId([1; 32]), AuthorKey::from_seed(&[1; 32]));
        let mut access = Access::new(log);
        access.found(Charter {
            log,
            kind: Kind::Space,
            roots: vec![owner.id()],
            creator: owner.id(),
            policy: AccessPolicy::Members,
            is_releasable: true,
            space: None,
        });
        let authors = vec![Author { key: owner, proof: Vec::new(), last: None }];
        let mut space = Space { access, log, authors, last: None };
        for number in 0..WRITERS {
            let key = AuthorKey::from_seed(&[number + 2; 32]);
            let grant = space.sign(0, Action::Grant { to: Subject::Key(key.id()), role: Role::Writer })?;
            space.authors.push(Author { key, proof: vec![grant.id()], last: None });
            space.enter(grant)?;
        }
        space.access.settle();
        Ok(space)
    }

    /// An author's operation after the last one.
    fn sign(&mut self, author: usize, action: Action) -> Outcome<SignedOp> {
        let by = self.authors.get_mut(author).ok_or("no such author")?;
        let mut prev: Vec<AuthorityId> = self.last.into_iter().chain(by.last).collect();
        prev.sort_unstable();
        prev.dedup();
        let own = by.last.and_then(|own| prev.iter().position(|id| *id == own));
        let op = AclOp { log: self.log, author: by.key.id(), proof: by.proof.clone(), prev, own, action };
        let signed = SignedOp::sign(&by.key, &op)?;
        by.last = Some(signed.id());
        self.last = by.last;
        Ok(signed)
    }

    /// The claims of so many names, with the witnesses of every second one in between.
    fn written(&mut self, count: usize) -> Outcome<Vec<SignedOp>> {
        let (mut written, mut unwitnessed) = (Vec::new(), Vec::new());
        for number in 0..count {
            let signed = self.sign(1 + number % usize::from(WRITERS), claim(number))?;
            if number % 2 == 0 {
                unwitnessed.push(signed.id());
            }
            written.push(signed);
            if unwitnessed.len() == CONFIRMED_AT_ONCE || number + 1 == count {
                let mut names = std::mem::take(&mut unwitnessed);
                names.sort_unstable();
                written.push(self.sign(0, Action::Witness { names })?);
            }
        }
        Ok(written)
    }

    fn enter(&mut self, signed: SignedOp) -> Outcome<()> {
        match self.access.hold(signed) {
            Held::Entered(_) => Ok(()),
            other => Err(format!("an operation did not enter: {other:?}").into()),
        }
    }

    /// Asks for each name, which must be as it was written.
    fn asked(&self, count: usize) -> Outcome<std::time::Duration> {
        let begun = Instant::now();
        for number in 0..count {
            if self.naming(number)? != (number % 2 == 0, number % 2 == 1) {
                return Err(format!("{} is not as it was claimed", name(number)).into());
            }
        }
        Ok(begun.elapsed())
    }

    /// Whether a name is confirmed, and whether it is claimed only.
    fn naming(&self, number: usize) -> Outcome<(bool, bool)> {
        let naming = self.access.name(&self.log, &name(number).parse()?);
        Ok((matches!(naming, Naming::Confirmed(_)), matches!(naming, Naming::Unconfirmed(_))))
    }

    fn listed(&self) -> Outcome<usize> {
        let mut listed: Vec<SpaceName> = Vec::new();
        loop {
            let more = self.access.names(&self.log, listed.last());
            if more.is_empty() {
                return Ok(listed.len());
            }
            listed.extend(more.into_iter().map(|(name, _)| name));
        }
    }
}

fn name(number: usize) -> String {
    format!("name-{number:06}")
}

fn claim(number: usize) -> Action {
    Action::Name { name: name(number), target: DocumentId([7; 32]) }
}
