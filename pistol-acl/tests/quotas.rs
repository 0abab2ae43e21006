//! How many bytes of one author an operation may have in its past: at the bound and one byte past it, here and by the oracle.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "support/story.rs"]
mod story;

use pistol_acl::record::{AclOp, Action, Heads, Keep, Mode, Role, SignedOp, Subject};
use pistol_acl::{Access, AccessPolicy, Held, Kind, Refusal, limits};
use pistol_core::id::{AuthorityId, ChangeId, DocumentId};
use pistol_oracle as oracle;
use story::{Item, Story, author, grant, key, tell};

/// Operations by keys 1 and 2 in one log, said to a node and to the oracle.
struct Twice {
    node: Access,
    log: DocumentId,
    world: oracle::World,
    /// What each is called by the oracle.
    ids: Vec<AuthorityId>,
}

impl Twice {
    fn new(kind: Kind) -> Twice {
        let mut story = Story::of(story::log(1), vec![], vec![], vec![]);
        let log = story.charter(1, kind, AccessPolicy::Members, &[1, 2]);
        let items: Vec<Item> = story.charters.into_iter().map(Item::Charter).collect();
        let kind = if kind == Kind::Identity { oracle::Kind::Identity } else { oracle::Kind::Space };
        let mut of_log = oracle::Log::new(oracle::LogId(1), kind, oracle::Author(1));
        of_log.roots.push(oracle::Author(2));
        let world = oracle::World { logs: vec![of_log], ..oracle::World::default() };
        Twice { node: tell(log, &items), log, world, ids: vec![] }
    }

    /// An operation, not told yet.
    fn signed(&self, by: u8, prev: &[AuthorityId], action: Action) -> SignedOp {
        let mut prev = prev.to_vec();
        prev.sort_unstable();
        let is_own = |id: &AuthorityId| self.oracles(*id).author == oracle::Author(by.into());
        let own = prev.iter().position(is_own);
        let op = AclOp { log: self.log, author: author(by), proof: vec![], prev, own, action };
        SignedOp::sign(&key(by), &op).unwrap()
    }

    fn oracles(&self, id: AuthorityId) -> &oracle::Operation {
        &self.world.operations[self.number(id)]
    }

    fn number(&self, id: AuthorityId) -> usize {
        self.ids.iter().position(|known| *known == id).unwrap()
    }

    /// Tells both, and says whether it is refused for what its author has written.
    fn tell(&mut self, signed: &SignedOp) -> bool {
        let op = signed.op();
        let id = oracle::OperationId(self.ids.len() as u32);
        let by = if op.author == author(1) { 1 } else { 2 };
        let subject = oracle::Subject::Key(oracle::Author(9));
        self.world.operations.push(oracle::Operation {
            id,
            log: oracle::LogId(1),
            author: oracle::Author(by),
            proof: vec![],
            prev: op.prev.iter().map(|prev| oracle::OperationId(self.number(*prev) as u32)).collect(),
            action: oracle::Action::Grant { to: subject, role: oracle::Role::Reader },
            bytes: signed.bytes().len() as u64,
            is_well_signed: true,
        });
        self.ids.push(signed.id());
        let held = self.node.hold(signed.clone());
        assert!(matches!(held, Held::Entered(_) | Held::Refused(Refusal::Quota, _)), "{held:?}");
        matches!(held, Held::Refused(..))
    }

    fn write(&mut self, by: u8, prev: &[AuthorityId], action: Action) -> (AuthorityId, bool) {
        let signed = self.signed(by, prev, action);
        let is_refused = self.tell(&signed);
        (signed.id(), is_refused)
    }

    /// The oracle says the same of everything.
    fn agree(&self) {
        let judgement = self.world.judge();
        for (number, id) in self.ids.iter().enumerate() {
            let verdict = judgement.operations[&oracle::OperationId(number as u32)];
            let is_refused = verdict == oracle::Verdict::Invalid(oracle::Fault::BytesExceeded);
            assert!(is_refused || verdict == oracle::Verdict::Valid);
            assert_eq!(is_refused, !self.node.holds(id), "operation {number}");
        }
    }
}

/// A revocation that keeps so many documents of seven heads, and so many without one: nearly as large as an operation may be.
fn large(documents: usize, bare: usize) -> Action {
    let heads = |number: usize| {
        let mut document = [0; 32];
        document[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let count = if number < documents { 7 } else { 0 };
        let heads = (0..count).map(|head| ChangeId([head; 32])).collect();
        Heads { document: DocumentId(document), heads, tips: vec![] }
    };
    let keep = Keep { changes: (0..documents + bare).map(heads).collect(), operations: vec![] };
    Action::Revoke { who: Subject::Key(author(9)), mode: Mode::Endorsed, cascade: false, keep }
}

fn claim(letters: usize) -> Action {
    Action::Name { name: "a".repeat(letters), target: DocumentId([7; 32]) }
}

/// A line of key 1 of exactly so many bytes.
fn line_of(twice: &mut Twice, bytes: u64) -> Vec<AuthorityId> {
    let mut line: Vec<AuthorityId> = vec![];
    let mut left = bytes;
    let mut documents = 1000;
    loop {
        let action = large(documents, 0);
        let signed = twice.signed(1, &line[line.len().saturating_sub(1)..], action);
        let takes = signed.bytes().len() as u64;
        // What is left at last is as long as a claim of some letters.
        if takes + 1000 > left {
            if documents == 0 {
                break;
            }
            documents /= 2;
            continue;
        }
        assert!(!twice.tell(&signed));
        left -= takes;
        line.push(signed.id());
    }
    loop {
        let last = *line.last().unwrap();
        let shortest = twice.signed(1, &[last], claim(1)).bytes().len() as u64;
        let letters = 1 + left.saturating_sub(shortest);
        let action = claim(if letters > 128 { 1 } else { letters as usize });
        let signed = twice.signed(1, &[last], action);
        assert!(!twice.tell(&signed));
        left -= signed.bytes().len() as u64;
        line.push(signed.id());
        if left == 0 {
            return line;
        }
        assert!(left >= shortest, "{left} bytes are left over");
    }
}

#[test]
fn sixteen_mib_of_an_authors_in_the_past_are_as_much_as_may_be() {
    for more in [0, 1] {
        let mut twice = Twice::new(Kind::Space);
        let line = line_of(&mut twice, limits::AUTHOR_BYTES_MAX + more);
        let last = *line.last().unwrap();
        let (next, is_refused) = twice.write(1, &[last], claim(1));
        assert_eq!(is_refused, more == 1);
        // It was one too many in any case, and what follows on a refused one is refused.
        if more == 0 {
            assert!(twice.write(1, &[next], claim(1)).1);
        }
        // Others go on, and so does the author where it has not written so much.
        assert!(!twice.write(2, &[last], claim(1)).1);
        let earlier = line[line.len() - 2];
        let (aside, is_refused) = twice.write(1, &[earlier], claim(2));
        assert!(!is_refused);
        // Both lines count for who follows on both.
        assert!(twice.write(1, &[last, aside], claim(3)).1);
        twice.agree();
    }
}

#[test]
fn in_an_identitys_log_it_is_one_mib() {
    let mut twice = Twice::new(Kind::Identity);
    let mut prev: Vec<AuthorityId> = vec![];
    let mut past = 0;
    loop {
        let signed = twice.signed(1, &prev, large(0, 900));
        assert_eq!(twice.tell(&signed), past > limits::AUTHOR_BYTES_IN_IDENTITY_MAX, "{past} bytes before it");
        if past > limits::AUTHOR_BYTES_IN_IDENTITY_MAX {
            break;
        }
        past += signed.bytes().len() as u64;
        prev = vec![signed.id()];
    }
    assert!(!twice.write(2, &prev, grant(5, Role::Admin)).1, "the other root can still certify");
    twice.agree();
}
