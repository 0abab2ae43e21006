//! Operations that lie in the store behind one that was lost there: they come in when a peer has sent that. This node may be the
//! only one that holds them.

use pistol_acl::record::SignedOp;
use pistol_core::store::schema::{self, LogNumber};
use pistol_core::store::{Table, Write};

/// What was set aside of a log, with the numbers of its rows.
#[derive(Debug, Default)]
pub(super) struct Aside {
    waiting: Vec<(u32, SignedOp)>,
    /// Rows of those that came in, or were refused, and lie there no longer than until the next commit.
    decided: Vec<u32>,
}

impl Aside {
    pub(super) fn add(&mut self, number: u32, signed: SignedOp) {
        self.waiting.push((number, signed));
    }

    /// The number after the last one.
    pub(super) fn end(&self) -> Option<u32> {
        self.waiting.last().map(|(number, _)| number.saturating_add(1))
    }

    /// Everything that waits, to be tried.
    pub(super) fn take(&mut self) -> Vec<(u32, SignedOp)> {
        std::mem::take(&mut self.waiting)
    }

    /// It came in or is refused, here and everywhere.
    pub(super) fn decide(&mut self, number: u32) {
        self.decided.push(number);
    }

    /// Removes rows whose operations wait no more: those that came in are written in their place with the same commit.
    pub(super) fn write(&mut self, log: LogNumber, writes: &mut Vec<Write>) {
        let removal = |number| Write { table: Table::Operations, key: schema::operation_key(log, number), value: None };
        writes.extend(self.decided.drain(..).map(removal));
    }
}
