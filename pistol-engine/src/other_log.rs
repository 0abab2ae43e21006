//! A log that a document depends on, read whole from a store or a file: where nothing runs that could give it piece by piece.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pistol_acl::{Need, SignedOp};
use pistol_core::genesis::Genesis;
use pistol_core::id::DocumentId;
use pistol_core::key::Verifier;
use pistol_core::store::scan::{END, scan};
use pistol_core::store::schema::{self, LogNumber, LogRecord};
use pistol_core::store::{Row, Store, StoreError, Table};

use crate::catalog::Catalog;
use crate::engine::fits;
use crate::replica::Members;

/// A log of its own, as a store or a file holds it.
#[derive(Clone, Debug)]
pub(crate) struct OtherLog {
    pub(crate) genesis: Arc<Genesis>,
    /// In an order in which each comes after what it follows on.
    pub(crate) operations: Vec<SignedOp>,
}

/// The logs that a document leads to and that a store holds, as far as they can be read. Those that others need come first.
pub(crate) fn other_logs(
    store: &(impl Store + ?Sized),
    genesis: &Arc<Genesis>,
    own: &[SignedOp],
) -> Result<Vec<OtherLog>, StoreError> {
    let mut found: Vec<OtherLog> = Vec::new();
    let Some(mut members) = Members::of(genesis).filter(|_| own.iter().any(|signed| signed.need().is_some())) else {
        return Ok(found);
    };
    let held = logs(store)?;
    let mut seen = BTreeSet::new();
    loop {
        members.take_all_stored(own);
        let is_held = |need: &Need| held.get(&need.log).is_some_and(|(_, genesis)| fits(genesis.terms().kind, *need));
        let mut needs = members.needs_held(is_held).into_iter();
        let Some(need) = needs.find(|need| !seen.contains(&need.log)) else { break };
        seen.insert(need.log);
        let Some((number, genesis)) = held.get(&need.log) else { continue };
        let operations = operations(store, *number)?;
        members.take_checked_other(genesis, &operations);
        found.push(OtherLog { genesis: Arc::clone(genesis), operations });
    }
    found.reverse();
    Ok(found)
}

/// The documents of a store, for who opens one of them that depends on others; none if it does not.
pub(crate) fn catalog_for(store: &impl Store, log: LogNumber) -> Result<Catalog, StoreError> {
    let catalog = Catalog::default();
    if operations(store, log)?.iter().any(|signed| signed.need().is_some()) {
        each_log(store, |row| drop(catalog.take_row(Table::Logs, row)))?;
    }
    Ok(catalog)
}

/// The operations of a log, up to the first that cannot be read.
fn operations(store: &(impl Store + ?Sized), log: LogNumber) -> Result<Vec<SignedOp>, StoreError> {
    let (mut rows, mut verifier) = (Vec::new(), Verifier::default());
    let (from, to) = schema::operations_from(log, 0);
    scan(store, Table::Operations, (&from, &to), &mut |page: Vec<Row>| {
        rows.extend(page);
        Ok(())
    })?;
    let operation = |(next, (key, value)): (u32, &Row)| {
        let (_, number) = schema::operation_position(key).ok()?;
        SignedOp::verify(value, &mut verifier).ok().filter(|_| number == next)
    };
    Ok((0..).zip(&rows).map_while(operation).collect())
}

/// The logs of a store that are no documents.
fn logs(store: &(impl Store + ?Sized)) -> Result<BTreeMap<DocumentId, (LogNumber, Arc<Genesis>)>, StoreError> {
    let (mut logs, mut verifier) = (BTreeMap::new(), Verifier::default());
    each_log(store, |(key, value)| {
        let record = LogRecord::from_value(value).ok().filter(|record| !record.is_removed());
        let is_log =
            |record: &LogRecord| Genesis::glance(&record.genesis).is_ok_and(|glance| !glance.kind.is_document());
        let Some(record) = record.filter(is_log) else { return };
        let genesis = Genesis::verify_for(DocumentId(record.document), &record.genesis, &mut verifier).ok();
        if let (Ok(number), Some(genesis)) = (LogNumber::from_key(key), genesis) {
            logs.insert(genesis.id(), (number, Arc::new(genesis)));
        }
    })?;
    Ok(logs)
}

fn each_log(store: &(impl Store + ?Sized), mut each: impl FnMut(&Row)) -> Result<(), StoreError> {
    scan(store, Table::Logs, (&[], &END), &mut |rows: Vec<Row>| {
        rows.iter().for_each(&mut each);
        Ok(())
    })?;
    Ok(())
}
