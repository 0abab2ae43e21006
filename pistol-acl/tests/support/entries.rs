//! Random histories of a document of first writers, by honest and hostile authors, with what the oracle says of each change.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pistol_core::change::{Action, Kind as ObjectKind, Mark, Op, Place, Reference, Scalar};
use pistol_core::document::Document;
use pistol_core::envelope::VerifiedChange;
use pistol_core::genesis::{Genesis, Insert, Kind, Limits, Policy, Read, Terms};
use pistol_core::id::ChangeId;
use pistol_core::validate::Check;
use pistol_oracle::{self as oracle, Author, Chance, Element, Key, Person, Rule, Verb, Write, broken_rules};

use super::hand::{Hand, at_key, key};

/// Authors, the creator first; the last two are hostile.
const AUTHORS: u8 = 5;

/// A change, and what must become of it.
pub struct Written {
    pub signed: VerifiedChange,
    /// It and everything before it.
    past: BTreeSet<usize>,
    deps: Vec<usize>,
    /// The first operation that breaks a rule, and the rule.
    pub broken: Option<(usize, Rule)>,
    /// Whether every change in its past is good.
    pub is_ready: bool,
}

impl Written {
    pub fn is_good(&self) -> bool {
        self.is_ready && self.broken.is_none()
    }
}

struct Chain {
    hand: Hand,
    operations: u32,
    past: BTreeSet<usize>,
    is_hostile: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Object(ObjectKind),
    Value,
    Counter,
    Other,
}

#[derive(Clone, PartialEq, Eq)]
enum At {
    Key(String),
    Element(usize),
    New,
}

impl At {
    fn key(&self) -> Option<String> {
        match self {
            At::Key(key) => Some(key.clone()),
            At::Element(_) | At::New => None,
        }
    }
}

/// An operation that was made, as later ones may name it.
#[derive(Clone)]
struct Made {
    /// None in the skeleton.
    chain: Option<usize>,
    change: Option<usize>,
    number: u32,
    author: u8,
    object: Option<usize>,
    at: At,
    form: Form,
}

/// An operation that names others by their index.
struct Loose {
    object: Option<usize>,
    place: LoosePlace,
    action: Action,
    pred: Vec<usize>,
}

enum LoosePlace {
    Key(String),
    After(Option<usize>),
    At(usize),
}

/// A history.
pub struct Entries {
    pub genesis: Arc<Genesis>,
    pub changes: Vec<Written>,
    policy: oracle::Policy,
    chance: Chance,
    chains: Vec<Chain>,
    made: Vec<Made>,
    /// Takes everything that is well formed.
    lax: Document,
}

impl Entries {
    pub fn random(seed: u64) -> Self {
        Entries::of(seed, 24)
    }

    /// A history of at most so many changes.
    pub fn of(seed: u64, steps: usize) -> Self {
        let mut chance = Chance::new(seed);
        let (is_own_object, shared_counters, shared_slots) = (chance.one_in(3), chance.one_in(3), chance.one_in(4));
        let insert = if is_own_object { Insert::OwnObject } else { Insert::Anywhere };
        let genesis = genesis(Policy::FirstWriter { insert, shared_counters, shared_slots });
        let insert = if is_own_object { oracle::Insert::OwnObject } else { oracle::Insert::Anywhere };
        let policy = oracle::Policy::FirstWriter { insert, shared_counters, members_only: false, shared_slots };
        let chain = |number: u8, session| Chain {
            hand: Hand::new(genesis.id(), number, session),
            operations: 0,
            past: BTreeSet::new(),
            is_hostile: number + 2 >= AUTHORS,
        };
        let mut chains: Vec<Chain> = (0..AUTHORS).map(|number| chain(number, 1)).collect();
        chains.push(chain(1, 2));
        let lax = Document::new(Arc::clone(&genesis)).unwrap();
        let made = [ObjectKind::Text, ObjectKind::List, ObjectKind::Map].into_iter().zip(0..);
        let made = made.map(|(kind, number)| Made {
            chain: None,
            change: None,
            number,
            author: 0,
            object: None,
            at: At::Key(["body", "list", "map"][number as usize].to_owned()),
            form: Form::Object(kind),
        });
        let made = made.collect();
        let mut entries = Entries { genesis, changes: vec![], policy, chance, chains, made, lax };
        for _ in 0..steps {
            entries.step();
        }
        entries
    }

    fn step(&mut self) {
        let chain = self.chance.below(self.chains.len());
        if self.chance.one_in(2) {
            self.exchange(chain);
        }
        let known = self.made.len();
        let count = 1 + self.chance.below(3);
        let mut ops = Vec::new();
        for _ in 0..count {
            ops.extend(self.any_operations(chain));
        }
        if ops.is_empty() || !self.write(chain, &ops) {
            self.made.truncate(known);
        }
    }

    /// A chain's author hears of what another one knows; the honest take in what is good.
    fn exchange(&mut self, chain: usize) {
        let other = self.chance.below(self.chains.len());
        let is_taken = |change: &usize| self.chains[chain].is_hostile || self.changes[*change].is_good();
        let heard: BTreeSet<usize> = self.chains[other].past.iter().copied().filter(is_taken).collect();
        self.chains[chain].past.extend(heard);
    }

    fn visible(&self, chain: usize) -> Vec<usize> {
        let past = &self.chains[chain].past;
        let is_visible =
            |made: &Made| made.change.is_none_or(|change| past.contains(&change) || change == self.changes.len());
        (0..self.made.len()).filter(|index| is_visible(&self.made[*index])).collect()
    }

    fn note(&mut self, chain: usize, object: Option<usize>, at: At, form: Form, before: usize) -> usize {
        let pending = self.made.iter().filter(|made| made.change == Some(self.changes.len())).count();
        let number = self.chains[chain].operations + (pending + before) as u32;
        let (author, change) = (self.chains[chain].hand.number, Some(self.changes.len()));
        self.made.push(Made { chain: Some(chain), change, number, author, object, at, form });
        self.made.len() - 1
    }

    fn any_operations(&mut self, chain: usize) -> Vec<Loose> {
        let visible = self.visible(chain);
        let is_object = |index: &usize| matches!(self.made[*index].form, Form::Object(_));
        let objects: Vec<Option<usize>> =
            std::iter::once(None).chain(visible.iter().copied().filter(is_object).map(Some)).collect();
        let object = self.chance.pick(&objects).unwrap();
        match object.map(|object| self.made[object].form) {
            None | Some(Form::Object(ObjectKind::Map)) => self.in_map(chain, object, &visible),
            Some(Form::Object(ObjectKind::List)) => self.in_sequence(chain, object.unwrap(), &visible, false),
            _ => self.in_sequence(chain, object.unwrap(), &visible, true),
        }
    }

    fn in_map(&mut self, chain: usize, object: Option<usize>, visible: &[usize]) -> Vec<Loose> {
        let used = visible.iter().filter(|index| self.made[**index].object == object);
        let used: Vec<String> = used.filter_map(|index| self.made[*index].at.key()).collect();
        let own = key_of(self.chains[chain].hand.number);
        let (mut all, mut owns): (Vec<String>, Vec<String>) =
            (keys().into_keys().collect(), keys().into_keys().collect());
        owns.retain(|key| key.starts_with(&own));
        all.extend(used.iter().cloned());
        let keys = match self.chance.below(3) {
            0 if !used.is_empty() => used,
            1 => all,
            _ => owns,
        };
        let key = self.chance.pick(&keys).unwrap();
        let at = At::Key(key.clone());
        self.put_or_delete(chain, object, &at, LoosePlace::Key(key), visible).into_iter().collect()
    }

    fn in_sequence(&mut self, chain: usize, object: usize, visible: &[usize], is_text: bool) -> Vec<Loose> {
        let is_element = |index: &usize| self.made[*index].object == Some(object) && self.made[*index].at == At::New;
        let elements: Vec<usize> = visible.iter().copied().filter(is_element).collect();
        let element = self.chance.pick(&elements);
        match (self.chance.below(4), element) {
            (0, _) if is_text => {
                let begin = Action::MarkBegin(Box::new(Mark {
                    name: "bold".to_owned(),
                    value: Scalar::Bool(true),
                    expand: false,
                }));
                self.note(chain, Some(object), At::New, Form::Other, 0);
                self.note(chain, Some(object), At::New, Form::Other, 0);
                let mark =
                    |action| Loose { object: Some(object), place: LoosePlace::After(element), action, pred: vec![] };
                vec![mark(begin), mark(Action::MarkEnd { expand: false })]
            }
            (1 | 2, Some(element)) if self.made[element].form != Form::Other => {
                let at = At::Element(element);
                self.put_or_delete(chain, Some(object), &at, LoosePlace::At(element), visible).into_iter().collect()
            }
            _ => {
                let (action, form) = self.any_value(is_text);
                self.note(chain, Some(object), At::New, form, 0);
                vec![Loose { object: Some(object), place: LoosePlace::After(element), action, pred: vec![] }]
            }
        }
    }

    fn any_value(&mut self, is_text: bool) -> (Action, Form) {
        let make = |kind| (Action::Make(kind), Form::Object(kind));
        match self.chance.below(if is_text { 2 } else { 7 }) {
            0 if is_text => make(ObjectKind::Map),
            0 | 1 => (Action::Put(Scalar::Text("x".to_owned())), Form::Value),
            2 | 3 => (Action::Put(Scalar::Counter(1)), Form::Counter),
            4 => make(ObjectKind::Map),
            5 => make(ObjectKind::List),
            _ => make(ObjectKind::Text),
        }
    }

    /// At a key or element: any values there as predecessors, none too.
    fn put_or_delete(
        &mut self,
        chain: usize,
        object: Option<usize>,
        at: &At,
        place: LoosePlace,
        visible: &[usize],
    ) -> Option<Loose> {
        let made = &self.made;
        let is_here = |index: &usize| {
            let value = &made[*index];
            value.object == object && value.form != Form::Other && (value.at == *at || *at == At::Element(*index))
        };
        let here: Vec<usize> = visible.iter().copied().filter(is_here).collect();
        let counters: Vec<usize> = here.iter().copied().filter(|index| made[*index].form == Form::Counter).collect();
        let (action, form, pred) = match self.chance.below(4) {
            0 => (Action::Delete, Form::Other, self.chance.some_of(&here, 2)),
            1 | 2 if !counters.is_empty() => {
                (Action::Increment(1), Form::Other, self.chance.pick(&counters).into_iter().collect())
            }
            _ => {
                let (action, form) = self.any_value(false);
                (action, form, self.chance.some_of(&here, 2))
            }
        };
        if pred.is_empty() && form == Form::Other {
            return None;
        }
        self.note(chain, object, at.clone(), form, 0);
        Some(Loose { object, place, action, pred })
    }

    /// Signs operations as the next change of a chain. `false` if they are not well formed.
    fn write(&mut self, chain: usize, loose: &[Loose]) -> bool {
        let table = self.table(chain, loose);
        let ids: Vec<ChangeId> = table.values().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let refer = |index: usize| {
            let made = &self.made[index];
            match made.chain {
                Some(of) if of == chain => Reference::Own(made.number),
                None => Reference::Skeleton(made.number),
                Some(of) => Reference::Entry(ids.binary_search(&table[&of]).unwrap() as u32, made.number),
            }
        };
        let op = |loose: &Loose| {
            let mut pred: Vec<Reference> = loose.pred.iter().map(|index| refer(*index)).collect();
            pred.sort_unstable();
            let place = match &loose.place {
                LoosePlace::Key(key) => at_key(key),
                LoosePlace::After(element) => Place::After(element.map(refer)),
                LoosePlace::At(element) => Place::At(refer(*element)),
            };
            Op { object: loose.object.map(refer), place, action: loose.action.clone(), pred }
        };
        let ops: Vec<Op> = loose.iter().map(op).collect();
        let past = self.chains[chain].past.clone();
        let is_head = |change: &usize| !past.iter().any(|other| self.changes[*other].deps.contains(change));
        let deps: Vec<usize> = past.iter().copied().filter(is_head).collect();
        let others: Vec<ChangeId> = deps.iter().map(|dep| self.changes[*dep].signed.id()).collect();
        let signed = self.chains[chain].hand.clone().write(&others, &ids, ops);
        let Check::Valid(valid) = self.lax.check(&signed) else { return false };
        let broken = self.broken(chain, loose);
        let is_ready = past.iter().all(|change| self.changes[*change].is_good());
        let hand = &mut self.chains[chain];
        if !hand.is_hostile && broken.is_some() {
            return self.give_apart(signed, past, deps, broken, is_ready);
        }
        self.lax.accept(*valid).unwrap();
        hand.operations += loose.len() as u32;
        (hand.hand.seq, hand.hand.link, hand.hand.last) = (signed.change().seq, signed.link(), Some(signed.id()));
        hand.past.insert(self.changes.len());
        self.push(signed, past, deps, broken, is_ready);
        true
    }

    /// An honest author's node does not make such a change: it is given to the readers, and nobody builds on it.
    fn give_apart(
        &mut self,
        signed: VerifiedChange,
        past: BTreeSet<usize>,
        deps: Vec<usize>,
        broken: Option<(usize, Rule)>,
        is_ready: bool,
    ) -> bool {
        self.push(signed, past, deps, broken, is_ready);
        false
    }

    fn push(
        &mut self,
        signed: VerifiedChange,
        mut past: BTreeSet<usize>,
        deps: Vec<usize>,
        broken: Option<(usize, Rule)>,
        is_ready: bool,
    ) {
        past.insert(self.changes.len());
        self.changes.push(Written { signed, past, deps, broken, is_ready });
    }

    /// Of each other chain that is named the last change that the author saw.
    fn table(&self, chain: usize, loose: &[Loose]) -> BTreeMap<usize, ChangeId> {
        let place = |op: &Loose| match op.place {
            LoosePlace::Key(_) | LoosePlace::After(None) => None,
            LoosePlace::After(Some(element)) | LoosePlace::At(element) => Some(element),
        };
        let named = loose.iter().flat_map(|op| op.object.into_iter().chain(place(op)).chain(op.pred.iter().copied()));
        let chains: BTreeSet<usize> =
            named.filter_map(|index| self.made[index].chain).filter(|of| *of != chain).collect();
        let last = |of: &usize| {
            let hand = &self.chains[*of].hand;
            let is_of = |change: &&usize| {
                let change = self.changes[**change].signed.change();
                (change.author, change.session) == (key(hand.number).id(), hand.session)
            };
            let last =
                self.chains[chain].past.iter().filter(is_of).max_by_key(|c| self.changes[**c].signed.change().seq);
            self.changes[*last.unwrap()].signed.id()
        };
        chains.iter().map(|of| (*of, last(of))).collect()
    }

    fn broken(&self, chain: usize, loose: &[Loose]) -> Option<(usize, Rule)> {
        let person = person(self.chains[chain].hand.number);
        let first = |op: &Loose| broken_rules(self.policy, &[Author(0)], person, &self.told(op)).first().copied();
        loose.iter().enumerate().find_map(|(number, op)| first(op).map(|rule| (number, rule)))
    }

    /// An operation in the oracle's words.
    fn told(&self, op: &Loose) -> Write {
        let by = |index: usize| person(self.made[index].author);
        let verb = match (&op.action, &op.place) {
            (Action::Increment(_), _) => Verb::Increment,
            (Action::MarkBegin(_) | Action::MarkEnd { .. }, _) => Verb::Mark,
            (Action::Delete, _) => Verb::Delete,
            (_, LoosePlace::After(_)) => Verb::Insert,
            _ => Verb::Put,
        };
        let element = |element: Option<usize>| element.map(|element| Element { creator: by(element) });
        let place = match (op.object, &op.place) {
            (None, LoosePlace::Key(key)) => oracle::Place::Root(keys()[key]),
            (Some(object), LoosePlace::Key(_)) => oracle::Place::Map { object_creator: by(object) },
            (Some(object), LoosePlace::After(after)) => {
                oracle::Place::Sequence { object_creator: by(object), element: element(*after) }
            }
            (Some(object), LoosePlace::At(at)) => {
                oracle::Place::Sequence { object_creator: by(object), element: element(Some(*at)) }
            }
            (None, _) => panic!("the root is a map"),
        };
        Write { verb, place, pred_authors: op.pred.iter().map(|pred| by(*pred)).collect() }
    }
}

fn person(number: u8) -> Person {
    Person::Key(Author(number.into()))
}

fn key_of(number: u8) -> String {
    key(number).id().to_string()
}

/// The keys that are written, with whose they are.
fn keys() -> BTreeMap<String, Key> {
    let of = |number: u8| {
        let (id, person) = (key_of(number), person(number));
        [
            (id.clone(), Key::Id(person)),
            (format!("{id}/x"), Key::Under(person, 0)),
            (format!("{id}x"), Key::Beside(person, 0)),
        ]
    };
    let plain =
        [("a", 0), ("body", 1), ("list", 2), ("map", 3)].map(|(key, number)| (key.to_owned(), Key::Plain(number)));
    (0..AUTHORS).flat_map(of).chain(plain).collect()
}

fn genesis(policy: Policy) -> Arc<Genesis> {
    let make = |kind, key: &str| Op { object: None, place: at_key(key), action: Action::Make(kind), pred: vec![] };
    let terms = Terms {
        kind: Kind::Document,
        roots: vec![key(0).id()],
        creator: 0,
        policy,
        limits: Limits::default(),
        read: Read::Public,
        skeleton: vec![make(ObjectKind::Text, "body"), make(ObjectKind::List, "list"), make(ObjectKind::Map, "map")],
        space: None,
        authority: vec![],
        app: uuid::Uuid::nil(),
        predecessor: None,
        nonce: [1; 16],
    };
    Arc::new(Genesis::sign(&key(0), terms).unwrap())
}
