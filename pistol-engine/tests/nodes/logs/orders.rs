//! Nodes that hold the same show the same, whatever came when and whoever was started again in between: random worlds by number.

use std::collections::{BTreeMap, BTreeSet};

use pistol_engine::Effect;

use super::*;

const MACHINES: usize = 4;
const STEPS: usize = 80;
const WORLDS: u64 = 24;

struct World {
    machines: Vec<Machine>,
    links: Vec<(u64, usize, usize)>,
    next_link: u64,
    random: u64,
    documents: Vec<DocumentId>,
    /// Logs of their own, and the seeds of their roots' keys.
    logs: Vec<(DocumentId, Kind, u8)>,
}

/// What a node shows of a document.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    text: String,
    changes: BTreeMap<ChangeId, State>,
    operations: BTreeSet<AuthorityId>,
}

impl World {
    fn new(seed: u64) -> World {
        let machines: Vec<Machine> = (0..MACHINES).map(|at| Machine::new(u8::try_from(at + 1).unwrap())).collect();
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut world = World { machines, links: vec![], next_link: 1, random, documents: vec![], logs: vec![] };
        for (at, kind) in
            [Kind::Identity, Kind::Identity, Kind::Group, Kind::Group, Kind::Group].into_iter().enumerate()
        {
            let seed = u8::try_from(70 + at).unwrap();
            let log = create_log(&mut world.machines[at % MACHINES], kind, &AuthorKey::from_seed(&[seed; 32]));
            world.logs.push((log, kind, seed));
        }
        for at in 0..2 {
            let document = world.machines[at].create_of(Policy::Members, [u8::try_from(at).unwrap(); 16]);
            world.machines[at].sync();
            world.documents.push(document);
        }
        for one in 0..MACHINES {
            world.link(one, (one + 1) % MACHINES);
        }
        for at in 0..MACHINES {
            for (owner, document) in world.documents.clone().into_iter().enumerate().filter(|(owner, _)| *owner != at) {
                // From a neighbour that has it by then, so that not all is heard from its owner.
                let from = if at == owner + 2 { at - 1 } else { owner };
                if from != at {
                    world.join(at, document, from);
                }
            }
        }
        for owner in 0..2 {
            for at in 0..MACHINES {
                let role = if at < 2 { Role::Admin } else { Role::Writer };
                let member = grant(Subject::Key(author(&world.machines[at])), role);
                operate(&mut world.machines[owner], world.documents[owner], member).unwrap();
            }
        }
        settle(&mut world.machines, &world.links);
        world
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 20).unwrap() % bound
    }

    fn link(&mut self, one: usize, other: usize) {
        let link = (self.next_link, one, other);
        self.next_link += 1;
        connect(&mut self.machines, link);
        // They say hello in time.
        carry(&mut self.machines, link.0, one, other);
        carry(&mut self.machines, link.0, other, one);
        self.links.push(link);
    }

    fn join(&mut self, at: usize, document: DocumentId, from: usize) {
        let [one, other] = self.machines.get_disjoint_mut([at, from]).unwrap();
        one.join(document, other);
        settle(&mut self.machines, &self.links);
    }

    fn link_again(&mut self, at: usize) {
        let link = self.links.remove(at);
        part(&mut self.machines, link);
        self.link(link.1, link.2);
    }

    fn restart(&mut self, at: usize) {
        let now_ms = self.machines[at].now_ms;
        assert_eq!(hung_up(&self.machines[at]), None);
        self.machines[at] = self.machines[at].restarted_on(|_| ());
        self.machines[at].now_ms = now_ms;
        self.documents.clone().into_iter().for_each(|document| self.machines[at].command(Command::Open(document)));
        let links: Vec<usize> = (0..self.links.len())
            .rev()
            .filter(|link| {
                let (_, one, other) = self.links[*link];
                one == at || other == at
            })
            .collect();
        links.into_iter().for_each(|link| self.link_again(link));
    }

    fn document(&mut self) -> DocumentId {
        let at = self.below(self.documents.len());
        self.documents[at]
    }

    fn subject(&mut self) -> Subject {
        let at = self.below(8);
        if at < MACHINES {
            return Subject::Key(author(&self.machines[at]));
        }
        let at = self.below(self.logs.len());
        let (log, kind, _) = &self.logs[at];
        // Now and then it is named as what it is not.
        let is_right = !self.random.is_multiple_of(8);
        if (*kind == Kind::Identity) == is_right { Subject::Identity(*log) } else { Subject::Group(*log) }
    }

    fn action(&mut self) -> Action {
        let subject = self.subject();
        match self.below(5) {
            0 => Action::Revoke {
                who: subject,
                mode: if self.below(2) == 0 { Mode::Exact } else { Mode::Endorsed },
                cascade: self.below(2) == 0,
                keep: Keep::default(),
            },
            choice => grant(subject, if choice == 1 { Role::Admin } else { Role::Writer }),
        }
    }

    fn step(&mut self) {
        let at = self.below(MACHINES);
        self.machines[at].now_ms += self.random % 400;
        match self.below(16) {
            0..4 => {
                let document = self.document();
                // Who may not write does not.
                let _ = edit(&self.machines[at], document);
                self.machines[at].give(Input::Wake);
            }
            4..7 => {
                let (document, action) = (self.document(), self.action());
                let _ = self.machines[at].engine.documents().operate(&document, |_| Ok(action));
                self.machines[at].give(Input::Wake);
            }
            7..10 => {
                let (at_log, action) = (self.below(self.logs.len()), self.action());
                let (log, kind, seed) = self.logs[at_log];
                let key = AuthorKey::from_seed(&[seed; 32]);
                let fits = |subject: &Subject| kind == Kind::Group || matches!(subject, Subject::Key(_));
                let is_meant = match &action {
                    Action::Grant { to, .. } => fits(to),
                    _ => true,
                };
                if is_meant && self.machines[at].engine.catalog().entry(&log).is_some() {
                    self.machines[at].command(Command::Open(log));
                    let _ = self.machines[at].engine.documents().operate_as(&log, Some(&key), |_| Ok(action));
                    self.machines[at].give(Input::Wake);
                }
            }
            10 => {
                let link = self.below(self.links.len());
                self.link_again(link);
            }
            11 => self.restart(at),
            12 => drop(self.machines[at].sync_once()),
            _ => {
                let link = self.below(self.links.len());
                let (connection, one, other) = self.links[link];
                let (from, to) = if self.below(2) == 0 { (one, other) } else { (other, one) };
                carry(&mut self.machines, connection, from, to);
            }
        }
    }

    /// All meet, for as long as it takes.
    fn meet(&mut self) {
        for _ in 0..16 {
            settle(&mut self.machines, &self.links);
            for machine in &mut self.machines {
                machine.now_ms += 5000;
                machine.give(Input::Wake);
            }
        }
        settle(&mut self.machines, &self.links);
    }
}

/// Why a node closed a connection, if it did.
fn hung_up(machine: &Machine) -> Option<&str> {
    machine.effects.iter().find_map(|effect| match effect {
        Effect::Close { reason, .. } => Some(reason.as_str()),
        _ => None,
    })
}

fn shown(machine: &Machine, document: DocumentId) -> Shown {
    let text = machine.text(document);
    let look = |insight: pistol_engine::Insight<'_>| {
        let access = insight.access.unwrap();
        assert!(insight.state.damage.is_none());
        let ids = (1..insight.held.next()).filter_map(|ordinal| insight.held.id(ordinal));
        let changes = ids.map(|id| (id, access.state(&id))).collect();
        (changes, access.operations(&document, 0).map(pistol_acl::SignedOp::id).collect())
    };
    let (changes, operations) = machine.engine.documents().look(&document, look).unwrap();
    Shown { text, changes, operations }
}

#[test]
fn nodes_that_heard_the_same_in_any_order_show_the_same() {
    let (mut accepted, mut masked) = (0, 0);
    for seed in 1..=WORLDS {
        let mut world = World::new(seed);
        (0..STEPS).for_each(|_| world.step());
        world.meet();
        // Somebody who heard nothing before hears it from one of them.
        let (newcomer, from) = (world.machines.len(), world.below(MACHINES));
        world.machines.push(Machine::new(9));
        world.machines[newcomer].now_ms = world.machines[0].now_ms;
        world.link(newcomer, from);
        world.documents.clone().into_iter().for_each(|document| world.join(newcomer, document, from));
        world.meet();
        for (at, machine) in world.machines.iter().enumerate() {
            assert_eq!(hung_up(machine), None, "world {seed}, machine {at}");
        }
        for document in world.documents.clone() {
            let expected = shown(&world.machines[0], document);
            accepted += expected.changes.values().filter(|state| **state == State::Accepted).count();
            masked += expected.changes.values().filter(|state| **state == State::Masked).count();
            for (at, machine) in world.machines.iter().enumerate() {
                assert_eq!(shown(machine, document), expected, "world {seed}, machine {at}");
                assert_eq!(shown(&restarted(machine, document), document), expected, "world {seed}, {at} again");
            }
        }
    }
    assert!(accepted > 0 && masked > 0, "{accepted} accepted and {masked} masked");
}

/// Carries one way what waits to be sent.
fn carry(machines: &mut [Machine], connection: u64, from: usize, to: usize) {
    for message in machines[from].sent(connection) {
        machines[to].receive(connection, &message);
    }
}

#[test]
fn two_who_ask_each_other_for_a_log_that_both_have_just_got_go_on() {
    let links = [(1, 1, 0), (2, 2, 0), (3, 2, 1)];
    let mut machines = vec![Machine::new(1), Machine::new(2), Machine::new(3)];
    let document = machines[0].create_of(Policy::Members, [0; 16]);
    machines[0].sync();
    for at in [1, 2] {
        let [owner, other] = machines.get_disjoint_mut([0, at]).unwrap();
        other.join(document, owner);
    }
    links.into_iter().for_each(|link| connect(&mut machines, link));
    settle(&mut machines, &links);
    let [one, other] = machines.get_disjoint_mut([2, 1]).unwrap();
    one.join(document, other);
    settle(&mut machines, &links);
    machines.iter_mut().for_each(|machine| {
        machine.now_ms += 60_000;
        machine.give(Input::Wake);
    });
    settle(&mut machines, &links);
    let identity = create_log(&mut machines[0], Kind::Identity, &root_key());
    operate(&mut machines[0], document, grant(Subject::Identity(identity), Role::Writer)).unwrap();
    // The one who dialled hears of the log and asks the other, who has not heard of it and says no.
    carry(&mut machines, 2, 0, 2);
    machines[2].sync();
    carry(&mut machines, 3, 2, 1);
    carry(&mut machines, 3, 1, 2);
    // The other hears of it and asks for it, while the first gets it from the owner and asks again.
    machines[1].sync();
    settle(&mut machines, &links[1..2]);
    // The other gets it from the owner too, and then the questions meet.
    carry(&mut machines, 1, 0, 1);
    settle(&mut machines, &links[..1]);
    let has = |machine: &Machine| machine.engine.catalog().entry(&identity).is_some();
    assert!(machines.iter().all(has));
    settle(&mut machines, &links[2..]);
    assert!(machines.iter().all(|machine| hung_up(machine).is_none()));
    operate_as(&mut machines[1], identity, &root_key(), grant(Subject::Key(root_key().id()), Role::Writer));
    settle(&mut machines, &links[2..]);
    let operations = |machine: &Machine| {
        machine.engine.documents().look(&identity, |insight| insight.access.unwrap().operations(&identity, 0).count())
    };
    assert_eq!([1, 2].map(|at| operations(&machines[at])), [Ok(1), Ok(1)]);
}
