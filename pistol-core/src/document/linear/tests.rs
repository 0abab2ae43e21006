//! A document that makes others' changes again is the one that applies them.

use std::sync::Arc;

use super::super::{Document, Edit, EditAs, EditError, Expand, Patch, Value};
use crate::chain::ChainId;
use crate::change::{Action, Change, Op, Place, Reference, Scalar};
use crate::envelope::Linked;
use crate::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use crate::id::Session;
use crate::key::AuthorKey;
use crate::validate::{Accepted, Check};

struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

fn genesis() -> Arc<Genesis> {
    let key = AuthorKey::from_seed(&[9; 32]);
    let skeleton = crate::document::skeleton(|doc| {
        doc.text("body");
        doc.list("list");
        doc.map("map");
    });
    let terms = Terms {
        kind: Kind::Document,
        roots: vec![key.id()],
        creator: 0,
        policy: Policy::WorldWritable,
        limits: Limits::default(),
        read: Read::Public,
        skeleton: skeleton.unwrap().1,
        space: None,
        authority: vec![],
        app: uuid::Uuid::nil(),
        predecessor: None,
        nonce: [0; 16],
    };
    Arc::new(Genesis::sign(&key, terms).unwrap())
}

/// Somebody who edits; what others made is made again where that can be.
struct Author {
    document: Document,
    chain: ChainId,
    /// The text as patches tell it, and how they call it.
    shown: String,
    body: String,
    again: usize,
    applied: usize,
}

impl Author {
    fn new(genesis: &Arc<Genesis>, number: u8) -> Self {
        let chain = ChainId { author: AuthorKey::from_seed(&[number; 32]).id(), session: Session(1) };
        let mut document = Document::new(Arc::clone(genesis)).unwrap();
        let body = document.follow(|content| content.text("body")).unwrap();
        Author { document, chain, shown: String::new(), body, again: 0, applied: 0 }
    }

    fn edit(&mut self, change: impl FnOnce(&mut Edit)) -> Vec<Linked> {
        let message = Some("why").filter(|_| self.again.is_multiple_of(3));
        let by = EditAs { chain: self.chain, time_ms: 5, message, authority: &[], judge: crate::document::UNJUDGED };
        let made = match self.document.edit(&by, change) {
            Ok(made) => made,
            Err(EditError::Missing { .. } | EditError::OtherKind { .. } | EditError::Rivals { .. }) => return vec![],
            Err(error) => panic!("{error}"),
        };
        self.see(made.patches);
        made.changes.into_iter().map(|accepted| accepted.change).collect()
    }

    fn accept(&mut self, change: &Linked) -> Accepted {
        let Check::Valid(valid) = self.document.history.check(change) else { panic!("not valid") };
        self.document.history.accept(*valid).unwrap()
    }

    fn take(&mut self, change: &Linked) {
        let accepted = self.accept(change);
        let patches = if let Some(patches) = self.document.project_linear(&accepted) {
            self.again += 1;
            patches
        } else {
            self.applied += 1;
            self.document.apply(&[accepted]).unwrap()
        };
        self.see(patches);
    }

    fn see(&mut self, patches: Vec<Patch>) {
        let mut text: Vec<char> = self.shown.chars().collect();
        for patch in patches {
            match patch {
                Patch::Insert { object, at, text: new } if object == self.body => {
                    drop(text.splice(at..at, new.chars()));
                }
                Patch::Delete { object, at, length } if object == self.body => drop(text.drain(at..at + length)),
                _ => {}
            }
        }
        self.shown = text.into_iter().collect();
    }

    fn check(&self, seed: u64) {
        let mut plain = Document::new(Arc::clone(self.document.history.genesis())).unwrap();
        plain.automerge.apply_changes(self.document.automerge.get_changes(&[])).unwrap();
        assert_eq!(plain.projected_heads(), self.document.projected_heads(), "seed {seed}");
        assert_eq!(plain.automerge.hydrate(None), self.document.automerge.hydrate(None), "seed {seed}");
        assert_eq!(self.document.automerge.save(), plain.automerge.save(), "seed {seed}");
        assert_eq!(self.document.content().text("body").to_string(), self.shown, "seed {seed}");
        assert!(self.document.distrusted.is_empty(), "seed {seed}");
    }
}

fn random_step(edit: &mut Edit, dice: &mut Dice) {
    let (text, list, map) = (edit.text("body"), edit.list("list"), edit.map("map"));
    let key = ["a", "b", "c"][dice.below(3)];
    match dice.below(20) {
        0..=3 => text.insert(dice.below(text.len() + 1), ["x", "typed", "\u{1f980}e\u{301}"][dice.below(3)]),
        4 => {
            let at = dice.below(text.len() + 1);
            text.delete(at, dice.below(4).min(text.len() - at));
        }
        5 => {
            let at = dice.below(text.len() + 1);
            text.splice(at, dice.below(4).min(text.len() - at), "new");
        }
        6 => list.insert(dice.below(list.len() + 1), i64::try_from(dice.below(9)).unwrap()),
        7 if !list.is_empty() => list.set(dice.below(list.len()), "set"),
        8 if !list.is_empty() => list.delete(dice.below(list.len())),
        9 => map.put(key, i64::try_from(dice.below(3)).unwrap()),
        10 => map.delete(key),
        11 => map.put("n", Value::Counter(1)),
        12 => map.increment("n", 2),
        13 => map.map("inner").put(key, dice.below(2) == 0),
        14 | 15 => {
            let from = dice.below(text.len() + 1);
            let range = from..from + dice.below(text.len() - from + 1);
            let expand = [Expand::None, Expand::Before, Expand::After, Expand::Both][dice.below(4)];
            text.mark(range, "bold", [Value::Null, Value::Bool(true)][dice.below(2)].clone(), expand);
        }
        16 | 17 => text.split_block(dice.below(text.len() + 1)).put("type", "paragraph"),
        18 => {
            if let Some(at) = text.to_string().chars().position(|character| character == '\u{fffc}') {
                if dice.below(2) == 0 { text.join_block(at) } else { text.replace_block(at).put("type", "quote") }
            }
        }
        _ => list.insert_text(0).set("inner"),
    }
}

#[test]
fn what_is_made_again_is_what_would_be_applied() {
    let genesis = genesis();
    let (mut again, mut applied) = (0, 0);
    for seed in 0..40 {
        let mut dice = Dice(seed);
        let mut authors: Vec<Author> = (1..=3).map(|number| Author::new(&genesis, number)).collect();
        for _ in 0..60 {
            let (one, other) = (dice.below(3), dice.below(3));
            let mut made: Vec<Vec<Linked>> = vec![Vec::new(); 3];
            let mut write = |who: usize, authors: &mut [Author]| {
                let steps = 1 + dice.below(3);
                authors[who].edit(|edit| (0..steps).for_each(|_| random_step(edit, &mut dice)))
            };
            made[one] = write(one, &mut authors);
            if other != one && seed % 4 == 0 {
                made[other] = write(other, &mut authors);
            }
            for (writer, changes) in made.iter().enumerate() {
                for reader in (0..3).filter(|reader| *reader != writer) {
                    changes.iter().for_each(|change| authors[reader].take(change));
                }
            }
        }
        for author in authors {
            author.check(seed);
            again += author.again;
            applied += author.applied;
        }
    }
    assert!(again > applied, "{again} made again, {applied} applied");
}

#[test]
fn what_a_user_could_not_have_made_is_applied_and_its_author_no_more_trusted() {
    let genesis = genesis();
    let (mut one, mut other) = (Author::new(&genesis, 1), Author::new(&genesis, 2));
    let first = one.edit(|edit| edit.text("body").insert(0, "abc"));
    let second = one.edit(|edit| edit.text("body").delete(1, 1));
    first.iter().chain(&second).for_each(|change| other.take(change));
    // A character after the deleted one: an editor would have put it after the one before.
    let chain = one.chain;
    let letter = |place| {
        let action = Action::Put(Scalar::Text("x".to_owned()));
        Op { object: Some(Reference::Skeleton(0)), place: Place::After(Some(place)), action, pred: vec![] }
    };
    let change = |seq, last: &Linked, place| {
        let change = Change {
            author: chain.author,
            session: chain.session,
            seq,
            deps: vec![last.id()],
            authority: vec![],
            time_ms: 0,
            message: None,
            table: vec![],
            ops: vec![letter(place)],
        };
        Linked::after(last.link(), change)
    };
    let odd = change(3, &second[0], Reference::Own(1));
    let honest = change(4, &odd, Reference::Own(4));
    other.take(&odd);
    assert_eq!((other.shown.as_str(), other.document.distrusted.len()), ("axc", 1));
    let again = other.again;
    other.take(&honest);
    assert_eq!((other.shown.as_str(), other.again), ("axxc", again));
    let mut plain = Document::new(genesis).unwrap();
    plain.automerge.apply_changes(other.document.automerge.get_changes(&[])).unwrap();
    assert_eq!(plain.automerge.save(), other.document.automerge.save());
}
