//! Rows 34, 35, 36 and 41 of the catalogue of access on whole nodes: three write apart, and then meet in random orders and are
//! started again in between.

use pistol_acl::State;
use pistol_acl::record::{Action, Keep, Mode, Role, Subject};
use pistol_core::id::{AuthorityId, ChangeId, DocumentId};
use pistol_core::key::AuthorId;
use pistol_engine::{Insight, OperateError};

use super::{
    Machine, and_again, author, grant, hostile, meet, operate, part, reason, restarted, state, team, third, write,
};

/// In how many orders each row is told.
const ORDERS: u64 = 6;

/// Three nodes that know each other and are apart: the root, and two with a role that it granted.
struct Apart {
    machines: [Machine; 3],
    document: DocumentId,
}

impl Apart {
    fn new(first: Role, second: Role) -> Apart {
        let (mut root, mut one, document) = team();
        operate(&mut root, document, grant(author(&one), first)).unwrap();
        super::settle(1, &mut one, &mut root);
        let mut other = third(&mut root, document, second);
        super::settle(1, &mut one, &mut root);
        part(1, &mut root, &mut one);
        part(3, &mut root, &mut other);
        one.join(document, &other);
        other.join(document, &one);
        Apart { machines: [root, one, other], document }
    }

    fn author(&self, who: usize) -> AuthorId {
        author(&self.machines[who])
    }

    fn act(&mut self, who: usize, action: Action) -> AuthorityId {
        let id = operate(&mut self.machines[who], self.document, action).unwrap();
        self.machines[who].sync();
        id
    }

    /// An operation that an honest node would not make, signed by hand and brought to the root.
    fn forge(&mut self, who: usize, action: Action) {
        let (document, by) = (self.document, self.author(who));
        let cited = |insight: Insight<'_>| {
            let access = insight.access.unwrap();
            (access.path(&by, Role::Admin).unwrap(), access.heads(&document))
        };
        let (proof, prev) = self.machines[who].engine.documents().look(&document, cited).unwrap();
        let signed = hostile::signed(self.machines[who].node.0[0], document, proof, prev, action);
        let id = signed.id();
        let [root, rest @ ..] = &mut self.machines;
        let forger = &mut rest[who - 1];
        forger.connected(15, root, true);
        root.connected(15, forger, false);
        super::settle(15, forger, root);
        root.receive(15, &hostile::message(&[signed]));
        super::settle(15, forger, root);
        part(15, forger, root);
        let holds = |insight: Insight<'_>| insight.access.unwrap().heads(&document).contains(&id);
        assert!(self.machines[0].engine.documents().look(&document, holds).unwrap());
    }

    fn write(&mut self, who: usize, text: &str) -> ChangeId {
        let id = write(&mut self.machines[who], self.document, text);
        self.machines[who].sync();
        id
    }

    /// Two meet and part.
    fn meet(&mut self, connection: u64, one: usize, other: usize) {
        let (low, high) = (one.min(other), one.max(other));
        let (left, right) = self.machines.split_at_mut(high);
        meet(connection, &mut left[low], &mut right[0]);
        part(connection, &mut left[low], &mut right[0]);
    }

    /// They meet two by two in an order of this seed, and some are started again.
    fn meet_all(mut self, seed: u64) -> (Vec<Machine>, DocumentId) {
        let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7;
        let pairs = [(0, 1), (1, 2), (0, 2)];
        let rest = pairs.iter().chain(&pairs).copied();
        let met: Vec<_> = (0..4).map(|place| pairs[((dice >> (4 * place)) % 3) as usize]).chain(rest).collect();
        for (connection, (one, other)) in (20..).zip(met) {
            self.meet(connection, one, other);
            dice = dice.rotate_left(3);
            if dice.is_multiple_of(2) {
                self.machines[one] = restarted(&self.machines[one], self.document);
            }
        }
        (Vec::from(self.machines), self.document)
    }
}

/// Tells what three did apart in many orders; afterwards every node says the same.
fn check(tell: impl Fn() -> (Apart, Vec<(ChangeId, State)>), shown: &str) {
    for seed in 0..ORDERS {
        let (apart, states) = tell();
        let (machines, document) = apart.meet_all(seed);
        for (number, machine) in and_again(machines, document).iter().enumerate() {
            for (change, expected) in &states {
                let why = reason(machine, document, change);
                assert_eq!(state(machine, document, change), *expected, "order {seed}, node {number}: {why}");
            }
            // What two wrote at the same time may lie in either order.
            let mut words: Vec<String> = machine.text(document).split_whitespace().map(str::to_owned).collect();
            words.sort_unstable();
            assert_eq!(words.join(" "), shown, "order {seed}, node {number}");
        }
    }
}

fn revocation(who: AuthorId, cascade: bool) -> Action {
    Action::Revoke { who: Subject::Key(who), mode: Mode::Endorsed, cascade, keep: Keep::default() }
}

#[test]
fn row_34_two_admins_of_one_level_cannot_revoke_each_other() {
    let tell = || {
        let mut apart = Apart::new(Role::Admin, Role::Admin);
        let (one, other) = (apart.author(1), apart.author(2));
        // Their own nodes would not write it.
        for (who, whom) in [(1, other), (2, one)] {
            let (machine, document) = (&mut apart.machines[who], apart.document);
            assert!(matches!(operate(machine, document, revocation(whom, false)), Err(OperateError::Senior)));
            apart.forge(who, revocation(whom, false));
        }
        let written = [apart.write(1, "one "), apart.write(2, "other ")];
        (apart, written.map(|change| (change, State::Accepted)).to_vec())
    };
    check(tell, "one other root writer");
}

#[test]
fn row_35_a_grant_that_a_revoked_admin_backdates_to_a_puppet_is_void() {
    let tell = || {
        // The third is the puppet: it reads, until the admin, who knows nothing of its own revocation yet, lets it write.
        let mut apart = Apart::new(Role::Admin, Role::Reader);
        let (admin, puppet) = (apart.author(1), apart.author(2));
        apart.act(0, revocation(admin, false));
        apart.act(1, grant(puppet, Role::Writer));
        apart.meet(10, 1, 2);
        let written = apart.write(2, "puppet ");
        assert_eq!(state(&apart.machines[2], apart.document, &written), State::Accepted, "nobody there knows");
        (apart, vec![(written, State::Masked)])
    };
    // What the admin wrote before is not built on by anybody but the puppet, and its revocation kept nothing.
    check(tell, "root");
}

#[test]
fn row_36_what_an_admin_granted_before_stays_unless_the_revocation_cascades() {
    for cascade in [false, true] {
        let tell = || {
            let mut apart = Apart::new(Role::Admin, Role::Reader);
            let (admin, member) = (apart.author(1), apart.author(2));
            apart.act(1, grant(member, Role::Writer));
            apart.meet(10, 0, 1);
            apart.meet(11, 1, 2);
            apart.act(0, revocation(admin, cascade));
            let written = apart.write(2, "member ");
            (apart, vec![(written, if cascade { State::Masked } else { State::Accepted })])
        };
        check(tell, if cascade { "root" } else { "member root writer" });
    }
}

#[test]
fn row_41_a_transfer_twice_makes_two_roots_and_the_seller_writes_no_more() {
    let tell = || {
        let mut apart = Apart::new(Role::Reader, Role::Reader);
        let (buyer, other) = (apart.author(1), apart.author(2));
        apart.act(0, Action::AddRoot { key: buyer });
        apart.meet(10, 0, 1);
        apart.act(0, Action::AddRoot { key: other });
        apart.meet(11, 0, 2);
        let late = apart.write(0, "late ");
        apart.act(0, Action::Relinquish);
        let written = [apart.write(1, "buyer "), apart.write(2, "other ")];
        let states = written.map(|change| (change, State::Accepted)).to_vec();
        (apart, [states, vec![(late, State::Masked)]].concat())
    };
    check(tell, "buyer other root writer");
}
