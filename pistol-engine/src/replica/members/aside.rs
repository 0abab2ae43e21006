//! Operations that lie in the store behind one that was lost there: they come in when a peer has sent that. This node may be the
//! only one that holds them.

use pistol_acl::record::SignedOp;
use pistol_core::store::schema::{self, LogNumber};
use pistol_core::store::{Table, Write};

/// What was set aside of a log, with the numbers of its rows.
#[derive(Debug, Default)]
pub(super) struct Aside(Vec<(u32, SignedOp)>);

impl Aside {
    pub(super) fn add(&mut self, number: u32, signed: SignedOp) {
        self.0.push((number, signed));
    }

    /// The number after the last one.
    pub(super) fn end(&self) -> Option<u32> {
        self.0.last().map(|(number, _)| number.saturating_add(1))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &SignedOp> {
        self.0.iter().map(|(_, signed)| signed)
    }

    /// The rows of those that are in the log now go: they are written in their place with the same commit.
    pub(super) fn remove_entered(
        &mut self,
        log: LogNumber,
        is_in: impl Fn(&SignedOp) -> bool,
        writes: &mut Vec<Write>,
    ) {
        self.0.retain(|(number, signed)| {
            let is_in = is_in(signed);
            if is_in {
                writes.push(Write { table: Table::Operations, key: schema::operation_key(log, *number), value: None });
            }
            !is_in
        });
    }
}
