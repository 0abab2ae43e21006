//! Everything that was written in one document, without the index, branches or pasts of the validator: references as
//! pairs of a change and a place in it, pasts as sets. Slow, and written from the rules alone.

#![allow(dead_code, missing_docs, unreachable_pub)]

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::change::{Action, Change, Kind, Op, Place, Reference, Scalar};
use pistol_core::id::{ChangeId, Link};
use pistol_core::limits;

/// An operation: the change, or `None` for the skeleton, and its place there.
pub type Target = (Option<ChangeId>, usize);

/// An operation whose references are targets; `None` as a change's own id is the change that is being written.
#[derive(Clone, Debug)]
pub struct Plain {
    pub object: Option<Target>,
    pub place: PlainPlace,
    pub action: Action,
    pub pred: Vec<Target>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PlainPlace {
    Key(String),
    After(Option<Target>),
    At(Target),
}

#[derive(Clone)]
pub struct Known {
    pub change: Change,
    pub base: Link,
    pub link: Link,
    pub previous: Option<ChangeId>,
    /// Operations of its chain before it.
    pub first: usize,
    pub ops: Vec<Plain>,
    pub past: BTreeSet<ChangeId>,
}

#[derive(Clone)]
pub struct World {
    pub known: BTreeMap<ChangeId, Known>,
    pub order: Vec<ChangeId>,
    pub skeleton: Vec<Plain>,
}

/// Stands for the change that is being written.
pub const SELF: ChangeId = ChangeId([0; 32]);

impl World {
    pub fn new(skeleton: &[Op]) -> Self {
        let ops = skeleton.iter().map(|op| {
            plain(op, &|reference| match reference {
                Reference::Skeleton(number) => (None, number as usize),
                _ => unreachable!(),
            })
        });
        World { known: BTreeMap::new(), order: vec![], skeleton: ops.collect() }
    }

    /// Takes in a change that was accepted.
    pub fn add(&mut self, change: &Change, base: Link) {
        let id = change.id();
        let is_own = |dep: &&ChangeId| {
            let known = &self.known[*dep].change;
            known.author == change.author && known.session == change.session
        };
        let previous = change.deps.iter().find(is_own).copied();
        let first = previous.map_or(0, |previous| self.known[&previous].first + self.known[&previous].ops.len());
        let resolve = |reference: Reference| match reference {
            Reference::Skeleton(number) => (None, number as usize),
            Reference::Own(number) if number as usize >= first => (Some(id), number as usize - first),
            Reference::Own(number) => self.on_path(previous.unwrap(), number as usize),
            Reference::Entry(entry, number) => self.on_path(change.table[entry as usize], number as usize),
        };
        let ops = change.ops.iter().map(|op| plain(op, &resolve)).collect();
        let past = self.past(&change.deps);
        let known = Known { change: change.clone(), base, link: base.then(&id), previous, first, ops, past };
        self.known.insert(id, known);
        self.order.push(id);
    }

    pub fn past(&self, deps: &[ChangeId]) -> BTreeSet<ChangeId> {
        deps.iter().flat_map(|dep| self.known[dep].past.iter().copied().chain([*dep])).collect()
    }

    /// The path of a change's chain, itself first.
    pub fn path(&self, tip: Option<ChangeId>) -> impl Iterator<Item = ChangeId> + '_ {
        std::iter::successors(tip, |id| self.known[id].previous)
    }

    fn on_path(&self, tip: ChangeId, number: usize) -> Target {
        let holder = self.path(Some(tip)).find(|id| self.known[id].first <= number).unwrap();
        (Some(holder), number - self.known[&holder].first)
    }

    pub fn plain(&self, (change, place): Target) -> Option<&Plain> {
        change.map_or(&self.skeleton, |id| &self.known[&id].ops).get(place)
    }

    /// A right form of a table and operations, if everything referred to were in the past. There is one, but where a chain
    /// forked: of the ends that reach what is referred to, `pick` chooses.
    pub fn canonical(
        &self,
        previous: Option<ChangeId>,
        past: &BTreeSet<ChangeId>,
        ops: &[Plain],
        mut pick: impl FnMut(usize) -> usize,
    ) -> (Vec<ChangeId>, Vec<Op>) {
        let own: BTreeSet<ChangeId> = self.path(previous).collect();
        let first = previous.map_or(0, |previous| self.known[&previous].first + self.known[&previous].ops.len());
        let foreign =
            ops.iter().flat_map(targets).filter_map(|(id, _)| id).filter(|id| *id != SELF && !own.contains(id));
        let foreign: BTreeSet<ChangeId> = foreign.collect();
        let seen: BTreeSet<ChangeId> =
            past.iter().copied().chain(foreign.iter().flat_map(|id| self.path(Some(*id)))).collect();
        let continued: BTreeSet<ChangeId> = seen.iter().filter_map(|id| self.known[id].previous).collect();
        let reaches = |end: &ChangeId, id: ChangeId| self.path(Some(*end)).any(|before| before == id);
        let any_end = |id: &ChangeId| {
            let ends: Vec<ChangeId> = seen.difference(&continued).copied().filter(|end| reaches(end, *id)).collect();
            ends[pick(ends.len())]
        };
        let mut table: Vec<ChangeId> = foreign.iter().map(any_end).collect::<BTreeSet<_>>().into_iter().collect();
        let firsts: BTreeSet<ChangeId> =
            foreign.iter().map(|id| *table.iter().find(|end| reaches(end, *id)).unwrap()).collect();
        table.retain(|end| firsts.contains(end));
        let number = |value: usize| u32::try_from(value).unwrap();
        let reference = |(id, place): Target| match id {
            None => Reference::Skeleton(number(place)),
            Some(SELF) => Reference::Own(number(first + place)),
            Some(id) if own.contains(&id) => Reference::Own(number(self.known[&id].first + place)),
            Some(id) => {
                let entry = table.iter().position(|end| reaches(end, id)).unwrap();
                Reference::Entry(number(entry), number(self.known[&id].first + place))
            }
        };
        let ops = ops.iter().map(|op| {
            let place = match &op.place {
                PlainPlace::Key(key) => Place::Key(key.clone()),
                PlainPlace::After(element) => Place::After(element.map(reference)),
                PlainPlace::At(element) => Place::At(reference(*element)),
            };
            let mut pred: Vec<Reference> = op.pred.iter().copied().map(reference).collect();
            pred.sort_unstable();
            pred.dedup();
            Op { object: op.object.map(reference), place, action: op.action.clone(), pred }
        });
        let ops = ops.collect();
        (table, ops)
    }

    /// Whether operations keep V3, V4 and V6 in a past.
    pub fn fits(&self, past: &BTreeSet<ChangeId>, ops: &[Plain]) -> bool {
        let find = |here: usize, (id, place): Target| match id {
            Some(SELF) => ops.get(place).filter(|_| place < here),
            Some(id) => self.plain((Some(id), place)).filter(|_| past.contains(&id)),
            None => self.plain((None, place)),
        };
        let is_begin = |op: &Plain| matches!(op.action, Action::MarkBegin(_));
        let is_end = |op: &Plain| matches!(op.action, Action::MarkEnd { .. });
        let begins = ops.iter().enumerate().filter(|(_, op)| is_begin(op));
        let are_ended = begins
            .clone()
            .all(|(here, begin)| ops.get(here + 1).is_some_and(|end| is_end(end) && end.object == begin.object));
        let are_paired = are_ended && begins.count() == ops.iter().filter(|op| is_end(op)).count();
        are_paired
            && ops.iter().enumerate().all(|(here, op)| {
                let find = |target| find(here, target);
                fits(op, &find)
            })
    }
}

fn fits<'a>(op: &Plain, find: &dyn Fn(Target) -> Option<&'a Plain>) -> bool {
    let kind = match op.object.map(find) {
        None => Some(Kind::Map),
        Some(Some(Plain { action: Action::Make(kind), .. })) => Some(*kind),
        Some(_) => None,
    };
    let is_element = |element: Target| {
        find(element).is_some_and(|found| matches!(found.place, PlainPlace::After(_)) && found.object == op.object)
    };
    let is_delete = matches!(op.action, Action::Delete);
    let is_increment = matches!(op.action, Action::Increment(_));
    let is_mark = is_mark(&op.action);
    let is_place_right = match (&op.place, kind) {
        (PlainPlace::Key(key), Some(Kind::Map)) => key.len() <= limits::KEY_BYTES_MAX && !is_mark,
        (PlainPlace::After(after), Some(Kind::List)) => {
            after.is_none_or(is_element) && !is_delete && !is_increment && !is_mark
        }
        (PlainPlace::After(after), Some(Kind::Text)) => {
            let is_text = matches!(op.action, Action::Put(Scalar::Text(_)) | Action::Make(Kind::Map));
            after.is_none_or(is_element) && (is_text || is_mark)
        }
        (PlainPlace::At(element), Some(Kind::List)) => is_element(*element) && !is_mark,
        (PlainPlace::At(element), Some(Kind::Text)) => is_element(*element) && is_delete,
        _ => false,
    };
    let is_pred_right = |pred: &Target| {
        find(*pred).is_some_and(|found| {
            let is_here = found.object == op.object
                && match &op.place {
                    PlainPlace::At(element) => pred == element || found.place == op.place,
                    place => found.place == *place,
                };
            let is_counter = matches!(found.action, Action::Put(Scalar::Counter(_)));
            let is_value =
                !matches!(found.action, Action::Delete | Action::Increment(_)) && !self::is_mark(&found.action);
            is_here && is_value && (!is_increment || is_counter)
        })
    };
    let is_count_right = match op.place {
        PlainPlace::After(_) => op.pred.is_empty(),
        _ => !(is_delete || is_increment) || !op.pred.is_empty(),
    };
    let is_value_right = match &op.action {
        Action::MarkBegin(mark) => {
            let is_number = !matches!(mark.value, Scalar::Float(bits) if f64::from_bits(bits).is_nan());
            is_number && !matches!(mark.value, Scalar::Counter(_)) && mark.name.len() <= limits::KEY_BYTES_MAX
        }
        Action::Increment(by) => by.unsigned_abs() <= limits::INCREMENT_MAX.unsigned_abs(),
        Action::Put(Scalar::Counter(start)) => start.unsigned_abs() <= limits::EXACT_MAX,
        _ => true,
    };
    is_place_right && is_count_right && is_value_right && op.pred.iter().all(is_pred_right)
}

fn is_mark(action: &Action) -> bool {
    matches!(action, Action::MarkBegin(_) | Action::MarkEnd { .. })
}

pub fn targets(op: &Plain) -> impl Iterator<Item = Target> + '_ {
    let element = match &op.place {
        PlainPlace::Key(_) => None,
        PlainPlace::After(element) => *element,
        PlainPlace::At(element) => Some(*element),
    };
    op.object.into_iter().chain(element).chain(op.pred.iter().copied())
}

fn plain(op: &Op, resolve: &dyn Fn(Reference) -> Target) -> Plain {
    let place = match &op.place {
        Place::Key(key) => PlainPlace::Key(key.clone()),
        Place::After(element) => PlainPlace::After(element.map(resolve)),
        Place::At(element) => PlainPlace::At(resolve(*element)),
    };
    let pred = op.pred.iter().copied().map(resolve).collect();
    Plain { object: op.object.map(resolve), place, action: op.action.clone(), pred }
}
