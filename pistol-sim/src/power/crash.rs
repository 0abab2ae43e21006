//! The power goes and comes back.

use pistol_core::id::DocumentId;
use pistol_core::store::redb::faults::Fault;
use pistol_engine::Command;

use super::Breach;
use super::pair::{Asked, Due, Pair, Side, Stop};
use crate::user::Made;

impl Pair {
    /// Plans the next cut on the disk as it is now.
    pub(super) fn plan_cut(&mut self) {
        if let Some(cut) = self.later_cuts.pop_front() {
            self.survivors = cut.survivors;
            self.machine.sectors.fault_after(cut.after, Fault::PowerCut);
        }
    }

    /// The power is out. It comes back as often as it takes to open the store again.
    pub(super) fn crash(&mut self) -> Result<(), Breach> {
        loop {
            self.tally.crashes += 1;
            self.tally.operations += self.machine.sectors.operations();
            self.lose_connection();
            self.asked.retain(|_, (by, _)| *by == Side::Peer);
            self.machine.power_up(self.survivors);
            self.plan_cut();
            match self.start() {
                Ok(()) => return Ok(()),
                Err(Stop::NoPower) => self.tally.crashes_in_recovery += 1,
                Err(Stop::Broken(breach)) => return Err(breach),
            }
        }
    }

    /// What was sent still arrives; the peer then learns that nobody is there any more.
    fn lose_connection(&mut self) {
        self.due.retain(|due| matches!(due, Due::Input(Side::Peer, _) | Due::Commit(Side::Peer)));
        if let Some(connection) = self.connection {
            self.hang_up(Side::Peer, connection);
        }
    }

    /// Opens the store, looks whether all is there, and starts the node on it.
    pub(super) fn start(&mut self) -> Result<(), Stop> {
        self.machine.open()?.ok_or(Stop::NoPower)?;
        if self.machine.compare()? {
            self.tally.kept += 1;
        }
        let durable = &self.machine.node.disk.platter.held;
        if let Some(id) = self.sent.iter().find(|id| !durable.contains(id)) {
            return Err(Breach::Lost(format!("{id:?} was sent and is gone")).into());
        }
        let rows = self.machine.rows()?;
        let (now, bounds) = (self.now(), (self.snapshot_changes, pistol_engine::OPEN_BYTES));
        let started = self.machine.node.start_with(rows, true, bounds, now, &mut self.chance);
        started.map_err(|error| Breach::Lost(format!("the node does not start: {error}")))?;
        let held: Vec<DocumentId> = self.made.iter().map(Made::id).filter(|id| self.holds(Side::Machine, id)).collect();
        held.into_iter().for_each(|id| self.ask(Side::Machine, Command::Open(id), Asked::Open(id)));
        Ok(())
    }

    /// The node's file is made small, which nobody may have open meanwhile.
    pub(super) fn compact(&mut self) -> Result<(), Stop> {
        self.close()?;
        self.machine.open()?.ok_or(Stop::NoPower)?;
        if !self.machine.compact() {
            return Err(Stop::NoPower);
        }
        self.tally.packed += u64::from(self.machine.has_packs());
        self.start()
    }

    /// The node is closed and opened again, as programs are.
    pub(super) fn restart(&mut self) -> Result<(), Stop> {
        self.close()?;
        self.start()
    }

    fn close(&mut self) -> Result<(), Stop> {
        self.settle()?;
        self.lose_connection();
        self.asked.retain(|_, (by, _)| *by == Side::Peer);
        if !self.machine.stop() {
            return Err(Stop::NoPower);
        }
        Ok(())
    }
}
