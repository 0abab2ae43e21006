//! Row 44: contested, witnessed, doubly witnessed names.

use pistol_acl::record::{Action, Keep, LogId, Mode, Role, Subject};
use pistol_acl::{Access, AccessPolicy, Claimant, Kind, Naming, NotAName, SpaceName};
use pistol_core::id::AuthorityId;

use crate::story::{Story, author, grant, log};

/// A space (log 3, root key 3), with registrars 1 and 2 and writers 4 and 5.
struct Named {
    story: Story,
    space: LogId,
    grants: [AuthorityId; 4],
}

const ONE: usize = 0;
const TWO: usize = 1;
const FOUR: usize = 2;
const FIVE: usize = 3;
const KEYS: [u8; 4] = [1, 2, 4, 5];

fn named() -> Named {
    let mut story = Story::new(AccessPolicy::Owned);
    let space = story.charter(3, Kind::Space, AccessPolicy::Members, &[3]);
    let roles = [Role::Admin, Role::Admin, Role::Writer, Role::Writer];
    let grants = [0, 1, 2, 3].map(|at| story.next(3, space, &[], grant(KEYS[at], roles[at])));
    Named { story, space, grants }
}

impl Named {
    fn claim(&mut self, who: usize, target: u8) -> AuthorityId {
        let action = Action::Name { name: "scores".to_owned(), target: log(target) };
        self.story.next(KEYS[who], self.space, &[self.grants[who]], action)
    }

    fn witness(&mut self, who: usize, claims: &[AuthorityId]) -> AuthorityId {
        let action = witness(claims);
        self.story.next(KEYS[who], self.space, &[self.grants[who]], action)
    }

    fn owner(&mut self, action: Action) -> AuthorityId {
        self.story.next(3, self.space, &[], action)
    }

    fn ask(&self, name: &str) -> Naming {
        everywhere(&self.story).name(&self.space, &name.parse().unwrap())
    }

    /// What is found: the word, and the operations.
    fn scores(&self) -> (&'static str, Vec<AuthorityId>) {
        match self.ask("scores") {
            Naming::Unclaimed => ("unclaimed", vec![]),
            Naming::Unconfirmed(claim) => ("unconfirmed", vec![claim.operation]),
            Naming::Confirmed(claim) => ("confirmed", vec![claim.operation]),
            Naming::Contested { claims, .. } => ("contested", claims.iter().map(|claim| claim.operation).collect()),
            other => panic!("{other:?}"),
        }
    }
}

/// Nodes that were told in many orders, and agree on every name.
fn everywhere(story: &Story) -> Access {
    let first = story.told();
    let space = log(3);
    for order in 0..200 {
        assert_eq!(story.told_in_order(order).names(&space, None), first.names(&space, None), "order {order}");
    }
    first
}

fn witness(claims: &[AuthorityId]) -> Action {
    let mut names = claims.to_vec();
    names.sort_unstable();
    Action::Witness { names }
}

fn revoke(number: u8, cascade: bool) -> Action {
    Action::Revoke { who: Subject::Key(author(number)), mode: Mode::Endorsed, cascade, keep: Keep::default() }
}

#[test]
fn row_44_a_name_with_one_claimant_is_unconfirmed_and_with_two_contested_in_order_of_claimants() {
    let mut named = named();
    assert_eq!(named.scores(), ("unclaimed", vec![]));
    let four = named.claim(FOUR, 7);
    assert_eq!(named.scores(), ("unconfirmed", vec![four]));
    let five = named.claim(FIVE, 8);
    let claims = if author(4) < author(5) { vec![four, five] } else { vec![five, four] };
    assert_eq!(named.scores(), ("contested", claims));
}

#[test]
fn row_44_a_witnessed_claim_is_confirmed_against_earlier_and_later_rivals() {
    let mut named = named();
    let _ = named.claim(FOUR, 7);
    let five = named.claim(FIVE, 8);
    let _ = named.witness(ONE, &[five]);
    let _ = named.claim(FOUR, 9);
    assert_eq!(named.scores(), ("confirmed", vec![five]));
}

#[test]
fn row_44_registrars_who_contradict_each_other_leave_it_contested_until_the_owner_decides() {
    let mut named = named();
    let (four, five) = (named.claim(FOUR, 7), named.claim(FIVE, 8));
    let _ = named.witness(ONE, &[four]);
    let _ = named.witness(TWO, &[five]);
    assert_eq!(named.scores().0, "contested");
    let _ = named.owner(witness(&[five]));
    assert_eq!(named.scores(), ("confirmed", vec![five]));
}

#[test]
fn row_44_of_one_witness_the_first_in_its_chain_counts_and_two_firsts_contradict_each_other() {
    let mut named = named();
    let (four, five) = (named.claim(FOUR, 7), named.claim(FIVE, 8));
    let _ = named.witness(ONE, &[four]);
    let _ = named.witness(ONE, &[five]);
    assert_eq!(named.scores(), ("confirmed", vec![four]));
    let (space, grant) = (named.space, named.grants[ONE]);
    let _ = named.story.write(1, space, &[grant], &[grant, five], witness(&[five]));
    assert_eq!(named.scores().0, "contested", "a fork that pretends to be the first");
}

#[test]
fn row_44_who_claims_again_says_what_the_name_names_now_and_stays_confirmed() {
    let mut named = named();
    let old = named.claim(FOUR, 7);
    let _ = named.witness(ONE, &[old]);
    let new = named.claim(FOUR, 8);
    assert_eq!(named.scores(), ("confirmed", vec![new]));
    let (space, grant) = (named.space, named.grants[FOUR]);
    let fork = Action::Name { name: "scores".to_owned(), target: log(9) };
    let _ = named.story.write(4, space, &[grant], &[old], fork);
    assert_eq!(named.scores().0, "contested", "a claimant who forks says two things");
    let merged = named.claim(FOUR, 9);
    assert_eq!(named.scores(), ("confirmed", vec![merged]));
}

#[test]
fn row_44_a_void_claim_frees_the_name_and_a_spared_one_does_not() {
    for cascade in [false, true] {
        let mut named = named();
        let four = named.claim(FOUR, 7);
        let _ = named.witness(ONE, &[four]);
        let _ = named.owner(revoke(4, cascade));
        let five = named.claim(FIVE, 8);
        let expected = if cascade { ("unconfirmed", vec![five]) } else { ("confirmed", vec![four]) };
        assert_eq!(named.scores(), expected, "cascade: {cascade}");
    }
}

#[test]
fn row_44_a_void_witness_counts_no_more_and_one_in_the_past_of_the_revocation_does() {
    let mut named = named();
    let four = named.claim(FOUR, 7);
    let _ = named.witness(ONE, &[four]);
    let _ = named.owner(revoke(1, false));
    assert_eq!(named.scores().0, "confirmed");
    let _ = named.owner(revoke(1, true));
    assert_eq!(named.scores().0, "unconfirmed");
}

#[test]
fn row_44_what_a_root_witnessed_before_it_gave_up_stays_and_what_it_backdates_is_void() {
    let mut named = named();
    let (four, five) = (named.claim(FOUR, 7), named.claim(FIVE, 8));
    let seen = named.story.heads(named.space);
    let _ = named.owner(witness(&[four]));
    let _ = named.owner(Action::Relinquish);
    let space = named.space;
    let _ = named.story.write(3, space, &[], &seen, witness(&[five]));
    assert_eq!(named.scores(), ("confirmed", vec![four]));
}

#[test]
fn row_44_a_witness_confirms_its_own_claim_and_a_writer_confirms_nothing() {
    let mut named = named();
    let one = named.claim(ONE, 7);
    assert_eq!(named.scores().0, "unconfirmed");
    let _ = named.witness(FOUR, &[one]);
    assert_eq!(named.scores().0, "unconfirmed");
    // What follows on a refused operation is refused, so this does not.
    let (space, grant) = (named.space, named.grants[ONE]);
    let _ = named.story.write(1, space, &[grant], &[one], witness(&[one]));
    assert_eq!(named.scores(), ("confirmed", vec![one]));
}

#[test]
fn row_44_devices_of_one_identity_are_one_claimant() {
    let mut named = named();
    let identity = named.story.charter(6, Kind::Identity, AccessPolicy::Owned, &[6]);
    let devices = [7, 8].map(|key| named.story.next(6, identity, &[], grant(key, Role::Writer)));
    let granted = named.owner(Action::Grant { to: Subject::Identity(identity), role: Role::Writer });
    let action = |target| Action::Name { name: "scores".to_owned(), target: log(target) };
    let _ = named.story.next(7, named.space, &[granted, devices[0]], action(7));
    let second = named.story.next(8, named.space, &[granted, devices[1]], action(8));
    assert_eq!(named.scores(), ("unconfirmed", vec![second]));
}

#[test]
fn row_44_a_name_with_its_claimants_digits_is_contested_by_nobody() {
    let mut named = named();
    let (four, _) = (named.claim(FOUR, 7), named.claim(FIVE, 8));
    let name: SpaceName = "scores".parse().unwrap();
    let shown = name.of_claimant(&Claimant::Key(author(4))).to_string();
    assert_eq!(shown.len(), "scores~".len() + 10);
    assert!(matches!(named.ask(&shown), Naming::ByClaimant(claim) if claim.operation == four));
    let absent = name.of_claimant(&Claimant::Key(author(2))).to_string();
    assert_eq!(named.ask(&absent), Naming::Unclaimed);
    let words = named.story.told().explain_name(&named.space, &shown.parse().unwrap());
    assert!(words.starts_with("by its claimant: ") && words.contains(&author(4).to_string()), "{words}");
}

#[test]
fn row_44_two_identities_with_the_same_digits_are_contested_and_told_apart_by_more_digits() {
    let mut named = named();
    let name: SpaceName = "scores".parse().unwrap();
    // Ids that begin alike, as if somebody had tried long enough.
    let ids = [0, 1].map(|last| {
        let mut id = [6; 32];
        id[31] = last;
        pistol_core::id::DocumentId(id)
    });
    let mut claims = vec![];
    for id in ids {
        named.story.charter(6, Kind::Identity, AccessPolicy::Owned, &[6]);
        named.story.charters.last_mut().unwrap().log = id;
        let device = named.story.next(6, id, &[], grant(7, Role::Writer));
        let granted = named.owner(Action::Grant { to: Subject::Identity(id), role: Role::Writer });
        let action = Action::Name { name: "scores".to_owned(), target: log(7) };
        claims.push(named.story.next(7, named.space, &[granted, device], action));
    }
    let short = name.of_claimant(&Claimant::Identity(ids[0])).to_string();
    assert_eq!(short, name.of_claimant(&Claimant::Identity(ids[1])).to_string());
    assert!(matches!(named.ask(&short), Naming::Contested { count: 2, .. }));
    let whole = name.of_claimant_in_full(&Claimant::Identity(ids[1])).to_string();
    assert!(matches!(named.ask(&whole), Naming::ByClaimant(claim) if claim.operation == claims[1]));
}

#[test]
fn row_44_what_is_no_name_is_kept_and_claims_nothing() {
    for text in ["", "Scores", "sc ores", "scor\u{e9}", "-scores", "scores_", "a.b", &"a".repeat(129)] {
        assert_eq!(text.parse::<SpaceName>(), Err(NotAName::Label), "{text}");
    }
    for text in ["scores~", "scores~abc", "scores~ABCDEFGH23", "scores~abcdefgh01", "scores~abcdefgh23~"] {
        assert_eq!(text.parse::<SpaceName>(), Err(NotAName::Digits), "{text}");
    }
    let mut named = named();
    let action = Action::Name { name: "Scores".to_owned(), target: log(7) };
    let grant = named.grants[FOUR];
    let claim = named.story.next(4, named.space, &[grant], action);
    let access = everywhere(&named.story);
    assert!(access.is_valid(&claim));
    assert_eq!(access.names(&named.space, None), []);
}

#[test]
fn the_words_for_a_name_say_whose_claim_and_whose_witness() {
    let mut named = named();
    let four = named.claim(FOUR, 7);
    let _ = named.witness(ONE, &[four]);
    let words = named.story.told().explain_name(&named.space, &"scores".parse().unwrap());
    assert!(words.starts_with("confirmed: "), "{words}");
    assert!([4, 1].iter().all(|key| words.contains(&author(*key).to_string())), "{words}");
}
