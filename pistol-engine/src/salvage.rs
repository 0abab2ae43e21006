//! What the rows of a log hold when some of them are damaged, and how to go on with the rest.
//!
//! Rows before the damage stay. Readable changes after it stay too: those that need nothing which is missing are written
//! after the others, and the rest is set aside until peers have sent what was lost. Nothing readable is thrown away.

use std::collections::BTreeMap;
use std::sync::Arc;

use pistol_acl::SignedOp;
use pistol_core::envelope::{Verified, VerifiedChange};
use pistol_core::genesis::Genesis;
use pistol_core::id::{AuthorityId, DocumentId};
use pistol_core::key::Verifier;
use pistol_core::store::scan::scan;
use pistol_core::store::schema::{self, Damage, EndRecord, LogNumber};
use pistol_core::store::{Batch, Row, Store, StoreError, Table};
use pistol_core::validate::{Check, History, Ordinal};

use crate::engine::verified;
use crate::other_log::{OtherLog, other_logs};
use crate::replica::{Members, cut_into_rows};

/// A document whose rows are to be put in order; done by whoever holds the store.
#[derive(Clone, Debug)]
pub struct Salvage {
    /// Which.
    pub document: DocumentId,
    /// Its number in the store.
    pub log: LogNumber,
    /// Its genesis.
    pub genesis: Arc<Genesis>,
}

impl Salvage {
    /// Puts the rows in order. The document opens after it, with what could be read.
    ///
    /// # Errors
    /// [`StoreError`]; the store is then as before. [`StoreError::Damaged`] if more than rows are damaged.
    pub fn run(&self, store: &mut impl Store) -> Result<(), StoreError> {
        let inspection = Inspection::of(store, self.log, &self.genesis)?;
        if inspection.has_holes {
            // What is written to a file whose pages are not what they were may destroy more.
            let reason =
                "a part of the file cannot be read; close the store and run `pistol doctor --repair`".to_owned();
            return Err(StoreError::Damaged { reason });
        }
        store.commit(&inspection.repair(false))
    }
}

/// What of a document lies elsewhere in its store.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// Envelopes, as they rest.
    pub envelopes: Vec<Vec<u8>>,
    /// Operations of its log, in the order in which they came.
    pub operations: Vec<SignedOp>,
}

/// What was found in the rows of a log.
#[derive(Debug)]
pub struct Inspection {
    log: LogNumber,
    document: DocumentId,
    history: History,
    /// Of a document with members: its history, and its log.
    members: Option<Members>,
    /// The logs that it depends on.
    pub(crate) others: Vec<OtherLog>,
    /// Operations of the log that are there and cannot be taken in.
    lost_operations: usize,
    /// Those of them that can be read, and follow on some that are missing.
    aside_operations: Vec<SignedOp>,
    /// Whether operations that lay elsewhere were taken in.
    has_gained_operations: bool,
    /// Rows that stay as they are.
    kept: BTreeMap<Ordinal, Table>,
    /// Changes of small rows before the damage, and of all readable rows after it, in an order in which they are valid.
    moved: Vec<VerifiedChange>,
    /// Rows whose changes wait for some that are missing.
    aside: Vec<Waiting>,
    /// All keys of rows, good or not.
    keys: Vec<(Table, Vec<u8>)>,
    /// The number after the last change that there was.
    expected: Ordinal,
    end: Option<EndRecord>,
    damaged_rows: usize,
    has_holes: bool,
}

/// A readable row behind a missing one.
#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    changes: Vec<VerifiedChange>,
}

impl Inspection {
    /// Reads and checks all rows of a log, as strictly as if a peer had sent them.
    ///
    /// # Errors
    /// [`StoreError`] other than damage, which is what is looked for.
    pub fn of(store: &(impl Store + ?Sized), log: LogNumber, genesis: &Arc<Genesis>) -> Result<Self, StoreError> {
        Inspection::with(store, log, genesis, Elsewhere::default())
    }

    /// Reads and checks all rows of a log, and others that lay elsewhere.
    ///
    /// # Errors
    /// [`StoreError`] other than damage, which is what is looked for.
    pub fn with(
        store: &(impl Store + ?Sized),
        log: LogNumber,
        genesis: &Arc<Genesis>,
        elsewhere: Elsewhere,
    ) -> Result<Self, StoreError> {
        let history =
            History::new(Arc::clone(genesis)).map_err(|rule| StoreError::Damaged { reason: rule.to_string() })?;
        let mut inspection = Inspection {
            log,
            document: genesis.id(),
            history,
            members: Members::of(genesis),
            others: Vec::new(),
            lost_operations: 0,
            aside_operations: Vec::new(),
            has_gained_operations: false,
            kept: BTreeMap::new(),
            moved: Vec::new(),
            aside: Vec::new(),
            keys: Vec::new(),
            expected: 1,
            end: None,
            damaged_rows: 0,
            has_holes: false,
        };
        let mut verifier = Verifier::default();
        if inspection.members.is_some() {
            let operations =
                inspection.read_range(store, Table::Operations, schema::operations_from(inspection.log, 0))?;
            inspection.take_others(store, genesis, &operations, &mut verifier)?;
            inspection.take_operations(&operations, elsewhere.operations, &mut verifier);
        }
        let rows = inspection.read(store)?;
        let ends = inspection.read_range(store, Table::Ends, schema::ends_range(log))?;
        inspection.take_rows(rows, &mut verifier);
        inspection.take_ends(ends, &mut verifier);
        for bytes in elsewhere.envelopes {
            let changes = verified(inspection.document, &bytes, &mut verifier).unwrap_or_default();
            inspection.aside.push(Waiting { bytes, changes });
        }
        inspection.accept_waiting();
        inspection.expect();
        Ok(inspection)
    }

    /// Whether nothing is missing, and every row is what was written.
    pub fn is_whole(&self) -> bool {
        let is_told = self.end.is_some_and(|end| end.end == self.history().next() && end.damage.is_none());
        self.damaged_rows == 0
            && self.lost_operations == 0
            && !self.has_holes
            && self.aside.is_empty()
            && self.missing() == 0
            && is_told
    }

    /// Whether a row is an envelope of a document.
    pub fn is_of(document: DocumentId, row: &[u8]) -> bool {
        verified(document, row, &mut Verifier::default()).is_ok()
    }

    /// Whether an operation is part of the log, wherever it lay.
    pub fn holds(&self, operation: &AuthorityId) -> bool {
        self.members.as_ref().is_some_and(|members| members.access().holds(operation))
    }

    /// Whether what is missing is known, and the owner goes on without it.
    pub fn is_accepted(&self) -> bool {
        let is_told = |end: EndRecord| end.end == self.history().next() && end.damage.is_some_and(|d| d.is_accepted);
        self.damaged_rows == 0 && !self.has_holes && self.end.is_some_and(is_told)
    }

    /// Whether nothing that is known of is missing.
    pub fn is_complete(&self) -> bool {
        self.missing() == 0 && self.aside.is_empty() && !self.may_miss_more()
    }

    /// How many changes can be read and shown.
    pub fn readable(&self) -> u32 {
        self.history().next().saturating_sub(1)
    }

    /// How many more can be read, but need some that are missing.
    pub fn waiting(&self) -> u32 {
        let count: usize = self.aside.iter().map(|waiting| waiting.changes.len()).sum();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// How many changes are known to be missing.
    pub fn missing(&self) -> u32 {
        (self.expected - 1).saturating_sub(self.readable()).saturating_sub(self.waiting())
    }

    /// How many rows are not what was written there.
    pub fn damaged_rows(&self) -> usize {
        self.damaged_rows
    }

    /// Whether a part of the file could not be read, or how far the log went is not known: then there may have been more.
    pub fn may_miss_more(&self) -> bool {
        self.has_holes || self.end.is_none() || self.lost_operations > 0
    }

    /// What makes the rows whole again, as far as they can be read. `is_accepted`: whether the owner goes on without what is
    /// missing.
    pub fn repair(&self, is_accepted: bool) -> Batch {
        let mut batch = Batch::default();
        if self.is_whole() && !self.has_gained_operations {
            return batch;
        }
        for (table, key) in &self.keys {
            let place = schema::envelope_position(key).ok().map(|(_, first)| first);
            if place.and_then(|first| self.kept.get(&first)) != Some(table) {
                batch.remove(*table, key.as_slice());
            }
        }
        let moved = u32::try_from(self.moved.len()).unwrap_or(u32::MAX);
        let mut first = self.history().next().saturating_sub(moved);
        for row in cut_into_rows(&self.moved, None) {
            let bytes = Verified::seal(self.document, row).to_bytes();
            batch.put(Table::Envelopes, schema::envelope_key(self.log, first), bytes);
            first = first.saturating_add(u32::try_from(row.len()).unwrap_or(u32::MAX));
        }
        for (number, signed) in self.members.iter().flat_map(|members| members.durable_from(0)) {
            batch.put(Table::Operations, schema::operation_key(self.log, number), signed.bytes());
        }
        for (number, signed) in (schema::OPERATIONS_ASIDE..).zip(&self.aside_operations) {
            batch.put(Table::Operations, schema::operation_key(self.log, number), signed.bytes());
        }
        for (number, waiting) in (1..).zip(&self.aside) {
            batch.put(Table::Ends, schema::aside_key(self.log, number), waiting.bytes.as_slice());
        }
        batch.put(Table::Ends, self.log.key(), self.end_after_repair(is_accepted).to_value());
        // What was lost may be this node's own and held by others: going on after what is left would fork the session.
        batch.remove(Table::Sessions, self.log.key());
        // The picture may be all that is left of what was lost. It is not shown, and kept until the owner goes on without it.
        if is_accepted {
            batch.remove(Table::Snapshots, self.log.key());
        }
        batch
    }

    /// A log of which nothing is known to be missing may miss what nothing tells of: it opens, and that is told until it was
    /// equal with a peer's.
    fn end_after_repair(&self, is_accepted: bool) -> EndRecord {
        let known = self.end.and_then(|end| end.damage);
        let is_short = self.missing() > 0 || !self.aside.is_empty();
        let is_accepted = is_accepted || !is_short || known.is_some_and(|damage| damage.is_accepted);
        let damage = Damage { expected: self.expected, is_accepted };
        let damage = Some(damage).filter(|_| is_short || self.may_miss_more() || known.is_some());
        let operations = self.members.as_ref().map_or(0, Members::durable);
        EndRecord { end: self.history().next(), damage, operations }
    }

    fn read(&mut self, store: &(impl Store + ?Sized)) -> Result<BTreeMap<Ordinal, (Table, Vec<u8>)>, StoreError> {
        let mut all = BTreeMap::new();
        for table in [Table::Envelopes, Table::Tail] {
            for (key, value) in self.read_range(store, table, schema::envelopes_from(self.log, 0))? {
                if let Ok((_, first)) = schema::envelope_position(&key) {
                    all.entry(first).or_insert((table, value));
                }
            }
        }
        Ok(all)
    }

    fn read_range(
        &mut self,
        store: &(impl Store + ?Sized),
        table: Table,
        (from, to): (Vec<u8>, Vec<u8>),
    ) -> Result<Vec<Row>, StoreError> {
        let mut all = Vec::new();
        let found = scan(store, table, (&from, &to), &mut |rows| {
            all.extend(rows);
            Ok(())
        })?;
        self.damaged_rows += found.damaged.len();
        if table == Table::Operations {
            self.lost_operations += found.damaged.len();
        }
        self.has_holes |= found.has_holes;
        for key in &found.damaged {
            // That there was a change at its place is known.
            let is_of_change = !matches!(table, Table::Ends | Table::Operations);
            let place = schema::envelope_position(key).ok().filter(|_| is_of_change);
            self.expected = self.expected.max(place.map_or(1, |(_, first)| first.saturating_add(1)));
        }
        let readable = all.iter().map(|(key, _)| key.clone());
        self.keys.extend(readable.chain(found.damaged).map(|key| (table, key)));
        Ok(all)
    }

    /// Rows before any damage stay; what follows it waits.
    fn take_rows(&mut self, rows: BTreeMap<Ordinal, (Table, Vec<u8>)>, verifier: &mut Verifier) {
        let mut is_cut = false;
        for (first, (table, bytes)) in rows {
            let Ok(changes) = verified(self.document, &bytes, verifier) else {
                (is_cut, self.damaged_rows) = (true, self.damaged_rows + 1);
                self.expected = self.expected.max(first.saturating_add(1));
                continue;
            };
            let count = u32::try_from(changes.len()).unwrap_or(u32::MAX);
            self.expected = self.expected.max(first.saturating_add(count));
            is_cut |= first != self.history().next();
            let accepted = changes.iter().take_while(|change| !is_cut && self.accept(change)).count();
            is_cut |= accepted < changes.len();
            if !is_cut && table == Table::Envelopes && self.moved.is_empty() {
                self.kept.insert(first, table);
                continue;
            }
            self.moved.extend(changes.iter().take(accepted).cloned());
            self.aside.extend(is_cut.then_some(Waiting { bytes, changes }));
        }
    }

    fn take_ends(&mut self, rows: Vec<Row>, verifier: &mut Verifier) {
        for (key, value) in rows {
            if key == self.log.key() {
                self.end = EndRecord::from_value(&value).ok();
                let (told, there) =
                    (self.end.map_or(0, |end| end.operations), self.members.as_ref().map_or(0, Members::durable));
                self.lost_operations = self.lost_operations.max(told.saturating_sub(there) as usize);
            } else if let Ok(changes) = verified(self.document, &value, verifier) {
                self.aside.push(Waiting { bytes: value, changes });
            } else {
                self.damaged_rows += 1;
            }
        }
    }

    fn accept(&mut self, change: &VerifiedChange) -> bool {
        let Check::Valid(valid) = self.history().check(change) else { return false };
        if let Some(members) = &mut self.members {
            return members.accept(*valid).is_ok();
        }
        let admitted = pistol_acl::judge(&self.history, *valid);
        admitted.is_ok_and(|admitted| self.history.accept(admitted.into_valid()).is_ok())
    }

    fn history(&self) -> &History {
        self.members.as_ref().map_or(&self.history, |members| members.ready().history())
    }

    /// Takes in the logs on which the document's own may stand.
    fn take_others(
        &mut self,
        store: &(impl Store + ?Sized),
        genesis: &Arc<Genesis>,
        rows: &[Row],
        verifier: &mut Verifier,
    ) -> Result<(), StoreError> {
        let own: Vec<SignedOp> = rows.iter().filter_map(|(_, value)| SignedOp::verify(value, verifier).ok()).collect();
        self.others = other_logs(store, genesis, &own)?;
        for other in &self.others {
            if let Some(members) = &mut self.members {
                members.take_checked_other(&other.genesis, &other.operations);
            }
        }
        Ok(())
    }

    /// Takes in the readable operations: its own, then those from elsewhere. One that follows on a lost one is lost with it,
    /// until peers send both.
    fn take_operations(&mut self, rows: &[Row], elsewhere: Vec<SignedOp>, verifier: &mut Verifier) {
        let Some(members) = &mut self.members else { return };
        let mut waiting = Vec::new();
        for (key, value) in rows {
            let is_next = schema::operation_position(key).is_ok_and(|(_, number)| number == members.durable());
            let signed = SignedOp::verify(value, verifier).ok();
            let is_taken = signed.as_ref().is_some_and(|signed| members.take_stored(signed.clone()).is_ok());
            self.lost_operations += usize::from(!is_next || !is_taken);
            waiting.extend(signed.filter(|_| !is_taken));
        }
        let own = members.durable();
        // What an own one follows on may lie elsewhere.
        self.aside_operations = take_waiting(members, waiting.into_iter().chain(elsewhere).collect());
        self.has_gained_operations = members.durable() > own;
    }

    /// Whether a change needs others, or operations, that are missing.
    fn waits(&self, change: &VerifiedChange) -> bool {
        match self.history().check(change) {
            Check::Missing(_) => true,
            Check::Valid(_) => self.members.as_ref().is_some_and(|members| members.lacks(change).is_some()),
            Check::Known | Check::Rejected(_) => false,
        }
    }

    /// Accepts what waits, as far as what it needs is there.
    fn accept_waiting(&mut self) {
        let mut waiting = std::mem::take(&mut self.aside);
        loop {
            let before = self.moved.len();
            for change in waiting.iter().flat_map(|waiting| &waiting.changes) {
                if self.accept(change) {
                    self.moved.push(change.clone());
                }
            }
            if self.moved.len() == before {
                break;
            }
        }
        waiting.iter_mut().for_each(|waiting| waiting.changes.retain(|change| self.waits(change)));
        waiting.retain(|waiting| !waiting.changes.is_empty());
        self.aside = waiting;
    }

    fn expect(&mut self) {
        let told = self.end.map_or(1, |end| end.damage.map_or(end.end, |damage| damage.expected.max(end.end)));
        let found = self.history().next().saturating_add(self.waiting());
        self.expected = self.expected.max(told).max(found);
    }
}

/// Takes in operations, as far as what they follow on is there. Returns the others.
fn take_waiting(members: &mut Members, mut waiting: Vec<SignedOp>) -> Vec<SignedOp> {
    loop {
        let before = members.durable();
        waiting.retain(|signed| !members.access().holds(&signed.id()) && members.take_stored(signed.clone()).is_err());
        if members.durable() == before {
            return waiting;
        }
    }
}
