//! Reading the logs that a document depends on, while it is opened: its own operations may stand on theirs, and the changes that come
//! after do.

use std::collections::BTreeSet;
use std::sync::Arc;

use pistol_acl::Need;
use pistol_acl::record::SignedOp;
use pistol_core::genesis::Genesis;
use pistol_core::id::DocumentId;
use pistol_core::key::Verifier;
use pistol_core::store::schema::{self, LogNumber};
use pistol_core::store::{Row, Table};

use super::under_way::KeyRange;
use crate::catalog::Catalog;
use crate::engine::fits;
use crate::replica::Members;

/// What is read of other logs.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Operations of the document's own log that stand on what is not read yet, or follow on such.
    own: Vec<SignedOp>,
    seen: BTreeSet<DocumentId>,
    reading: Option<Reading>,
}

#[derive(Debug)]
struct Reading {
    log: DocumentId,
    number: LogNumber,
    /// None while its genesis is read.
    genesis: Option<Arc<Genesis>>,
    taken: u32,
}

impl Others {
    /// How many of the document's own operations were read and wait.
    pub(super) fn waiting(&self) -> u32 {
        u32::try_from(self.own.len()).unwrap_or(u32::MAX)
    }

    /// Takes in the next operation of the document's own log, in its turn.
    pub(super) fn take_own(&mut self, members: &mut Members, signed: SignedOp) -> Result<(), String> {
        if !self.own.is_empty() || members.waits(&signed) {
            self.own.push(signed);
            return Ok(());
        }
        members.take_stored(signed)
    }

    /// What is wanted next.
    pub(super) fn wants(&self) -> Option<(Table, KeyRange)> {
        let reading = self.reading.as_ref()?;
        Some(match reading.genesis {
            None => (Table::Logs, reading.number.range()),
            Some(_) => (Table::Operations, schema::operations_from(reading.number, reading.taken)),
        })
    }

    /// Goes on with the next log that the document leads to and that the store holds. Whether there is one.
    ///
    /// # Errors
    /// Operations of the document's own log stand on what no log holds.
    pub(super) fn begin_next(&mut self, members: &mut Members, catalog: &Catalog) -> Result<bool, String> {
        let own = std::mem::take(&mut self.own);
        own.into_iter().try_for_each(|signed| self.take_own(members, signed))?;
        let held = |need: &Need| catalog.log(&need.log).filter(|log| log.is_durable && fits(log.kind, *need));
        let next = members.needs_held(|need| held(need).is_some()).into_iter().find_map(|need| {
            let is_new = !self.seen.contains(&need.log) && members.taken_of(&need.log).is_none();
            is_new.then_some((need.log, held(&need)?.number))
        });
        self.reading = next.map(|(log, number)| Reading { log, number, genesis: None, taken: 0 });
        self.seen.extend(next.map(|(log, _)| log));
        if self.reading.is_none() && !self.own.is_empty() {
            return Err("operations of other logs, on which some stand, are missing".to_owned());
        }
        Ok(self.reading.is_some())
    }

    /// Takes in rows of the log that is being read. Whether it was read as far as it goes.
    pub(super) fn take(&mut self, members: &mut Members, rows: &[Row], verifier: &mut Verifier) -> bool {
        let Some(reading) = &mut self.reading else { return true };
        let Some(genesis) = reading.genesis.clone() else {
            // One that is damaged is put in order when it is opened itself, and given then.
            reading.genesis = super::genesis(reading.log, rows, verifier).ok().map(Arc::new);
            return reading.genesis.as_ref().is_none_or(|genesis| {
                members.take_other(genesis, 0, &[]);
                false
            });
        };
        let operation = |(key, value): &Row| {
            let (_, number) = schema::operation_position(key).ok()?;
            Some((number, SignedOp::verify(value, verifier).ok()?))
        };
        let read: Vec<_> = rows.iter().map_while(operation).collect();
        let in_order = (reading.taken..).zip(&read).take_while(|(next, (number, _))| next == number);
        let operations: Vec<SignedOp> = in_order.map(|(_, (_, signed))| signed.clone()).collect();
        members.take_other(&genesis, reading.taken, &operations);
        reading.taken = reading.taken.saturating_add(u32::try_from(operations.len()).unwrap_or(u32::MAX));
        rows.is_empty() || operations.len() < rows.len()
    }
}
