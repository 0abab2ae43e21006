//! Who has a name in a space: said with sets, of all claims and all witnesses, each time anew.

use std::collections::{BTreeMap, BTreeSet};

use crate::validity::Validity;
use crate::world::{Action, Kind, LogId, Operation, OperationId, Person, World};

/// Who claims a name, and for what.
pub type Claim = (Person, LogId);

/// What becomes of a name that somebody claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Naming {
    /// One claims it, and nobody has witnessed that.
    Unconfirmed(Claim),
    /// The most senior witnesses agree.
    Confirmed(Claim),
    /// Nothing decides.
    Contested(BTreeSet<Claim>),
}

/// Every claimed name of every space.
pub(crate) fn names(world: &World, validity: &Validity<'_>) -> BTreeMap<(LogId, u32), Naming> {
    let mut claims: BTreeMap<(LogId, u32), Vec<&Operation>> = BTreeMap::new();
    for operation in validity.valid() {
        if let Action::Name { name, .. } = operation.action {
            claims.entry((operation.log, name)).or_default().push(operation);
        }
    }
    claims.retain(|(log, _), _| world.logs.iter().any(|known| known.id == *log && known.kind == Kind::Space));
    claims.into_iter().map(|(name, claims)| (name, judge(validity, name.0, &claims))).collect()
}

fn judge(validity: &Validity<'_>, space: LogId, claims: &[&Operation]) -> Naming {
    let witnessed = witnessed(validity, space, claims);
    let is_left = |claim: &&&Operation| witnessed.is_empty() || witnessed.contains(&person(validity, claim));
    let left: Vec<&Operation> = claims.iter().filter(is_left).copied().collect();
    let standing: BTreeSet<Claim> = left
        .iter()
        .filter(|claim| !left.iter().any(|later| supersedes(validity, later, claim)))
        .filter_map(|claim| Some((person(validity, claim), target(claim)?)))
        .collect();
    match standing.first() {
        Some(only) if standing.len() == 1 && witnessed.is_empty() => Naming::Unconfirmed(*only),
        Some(only) if standing.len() == 1 => Naming::Confirmed(*only),
        _ => Naming::Contested(standing),
    }
}

/// Whose claims the most senior witnesses confirm, each by what it said first.
fn witnessed(validity: &Validity<'_>, space: LogId, claims: &[&Operation]) -> BTreeSet<Person> {
    let named = |witness: &Operation| -> BTreeSet<OperationId> {
        match &witness.action {
            Action::Witness { names } => names.iter().copied().collect(),
            _ => BTreeSet::new(),
        }
    };
    let level = |witness: &Operation| validity.authority.level(witness.id);
    let is_of_name = |by: &&Operation| by.log == space && claims.iter().any(|claim| named(by).contains(&claim.id));
    let all: Vec<&Operation> = validity.valid().filter(is_of_name).collect();
    let most_senior = all.iter().map(|witness| level(witness)).min();
    let senior: Vec<&Operation> = all.into_iter().filter(|witness| Some(level(witness)) == most_senior).collect();
    let is_first = |witness: &&&Operation| !senior.iter().any(|earlier| supersedes(validity, witness, earlier));
    let confirmed: BTreeSet<OperationId> = senior.iter().filter(is_first).flat_map(|witness| named(witness)).collect();
    claims.iter().filter(|claim| confirmed.contains(&claim.id)).map(|claim| person(validity, claim)).collect()
}

/// Whether both are by one person, and one follows on the other.
fn supersedes(validity: &Validity<'_>, later: &Operation, earlier: &Operation) -> bool {
    person(validity, later) == person(validity, earlier) && validity.authority.known.is_past(earlier.id, later.id)
}

fn target(claim: &Operation) -> Option<LogId> {
    match claim.action {
        Action::Name { target, .. } => Some(target),
        _ => None,
    }
}

fn person(validity: &Validity<'_>, operation: &Operation) -> Person {
    match validity.authority.of_operation(operation.id) {
        Some(Ok(chain)) => chain.identity.map_or(Person::Key(operation.author), Person::Identity),
        _ => Person::Key(operation.author),
    }
}
