//! An honest history to begin with: one change with everything in it, a fork, and authors who edit and exchange.

use std::sync::{Arc, LazyLock};

use pistol_core::chain::ChainId;
use pistol_core::change::{Action, Change, Kind as ObjectKind, Op, Place, Reference, Scalar};
use pistol_core::document::{Edit, EditAs, Expand, TextEdit, Value};
use pistol_core::envelope::{Linked, Verified, VerifiedChange};
use pistol_core::genesis::{Genesis, Insert, Kind, Limits, Policy, Read, Terms};
use pistol_core::id::{ChangeId, Session};
use pistol_core::validate::History;

use super::hand::Hand;
use super::replica::Replica;
use crate::chance::Chance;
use crate::finding::Divergence;
use crate::sealing;

/// The objects of the skeleton.
pub const TEXT: Option<Reference> = Some(Reference::Skeleton(0));
/// The list.
pub const LIST: Option<Reference> = Some(Reference::Skeleton(1));
/// The map.
pub const MAP: Option<Reference> = Some(Reference::Skeleton(2));

/// The author and session of the first change.
pub const ANN: u8 = 1;
/// Her session.
pub const SESSION: u64 = 7;

/// The operations of the first change, by number: two letters, a value, a counter, an item that is a counter, a map, a
/// deletion of the second letter, an increment of the counter.
pub const X: u32 = 0;
/// The second letter, deleted by [`DELETED`].
pub const Y: u32 = 1;
/// A value at `k` of the map.
pub const PUT_K: u32 = 2;
/// A counter at `n` of the map.
pub const COUNTER: u32 = 3;
/// A counter in the list.
pub const ITEM: u32 = 4;
/// A map at `nested` of the root.
pub const NESTED: u32 = 5;
/// The deletion of [`Y`].
pub const DELETED: u32 = 6;
/// The increment of [`COUNTER`].
pub const COUNTED: u32 = 7;

/// Limits that a small change can reach.
pub const LIMITS: Limits = Limits {
    change_bytes: 8192,
    ops_per_change: 64,
    deps: 8,
    ops_per_chain: 200,
    bytes_per_chain: 16_384,
    is_releasable: true,
};

/// An honest history.
#[derive(Debug)]
pub struct Stage {
    /// The document.
    pub genesis: Arc<Genesis>,
    /// Everything, in causal order.
    pub honest: Vec<VerifiedChange>,
    /// Ann's first change.
    pub first: ChangeId,
    /// The ends of all chains.
    pub hands: Vec<Hand>,
    /// All of it, as the validator knows it.
    pub history: History,
}

/// How many stages there are.
pub const STAGES: usize = 32;

static ALL: LazyLock<Vec<Stage>> = LazyLock::new(|| {
    (0..STAGES as u64).filter_map(|number| Stage::new(number, 0, Policy::WorldWritable).ok()).collect()
});

/// Letters of a text in which a change is shown by a transaction, since to walk it would take longer; few enough that a fork,
/// for which all of it is made anew, takes less than the 10 ms that an input may.
const LARGE: u32 = 1200;

static LARGE_ONES: LazyLock<Vec<Stage>> =
    LazyLock::new(|| (0..4).filter_map(|number| Stage::new(number, LARGE, Policy::WorldWritable).ok()).collect());

static OF_FIRST_WRITERS: LazyLock<Vec<Stage>> = LazyLock::new(|| {
    let policy = |number: u64| Policy::FirstWriter {
        insert: Insert::Anywhere,
        shared_counters: number.is_multiple_of(2),
        // Where only its maker writes into the shared map, the first changes of every stage would be refused.
        shared_slots: true,
    };
    (0..8).filter_map(|number| Stage::new(number, 0, policy(number)).ok()).collect()
});

/// Makes all stages.
pub fn prepare() {
    let _ = (Stage::all().len(), Stage::large().len(), Stage::of_first_writers().len());
}

impl Stage {
    /// All stages; they are made once.
    pub fn all() -> &'static [Stage] {
        &ALL
    }

    /// Stages of another document, whose text is large from the beginning.
    pub fn large() -> &'static [Stage] {
        &LARGE_ONES
    }

    /// Stages of documents where what somebody wrote is theirs.
    pub fn of_first_writers() -> &'static [Stage] {
        &OF_FIRST_WRITERS
    }

    fn new(number: u64, letters: u32, policy: Policy) -> Result<Stage, Divergence> {
        let mut chance = Chance::new(number);
        let genesis = Arc::new(genesis_with(letters, policy).map_err(|error| Divergence::new(error.to_string()))?);
        let scaffold = scaffold(&genesis).ok_or_else(|| Divergence::new("the first changes cannot be signed"))?;
        let first = scaffold.first().map(|change| change.id()).ok_or_else(|| Divergence::new("no first change"))?;
        let mut editors = (2..4).map(|author| Editor::new(&genesis, author)).collect::<Result<Vec<_>, _>>()?;
        let mut honest = scaffold;
        for editor in &mut editors {
            editor.replica.receive(&honest)?;
        }
        for _ in 0..6 {
            let index = chance.index(editors.len());
            let Some(editor) = editors.get_mut(index) else { continue };
            // In a large text they type one after the other, as most people do.
            if letters > 0 || chance.one_in(3) {
                editor.replica.receive(&honest)?;
            }
            honest.extend(editor.edit(&mut chance)?);
        }
        let mut all = Replica::new(&genesis)?;
        all.receive(&honest)?;
        let history = all.document.history().clone();
        let hands = Hand::all(&history);
        Ok(Stage { genesis, honest, first, hands, history })
    }
}

fn make(kind: ObjectKind, key: &str) -> Op {
    Op { object: None, place: Place::Key(key.to_owned()), action: Action::Make(kind), pred: vec![] }
}

/// The document of every stage: open to all, with a text, a list and a map that all share.
///
/// # Errors
/// None, unless the terms are wrong.
pub fn genesis() -> Result<Genesis, pistol_core::genesis::GenesisError> {
    genesis_with(0, Policy::WorldWritable)
}

fn genesis_with(letters: u32, policy: Policy) -> Result<Genesis, pistol_core::genesis::GenesisError> {
    let creator = sealing::author(0);
    let mut skeleton =
        vec![make(ObjectKind::Text, "body"), make(ObjectKind::List, "list"), make(ObjectKind::Map, "map")];
    let after = |letter: u32| Place::After(letter.checked_sub(1).map(|before| Reference::Skeleton(3 + before)));
    skeleton.extend((0..letters).map(|letter| op(TEXT, after(letter), text("t"), &[])));
    let terms = Terms {
        kind: Kind::Document,
        roots: vec![creator.id()],
        creator: 0,
        policy,
        limits: LIMITS,
        read: Read::Public,
        skeleton,
        space: None,
        authority: vec![],
        app: uuid::Uuid::nil(),
        predecessor: None,
        nonce: [1; 16],
    };
    Genesis::sign(&creator, terms)
}

/// One operation.
pub fn op(object: Option<Reference>, place: Place, action: Action, pred: &[Reference]) -> Op {
    Op { object, place, action, pred: pred.to_vec() }
}

/// A text to put.
pub fn text(text: &str) -> Action {
    Action::Put(Scalar::Text(text.to_owned()))
}

/// A key of a map.
pub fn key(key: &str) -> Place {
    Place::Key(key.to_owned())
}

/// Ann's first change, and two that follow it: a fork.
fn scaffold(genesis: &Genesis) -> Option<Vec<VerifiedChange>> {
    let own = Reference::Own;
    let ops = vec![
        op(TEXT, Place::After(None), text("x"), &[]),
        op(TEXT, Place::After(Some(own(X))), text("y"), &[]),
        op(MAP, key("k"), Action::Put(Scalar::Int(1)), &[]),
        op(MAP, key("n"), Action::Put(Scalar::Counter(1)), &[]),
        op(LIST, Place::After(None), Action::Put(Scalar::Counter(0)), &[]),
        op(None, key("nested"), Action::Make(ObjectKind::Map), &[]),
        op(TEXT, Place::At(own(Y)), Action::Delete, &[own(Y)]),
        op(MAP, key("n"), Action::Increment(2), &[own(COUNTER)]),
    ];
    let hand = Hand::fresh(&genesis.id(), ANN, SESSION);
    let change = |seq, deps, ops| Change {
        author: hand.chain.author,
        session: hand.chain.session,
        seq,
        deps,
        authority: vec![],
        time_ms: 1,
        message: None,
        table: vec![],
        ops,
    };
    let first = sealing::sign(genesis.id(), hand.link, change(1, vec![], ops))?;
    let next = |letter| {
        let ops = vec![op(TEXT, Place::After(None), text(letter), &[])];
        sealing::sign(genesis.id(), first.link(), change(2, vec![first.id()], ops))
    };
    Some(vec![first.clone(), next("l")?, next("r")?])
}

/// Somebody honest at work.
struct Editor {
    replica: Replica,
    author: u8,
    edits: u64,
}

impl Editor {
    fn new(genesis: &Arc<Genesis>, author: u8) -> Result<Self, Divergence> {
        Ok(Editor { replica: Replica::new(genesis)?, author, edits: 0 })
    }

    fn edit(&mut self, chance: &mut Chance) -> Result<Vec<VerifiedChange>, Divergence> {
        let key = sealing::author(self.author);
        let chain = ChainId { author: key.id(), session: Session(1) };
        let mut unsigned: Vec<Linked> = Vec::new();
        for _ in 0..=chance.below(2) {
            self.edits += 1;
            let by = EditAs { chain, time_ms: self.edits, message: None, authority: &[], judge: pistol_acl::allow };
            let made = self.replica.document.edit(&by, |edit| any_edit(edit, chance));
            unsigned.extend(made.into_iter().flat_map(|made| made.changes).map(|accepted| accepted.change));
        }
        if unsigned.is_empty() {
            return Ok(Vec::new());
        }
        let sealed = Verified::sign(&key, self.replica.document.history().genesis().id(), &unsigned);
        sealed.map(Verified::into_changes).map_err(|error| Divergence::new(error.to_string()))
    }
}

fn any_mark(text: &TextEdit, chance: &mut Chance) {
    let from = chance.index(text.len() + 1);
    let range = from..from + chance.index(text.len() - from + 1);
    let expand = chance.pick(&[Expand::None, Expand::Before, Expand::After, Expand::Both]).copied().unwrap_or_default();
    if chance.one_in(4) {
        text.unmark(range, "bold", expand);
    } else {
        text.mark(range, "bold", true, expand);
    }
}

/// Any edit that the handles offer.
pub fn any_edit(edit: &mut Edit, chance: &mut Chance) {
    let (text, list, map) = (edit.text("body"), edit.list("list"), edit.map("map"));
    let key = chance.pick(&["a", "b", "c"]).copied().unwrap_or("a");
    match chance.below(11) {
        0..=2 => text.insert(chance.index(text.len() + 1), chance.pick(&["x", "yz", "\u{1f980}!"]).unwrap_or(&"x")),
        3 if !text.is_empty() => text.delete(chance.index(text.len()), 1),
        4 => list.insert(chance.index(list.len() + 1), 5),
        5 if !list.is_empty() => list.set(chance.index(list.len()), "set"),
        6 => map.put(key, Value::Counter(1)),
        7 | 8 => any_mark(&text, chance),
        9 => text.split_block(chance.index(text.len() + 1)).put("type", key),
        _ => list.insert_map(chance.index(list.len() + 1)).put(key, vec![1u8, 2]),
    }
}
