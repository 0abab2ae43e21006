//! Ownership inside a document: rules W1 to W8.
//!
//! A reference names an operation by its chain. So whose something is stands in the change that touches it and in that
//! change's table: nothing in the document is looked up, and the verdict is the same in every past.

use pistol_core::change::{Action, Change, Op, Place, Reference};
use pistol_core::genesis::{Genesis, Insert, Policy};
use pistol_core::key::AuthorId;
use pistol_core::validate::{History, Valid};

/// A rule of first writers. W7 forbids nothing: who deletes a container of their own hides what others put in it. W8: to
/// make an object is to put or insert it, and the same rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// What a put or delete replaces is one's own.
    W1,
    /// A put or delete on an element is on one's own element.
    W2,
    /// A put or delete at a key is in one's own map, or in the root at a key of one's own.
    W3,
    /// An insert is in one's own list or text, unless the document lets all insert anywhere.
    W4,
    /// A mark is in one's own text.
    W5,
    /// An increment is of one's own counter, unless counters are shared.
    W6,
}

/// What a change does to something of somebody else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}; add something of your own instead", self.words())]
pub struct Foreign {
    /// The rule.
    pub law: Law,
    /// Which of the change's operations breaks it, from 0.
    pub operation: usize,
    /// Whose it is; none if nobody may write there, or only the document's roots.
    pub owner: Option<AuthorId>,
    /// The key, if it is at one.
    pub key: Option<String>,
}

impl Foreign {
    fn words(&self) -> String {
        let at = self.key.as_ref().map_or_else(|| "here".to_owned(), |key| format!("at `{key}`"));
        match (self.law, self.owner) {
            (Law::W1, Some(owner)) => format!("{owner} wrote what is {at}, and only they may replace or delete it"),
            (Law::W2, Some(owner)) => format!("{owner} inserted this element, and only they may change or delete it"),
            (Law::W3, Some(owner)) => format!("what is {at} is for {owner} to write, whose map or key it is"),
            (Law::W4, Some(owner)) => format!("{owner} made this list or text, and only they may insert into it"),
            (Law::W5, Some(owner)) => format!("{owner} made this text, and only they may mark it"),
            (Law::W6, Some(owner)) => format!("{owner} set the counter {at}, and only they may add to it"),
            (_, None) => format!("what is {at} is not yours to write: your keys begin with your id and `/`"),
        }
    }
}

/// Checks a valid change by the rules of first writers; documents of other policies have none.
pub(crate) fn check(history: &History, valid: &Valid) -> Result<(), Foreign> {
    let genesis = history.genesis();
    let Policy::FirstWriter { insert, shared_counters, shared_slots } = genesis.terms().policy else { return Ok(()) };
    let table: Vec<Option<AuthorId>> = valid.table().iter().map(|tip| history.author(*tip)).collect();
    let change = valid.change().change();
    let may_insert_anywhere = insert == Insert::Anywhere;
    let judge = Judge { genesis, change, table: &table, may_insert_anywhere, shared_counters, shared_slots };
    change.ops.iter().enumerate().try_for_each(|(operation, op)| {
        judge.check(op).map_err(|(law, owner)| Foreign { law, operation, owner, key: key_of(op) })
    })
}

fn key_of(op: &Op) -> Option<String> {
    match &op.place {
        Place::Key(key) => Some(key.clone()),
        Place::After(_) | Place::At(_) => None,
    }
}

struct Judge<'a> {
    genesis: &'a Genesis,
    change: &'a Change,
    /// Who wrote the changes in the change's table.
    table: &'a [Option<AuthorId>],
    may_insert_anywhere: bool,
    shared_counters: bool,
    shared_slots: bool,
}

/// The rule that is broken, and whose the thing is.
type Broken = (Law, Option<AuthorId>);

impl Judge<'_> {
    fn check(&self, op: &Op) -> Result<(), Broken> {
        match (&op.action, &op.place) {
            (Action::Increment(_), _) if self.shared_counters => Ok(()),
            (Action::Increment(_), _) => self.own_all(Law::W6, &op.pred),
            (Action::MarkBegin(_) | Action::MarkEnd { .. }, _) => self.own_object(Law::W5, op),
            (_, Place::After(_)) if self.may_insert_anywhere => Ok(()),
            (_, Place::After(_)) => self.own_object(Law::W4, op),
            (_, Place::At(element)) => {
                self.own_all(Law::W1, &op.pred)?;
                self.own(Law::W2, *element)
            }
            (_, Place::Key(key)) => {
                self.own_all(Law::W1, &op.pred)?;
                if self.shared_slots { Ok(()) } else { self.own_key(op, key) }
            }
        }
    }

    fn own_key(&self, op: &Op, key: &str) -> Result<(), Broken> {
        if op.object.is_some() {
            return self.own_object(Law::W3, op);
        }
        match KeyOf::of(key) {
            KeyOf::Author(id) if id == *self.change.author.as_bytes() => Ok(()),
            KeyOf::Author(id) => Err((Law::W3, AuthorId::from_bytes(&id).ok())),
            KeyOf::Roots if self.genesis.terms().roots.contains(&self.change.author) => Ok(()),
            KeyOf::Roots | KeyOf::Nobody => Err((Law::W3, None)),
        }
    }

    /// Nobody makes the root, so nothing there is owned by the object.
    fn own_object(&self, law: Law, op: &Op) -> Result<(), Broken> {
        op.object.map_or(Err((law, None)), |object| self.own(law, object))
    }

    fn own_all(&self, law: Law, references: &[Reference]) -> Result<(), Broken> {
        references.iter().try_for_each(|reference| self.own(law, *reference))
    }

    fn own(&self, law: Law, reference: Reference) -> Result<(), Broken> {
        let owner = match reference {
            Reference::Own(_) => return Ok(()),
            Reference::Skeleton(_) => Some(self.genesis.creator()),
            Reference::Entry(entry, _) => {
                usize::try_from(entry).ok().and_then(|entry| self.table.get(entry)).copied().flatten()
            }
        };
        if owner == Some(self.change.author) { Ok(()) } else { Err((law, owner)) }
    }
}

/// Whose a key of the root object is, as the key itself says.
enum KeyOf {
    /// It is an author's id, or begins with one and `/`.
    Author([u8; 32]),
    /// It begins with an id and goes on otherwise.
    Nobody,
    /// Any other.
    Roots,
}

impl KeyOf {
    fn of(key: &str) -> KeyOf {
        match AuthorId::shown_first(key) {
            None => KeyOf::Roots,
            Some((id, rest)) if rest.is_empty() || rest.starts_with('/') => KeyOf::Author(id),
            Some(_) => KeyOf::Nobody,
        }
    }
}
