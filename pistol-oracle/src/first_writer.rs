//! Ownership inside a document: the rules W1 to W8, on what a change does as plain data.

use crate::world::{Author, Insert, Person, Policy};

/// What is done. A put that makes an object is a put like others (W8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Sets a value, or makes an object, at a key or element.
    Put,
    /// Deletes what is at a key or element.
    Delete,
    /// Inserts a value, or makes an object, in a list or text.
    Insert,
    /// Marks or unmarks a stretch of text.
    Mark,
    /// Adds to a counter.
    Increment,
}

/// A key of the root object, as far as it says whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A person's id.
    Id(Person),
    /// A person's id, a slash, and more.
    Under(Person, u8),
    /// A person's id and more, but no slash.
    Beside(Person, u8),
    /// Anything else.
    Plain(u8),
}

/// An element of a list or text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Element {
    /// Who inserted it.
    pub creator: Person,
}

/// Where it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// At a key of the root object, which nobody created.
    Root(Key),
    /// At a key of a map.
    Map {
        /// Who made the map.
        object_creator: Person,
    },
    /// At an element of a list or text; for an insert, after it.
    Sequence {
        /// Who made the list or text.
        object_creator: Person,
        /// The element, if there is one.
        element: Option<Element>,
    },
}

/// One thing that a change does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// What.
    pub verb: Verb,
    /// Where.
    pub place: Place,
    /// Who wrote the values that it replaces, deletes or adds to.
    pub pred_authors: Vec<Person>,
}

/// The rules of first writers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// What a put or delete replaces is one's own.
    W1,
    /// A put or delete on an element is on one's own element.
    W2,
    /// A put or delete at a key is in one's own map, or in the root at a key of one's own.
    W3,
    /// An insert is in one's own list or text, unless the policy says anywhere.
    W4,
    /// A mark is in one's own text.
    W5,
    /// An increment is of one's own counter, unless counters are shared.
    W6,
}

/// The rules that a person breaks who writes so. W7 forbids nothing: who deletes a container of one's own hides what others
/// put in it. W8 is in what a [`Verb::Put`] is.
pub fn broken_rules(policy: Policy, roots: &[Author], person: Person, write: &Write) -> Vec<Rule> {
    let Policy::FirstWriter { insert, shared_counters, shared_slots, .. } = policy else { return Vec::new() };
    let replaces_own = write.pred_authors.iter().all(|author| *author == person);
    let owns_object = match write.place {
        Place::Root(_) => false,
        Place::Map { object_creator } | Place::Sequence { object_creator, .. } => object_creator == person,
    };
    let rules: &[(Rule, bool)] = match write.verb {
        Verb::Put | Verb::Delete => {
            let (rule, is_obeyed) = at_own_place(roots, person, write.place);
            &[(Rule::W1, replaces_own), (rule, is_obeyed || (rule == Rule::W3 && shared_slots))]
        }
        Verb::Insert => &[(Rule::W4, insert == Insert::Anywhere || owns_object)],
        Verb::Mark => &[(Rule::W5, owns_object)],
        Verb::Increment => &[(Rule::W6, shared_counters || replaces_own)],
    };
    rules.iter().filter(|(_, is_obeyed)| !is_obeyed).map(|(rule, _)| *rule).collect()
}

/// W2 and W3: whether a put or delete is at a place of one's own.
fn at_own_place(roots: &[Author], person: Person, place: Place) -> (Rule, bool) {
    match place {
        Place::Sequence { element, .. } => (Rule::W2, element.is_some_and(|element| element.creator == person)),
        Place::Map { object_creator } => (Rule::W3, object_creator == person),
        Place::Root(Key::Id(owner) | Key::Under(owner, _)) => (Rule::W3, owner == person),
        Place::Root(Key::Beside(..)) => (Rule::W3, false),
        Place::Root(Key::Plain(_)) => (Rule::W3, roots.iter().any(|root| Person::Key(*root) == person)),
    }
}
