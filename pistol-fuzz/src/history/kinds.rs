//! Every kind of mutation, by name, with what must become of the mutated change.

mod chain;
mod counts;
mod dependencies;
mod marks;
mod places;
mod predecessors;
mod references;
mod table;
mod values;

use super::draft::Draft;
use super::forge::Forge;

/// What must become of a change, on every replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It is odd, and legal.
    Accepted,
    /// It is refused, at the door or by the validator, or waits for ever.
    Refused,
    /// Either, but the same everywhere.
    Either,
}

/// One kind of mutation.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name, for people and for replaying.
    pub name: &'static str,
    /// What must become of the change. Scenes say it for each of their changes.
    pub expected: Expected,
    pub(super) make: Make,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({:?})", self.name, self.expected)
    }
}

/// How the mutated history is made.
#[derive(Clone, Copy)]
pub(super) enum Make {
    /// A good change is altered before it is signed.
    Alter(fn(&mut Draft)),
    /// Several changes, or a good one in a bad place.
    Scene(fn(&mut Forge<'_>)),
}

const fn refused(name: &'static str, alter: fn(&mut Draft)) -> Kind {
    Kind { name, expected: Expected::Refused, make: Make::Alter(alter) }
}

const fn accepted(name: &'static str, alter: fn(&mut Draft)) -> Kind {
    Kind { name, expected: Expected::Accepted, make: Make::Alter(alter) }
}

const fn either(name: &'static str, alter: fn(&mut Draft)) -> Kind {
    Kind { name, expected: Expected::Either, make: Make::Alter(alter) }
}

const fn scene(name: &'static str, scene: fn(&mut Forge<'_>)) -> Kind {
    Kind { name, expected: Expected::Either, make: Make::Scene(scene) }
}

/// All kinds.
pub fn all() -> Vec<Kind> {
    let tables = [
        chain::KINDS,
        dependencies::KINDS,
        table::KINDS,
        references::KINDS,
        places::KINDS,
        marks::KINDS,
        predecessors::KINDS,
        values::KINDS,
        counts::KINDS,
    ];
    tables.concat()
}
