//! What is done to a node, and when its power is cut.

use pistol_acl::record::Role;

use super::{Deed, Fault, Survivors};
use crate::chance::Chance;

/// Something that users or the network do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The node makes a document.
    Create,
    /// The node makes a document with members.
    CreateTeam,
    /// The node joins a document with members that the peer makes, in which it may write.
    JoinTeam,
    /// The node invites somebody into a document with members.
    Invite {
        /// Which document.
        document: usize,
    },
    /// The peer joins a document with that invitation, which is used then.
    PeerIsInvited {
        /// Which document.
        document: usize,
    },
    /// A user of the node does something about the peer's part in a document with members.
    Operate {
        /// Which document.
        document: usize,
        /// What.
        deed: Deed,
    },
    /// The peer does something about the node's part, and the node receives it.
    PeerOperates {
        /// In which document.
        document: usize,
        /// What.
        deed: Deed,
    },
    /// A user of the node edits one document, several times at once.
    Edit {
        /// Which.
        document: usize,
        /// How often.
        times: u64,
    },
    /// A user edits every document, which makes one commit.
    EditAll,
    /// A user writes so much that the small rows are sealed into full ones.
    EditLarge {
        /// Which document.
        document: usize,
    },
    /// A user writes as much, of what takes next to no room when it is compressed: such rows come into packs.
    EditDense {
        /// Which document.
        document: usize,
    },
    /// A document gets a name.
    Name {
        /// Which document.
        document: usize,
    },
    /// A user waits until all is durable.
    Flush,
    /// The peer joins a document of the node.
    PeerJoins {
        /// Which document.
        document: usize,
    },
    /// The node joins a document that the peer makes.
    Join,
    /// The peer edits, and the node receives.
    PeerEdits {
        /// Which document.
        document: usize,
        /// How often.
        times: u64,
    },
    /// The peer sends what a later version wrote: it is owed.
    PeerIsNewer,
    /// The connection ends.
    Disconnect,
    /// The next commits meet a fault of the disk, once.
    Disk(Fault, u64),
    /// The node removes a document.
    Forget {
        /// Which.
        document: usize,
    },
    /// The node is closed, its file made as small as what it holds, and the node opened again.
    Compact,
    /// The node is closed and opened again.
    Restart,
    /// Time passes.
    Pass {
        /// In milliseconds.
        milliseconds: u64,
    },
}

/// A power cut.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// After so many writes, changes of length and syncs since the start, or since the cut before.
    pub after: u64,
    /// What of the unsynced is there afterwards.
    pub survivors: Survivors,
}

/// One run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Draws everything that is left open.
    pub seed: u64,
    /// What is done.
    pub steps: Vec<Step>,
    /// When the power is cut.
    pub cuts: Vec<Cut>,
    /// After how many changes snapshots are renewed.
    pub snapshot_changes: u32,
    /// Whether the store is read whole and checked when it is opened, as small ones are.
    pub is_checked: bool,
}

/// Operations within which a later cut of a series comes: so many of them hit the recovery from the one before.
const SOON: u64 = 12;
/// Operations of a step, about.
const OPERATIONS_A_STEP: u64 = 12;

impl Plan {
    /// A workload with everything that a store is used for, without a cut.
    pub fn representative() -> Plan {
        let steps = vec![
            Step::Create,
            Step::Edit { document: 0, times: 3 },
            Step::Flush,
            Step::Create,
            Step::PeerJoins { document: 0 },
            Step::Name { document: 0 },
            Step::EditAll,
            Step::PeerEdits { document: 0, times: 3 },
            Step::EditLarge { document: 0 },
            Step::PeerIsNewer,
            Step::EditLarge { document: 0 },
            Step::Flush,
            Step::Join,
            Step::Pass { milliseconds: 4000 },
            Step::Disk(Fault::SyncFails, 3),
            Step::EditAll,
            Step::Pass { milliseconds: 1000 },
            Step::Disconnect,
            Step::Edit { document: 1, times: 2 },
            Step::Restart,
            Step::PeerEdits { document: 0, times: 2 },
            Step::Disk(Fault::Full, 2),
            Step::Edit { document: 0, times: 1 },
            Step::Pass { milliseconds: 1000 },
            Step::Forget { document: 0 },
            Step::Compact,
            Step::EditAll,
            Step::CreateTeam,
            Step::Operate { document: 3, deed: Deed::Grant(Role::Reader) },
            Step::Invite { document: 3 },
            Step::PeerIsInvited { document: 3 },
            Step::Flush,
        ];
        Plan { seed: 2, steps, cuts: Vec::new(), snapshot_changes: 4, is_checked: true }
    }

    /// A workload of documents with members: what both write comes to be masked, comes back, and goes on.
    pub fn with_members() -> Plan {
        let operate = |deed| Step::Operate { document: 0, deed };
        let peer_operates = |deed| Step::PeerOperates { document: 1, deed };
        let (edit, peer_edits) =
            (|document| Step::Edit { document, times: 2 }, |document| Step::PeerEdits { document, times: 2 });
        let steps = vec![
            Step::CreateTeam,
            Step::PeerJoins { document: 0 },
            operate(Deed::Grant(Role::Writer)),
            peer_edits(0),
            edit(0),
            Step::JoinTeam,
            edit(1),
            // What the peer shows shrinks, then what the node does.
            operate(Deed::Purge),
            peer_operates(Deed::Purge),
            edit(1),
            Step::Pass { milliseconds: 2000 },
            operate(Deed::Adopt),
            peer_operates(Deed::Grant(Role::Writer)),
            edit(1),
            Step::Disconnect,
            edit(1),
            peer_operates(Deed::RevokeWhole { cascade: false }),
            Step::Pass { milliseconds: 1000 },
            Step::Restart,
            operate(Deed::Grant(Role::Admin)),
            peer_operates(Deed::Adopt),
            peer_edits(0),
            peer_operates(Deed::Release),
            edit(1),
            Step::Flush,
        ];
        Plan { seed: 3, steps, cuts: Vec::new(), snapshot_changes: 4, is_checked: true }
    }

    /// A workload of full rows that come into packs, lie behind them, and go with their document.
    pub fn with_packs() -> Plan {
        let steps = vec![
            Step::Create,
            Step::EditDense { document: 0 },
            Step::EditDense { document: 0 },
            Step::Flush,
            Step::Compact,
            Step::EditDense { document: 0 },
            Step::PeerJoins { document: 0 },
            Step::Compact,
            Step::Forget { document: 0 },
        ];
        Plan { seed: 4, steps, cuts: Vec::new(), snapshot_changes: 4, is_checked: false }
    }

    /// The run of a seed: a workload by chance, in two of three with members, and one to four cuts.
    pub fn of_seed(seed: u64) -> Plan {
        let mut plan = Plan::without_members(seed);
        let mut chance = Chance::new(seed ^ 0x6d65_6d62_6572_7300);
        if chance.percent(67) {
            plan.add_members(&mut chance);
        }
        plan.add_dense(&mut Chance::new(seed ^ 0x6465_6e73_6500_0000));
        plan
    }

    /// Some of what is written comes into packs, which are read and taken apart later.
    fn add_dense(&mut self, chance: &mut Chance) {
        for _ in 0..chance.below(5) {
            let document = chance.index(2);
            let place = 2 + chance.index(self.steps.len() - 1);
            self.steps.splice(place..place, [Step::EditDense { document }, Step::EditDense { document }]);
        }
        for _ in 0..chance.below(3) {
            self.steps.insert(2 + chance.index(self.steps.len() - 1), Step::Compact);
        }
    }

    /// The documents of the first steps have members, and both sides do something about them between other steps.
    fn add_members(&mut self, chance: &mut Chance) {
        for step in &mut self.steps {
            match step {
                Step::Create if chance.percent(70) => *step = Step::CreateTeam,
                Step::Join if chance.percent(70) => *step = Step::JoinTeam,
                _ => {}
            }
        }
        self.steps.insert(2, Step::Operate { document: 0, deed: Deed::Grant(Role::Writer) });
        for _ in 0..chance.between(1, 6) {
            let (document, deed) = (chance.index(3), Deed::of(chance));
            let is_peer = chance.percent(50);
            let step = if is_peer { Step::PeerOperates { document, deed } } else { Step::Operate { document, deed } };
            self.steps.insert(3 + chance.index(self.steps.len() - 2), step);
        }
    }

    /// The same without members.
    pub fn without_members(seed: u64) -> Plan {
        let mut chance = Chance::new(seed);
        let count = chance.between(4, 16);
        let mut steps = vec![Step::Create, Step::PeerJoins { document: 0 }];
        steps.extend((0..count).map(|_| step(&mut chance)));
        let first = chance.below(count * OPERATIONS_A_STEP);
        let cuts = (0..chance.between(1, 4)).map(|number| {
            let is_soon = number > 0 && chance.percent(70);
            let after = match number {
                0 => first,
                _ if is_soon => chance.below(SOON),
                _ => chance.below(4 * OPERATIONS_A_STEP),
            };
            let survivors = match chance.below(8) {
                0 => Survivors::None,
                1 => Survivors::All,
                _ => Survivors::Some { seed: chance.number() },
            };
            Cut { after, survivors }
        });
        let cuts = cuts.collect();
        let snapshot_changes = chance.pick(&[2, 5, 20]).unwrap_or(5);
        Plan { seed, steps, cuts, snapshot_changes, is_checked: chance.percent(50) }
    }
}

fn step(chance: &mut Chance) -> Step {
    let document = chance.index(3);
    match chance.below(22) {
        0 => Step::Create,
        1..=5 => Step::Edit { document, times: chance.between(1, 4) },
        6 | 7 => Step::EditAll,
        8 => Step::EditLarge { document },
        9 => Step::Name { document },
        10 | 11 => Step::Flush,
        12 => Step::PeerJoins { document },
        13 => Step::Join,
        14 | 15 => Step::PeerEdits { document, times: chance.between(1, 4) },
        16 => Step::PeerIsNewer,
        17 => Step::Disconnect,
        18 => {
            let fault = chance.pick(&[Fault::SyncFails, Fault::Full, Fault::Fails]).unwrap_or(Fault::Full);
            Step::Disk(fault, chance.below(2 * OPERATIONS_A_STEP))
        }
        19 => Step::Forget { document },
        20 => Step::Compact,
        _ if chance.percent(50) => Step::Restart,
        _ => Step::Pass { milliseconds: chance.between(100, 4000) },
    }
}
