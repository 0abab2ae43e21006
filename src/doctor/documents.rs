//! The documents: their beginnings, their rows, their snapshots.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pistol_acl::record::{OpError, SignedOp};
use pistol_core::genesis::Genesis;
use pistol_core::id::DocumentId;
use pistol_core::key::Verifier;
use pistol_core::store::scan::scan_table;
use pistol_core::store::schema::{self, LogNumber, LogRecord, Snapshot};
use pistol_core::store::{Batch, Row, Store, StoreError, Table, files};
use pistol_engine::{CacheState, Elsewhere, Inspection, inspect_cache};

use super::{Aim, Examination, Severity};

/// The logs of which the beginning can be read.
pub(super) type Logs = BTreeMap<LogNumber, Arc<Genesis>>;

const FROM_PEERS: &str = "peers that hold them send them again when you sync; what was made here and never synced is lost, \
                          unless a backup has it";

const UNSEAL: &str = "unseal the key, or bring it back, and repair again: without it nobody knows whether the snapshot is this \
                      node's, and it may say more than the rows";

const WAITING: &str = "sync it with a peer that has those, then run `pistol doctor --repair`: they are put to it";

impl Examination<'_> {
    /// Checks each document. Returns also the logs whose rows are being removed.
    pub(super) fn check_logs(&mut self) -> Result<(Logs, BTreeSet<LogNumber>), StoreError> {
        let (rows, found) = scan_table(&self.store, Table::Logs)?;
        let (mut logs, mut removed) = (Logs::new(), BTreeSet::new());
        let mut damaged = found.damaged;
        for (key, value) in rows {
            match read(&key, &value) {
                Some(Read::Log(number, genesis)) => drop(logs.insert(number, genesis)),
                Some(Read::Removed(number)) => drop(removed.insert(number)),
                None => damaged.push(key),
            }
        }
        for key in damaged {
            let next = LogNumber::from_key(&key).map_or(0, |number| number.0.saturating_add(1));
            let mut batch = self.keep_number(next)?;
            batch.remove(Table::Logs, key);
            let what = "the beginning of a document is lost, and with it which document it was".to_owned();
            let help = "join the document again, then run `pistol doctor --repair`: its changes here are put to it";
            self.settle("a document", what, help, &batch)?;
        }
        if found.has_holes {
            let what = "a part of the list of documents cannot be read".to_owned();
            self.settle("store.redb", what, "restore a backup, or join the documents again", &Batch::default())?;
        }
        let names = self.names();
        for (number, genesis) in &logs {
            self.check_log(*number, genesis, names.get(&genesis.id().0))?;
        }
        Ok((logs, removed))
    }

    fn check_log(&mut self, log: LogNumber, genesis: &Arc<Genesis>, name: Option<&String>) -> Result<(), StoreError> {
        let about = match name {
            Some(name) => format!("document {} ({name})", genesis.id()),
            None => format!("document {}", genesis.id()),
        };
        let inspection = Inspection::of(&self.store, log, genesis)?;
        self.report.documents += 1;
        self.report.changes += u64::from(inspection.readable());
        if inspection.is_whole() {
            return self.check_cache(log, genesis, &about);
        }
        if inspection.is_accepted() {
            self.report.find(Severity::Warning, &about, in_words(&inspection), FROM_PEERS);
            return Ok(());
        }
        if inspection.is_complete() {
            let help = "nothing that is known of is lost";
            return self.settle(&about, in_words(&inspection), help, &inspection.repair(true));
        }
        if self.aim == Aim::Repair && !self.keep_picture(log, genesis, &about)? {
            self.report.find(Severity::Damage, &about, in_words(&inspection), UNSEAL);
            return Ok(());
        }
        self.settle(&about, in_words(&inspection), FROM_PEERS, &inspection.repair(true))
    }

    fn check_cache(&mut self, log: LogNumber, genesis: &Arc<Genesis>, about: &str) -> Result<(), StoreError> {
        let Some(key) = &self.key else { return Ok(()) };
        if let CacheState::Damaged(batch) = inspect_cache(&self.store, log, genesis, &key.stamp_key())? {
            let what = "its snapshot is damaged or not of these rows".to_owned();
            self.settle(about, what, "nothing is lost: it opens from its changes, and a new one is made", &batch)?;
        }
        Ok(())
    }

    /// The picture that a snapshot holds may be all that is left of what was lost: it is put into a file before the snapshot
    /// goes. `false` if it is not known whether this node made it.
    fn keep_picture(&mut self, log: LogNumber, genesis: &Genesis, about: &str) -> Result<bool, StoreError> {
        let value = match self.store.read(Table::Snapshots, &log.key()) {
            Ok(Some(value)) => value,
            Ok(None) | Err(StoreError::Damaged { .. } | StoreError::DamagedRow { .. }) => return Ok(true),
            Err(error) => return Err(error),
        };
        let Some(key) = &self.key else { return Ok(false) };
        let Some(snapshot) = Snapshot::from_value(&value, &genesis.id(), &key.stamp_key()) else { return Ok(true) };
        let path = files::unused(|number| self.folder.join(format!("{}-{number}.automerge", genesis.id())))?;
        files::write_whole(&path, &snapshot.save)?;
        let what = format!("what it showed when its last snapshot was saved is in {}", path.display());
        let help = "programs that read Automerge files show it; delete it when nothing is missing any more";
        self.report.repaired(about, what, help);
        Ok(true)
    }

    /// Rows of logs that have no beginning: of a document that is here again, they are put to it.
    pub(super) fn check_lost_logs(&mut self, logs: &Logs, removed: &BTreeSet<LogNumber>) -> Result<(), StoreError> {
        for number in self.numbers()? {
            if logs.contains_key(&number) || removed.contains(&number) {
                continue;
            }
            let orphan = Orphan::read(&self.store, number)?;
            let owner = logs.iter().find_map(|(log, genesis)| orphan.is_of(genesis.id()).then_some((*log, genesis)));
            let Some((log, genesis)) = owner else {
                let what = format!("{} rows belong to a document whose beginning is lost", orphan.count());
                let help = "join the document again, then run `pistol doctor --repair`: they are put to it";
                self.settle("a document", what, help, &Batch::default())?;
                continue;
            };
            self.put_to_document(orphan, log, genesis)?;
        }
        Ok(())
    }

    /// Operations that cannot be taken in yet stay where they are: they may be this node's own, held by nobody else.
    fn put_to_document(
        &mut self,
        mut orphan: Orphan,
        log: LogNumber,
        genesis: &Arc<Genesis>,
    ) -> Result<(), StoreError> {
        let about = format!("document {}", genesis.id());
        let inspection = Inspection::with(&self.store, log, genesis, orphan.take_elsewhere())?;
        let (known, waiting): (Vec<_>, Vec<_>) =
            orphan.operations.into_iter().partition(|(_, signed)| inspection.holds(&signed.id()));
        let known = known.into_iter().map(|(key, _)| (Table::Operations, key));
        let moved: Vec<_> = orphan.keys.into_iter().chain(known).collect();
        if !moved.is_empty() {
            let mut batch = inspection.repair(false);
            moved.into_iter().for_each(|(table, key)| batch.remove(table, key));
            let what = "rows of it lie where it was before it was joined again".to_owned();
            self.settle(&about, what, "they are put to it", &batch)?;
        }
        if !waiting.is_empty() {
            let what = format!("{} operations of its log follow on some that are lost here", waiting.len());
            self.report.find(Severity::Damage, &about, what, WAITING);
        }
        Ok(())
    }

    /// The numbers of all logs that have rows.
    fn numbers(&self) -> Result<Vec<LogNumber>, StoreError> {
        let mut numbers = Vec::new();
        for table in [Table::Envelopes, Table::Tail, Table::Ends, Table::Operations] {
            let mut from = Vec::new();
            // One row is read of each log.
            loop {
                let key = match self.store.range(table, &from, &pistol_core::store::scan::END, 0) {
                    Ok(rows) => rows.into_iter().next().map(|(key, _)| key),
                    Err(StoreError::DamagedRow { key, .. }) => Some(key),
                    Err(StoreError::Damaged { .. }) => None,
                    Err(error) => return Err(error),
                };
                let Some(number) = key.and_then(|key| key.first_chunk().map(|log| u32::from_be_bytes(*log))) else {
                    break;
                };
                numbers.push(LogNumber(number));
                let Some(next) = number.checked_add(1) else { break };
                from = next.to_be_bytes().to_vec();
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    fn keep_number(&self, next: u32) -> Result<Batch, StoreError> {
        let known = self.store.read(Table::Meta, schema::NEXT_LOG_KEY)?;
        let known = known.and_then(|value| schema::next_log(&value).ok()).unwrap_or(0);
        let mut batch = Batch::default();
        batch.put(Table::Meta, schema::NEXT_LOG_KEY, schema::next_log_value(known.max(next)));
        Ok(batch)
    }

    fn names(&self) -> BTreeMap<[u8; 32], String> {
        let (rows, _) = scan_table(&self.store, Table::Names).unwrap_or_default();
        let named =
            |(key, value): &Row| Some((schema::named_document(value).ok()?, schema::name(key).ok()?.to_owned()));
        rows.iter().filter_map(named).collect()
    }
}

/// What the row of a log says.
enum Read {
    Log(LogNumber, Arc<Genesis>),
    /// Its rows are being removed.
    Removed(LogNumber),
}

fn read(key: &[u8], value: &[u8]) -> Option<Read> {
    let (number, record) = (LogNumber::from_key(key).ok()?, LogRecord::from_value(value).ok()?);
    if record.is_removed() {
        return Some(Read::Removed(number));
    }
    let genesis = Genesis::verify_for(DocumentId(record.document), &record.genesis, &mut Verifier::default()).ok()?;
    Some(Read::Log(number, Arc::new(genesis)))
}

fn in_words(inspection: &Inspection) -> String {
    let (readable, waiting, missing) = (inspection.readable(), inspection.waiting(), inspection.missing());
    let mut words = vec![format!("{readable} changes can be read")];
    if missing > 0 {
        words.push(format!("{missing} are lost here"));
    }
    if waiting > 0 {
        words.push(format!("{waiting} can be read and need some of those"));
    }
    if inspection.may_miss_more() {
        words.push("how many there were is not known".to_owned());
    } else if inspection.is_accepted() && missing == 0 {
        words.push("some may be missing".to_owned());
    }
    words.join(", ")
}

/// The rows of a log without a beginning.
#[derive(Default)]
struct Orphan {
    envelopes: Vec<Vec<u8>>,
    operations: Vec<(Vec<u8>, SignedOp)>,
    /// Of all rows but those of operations that can be read.
    keys: Vec<(Table, Vec<u8>)>,
}

impl Orphan {
    fn read(store: &impl Store, log: LogNumber) -> Result<Self, StoreError> {
        let mut orphan = Orphan::default();
        for table in [Table::Envelopes, Table::Tail, Table::Ends, Table::Snapshots, Table::Operations] {
            let (from, to) = schema::ends_range(log);
            let found = pistol_core::store::scan::scan(store, table, (&from, &to), &mut |rows| {
                rows.into_iter().for_each(|row| orphan.take(table, row));
                Ok(())
            })?;
            orphan.keys.extend(found.damaged.into_iter().map(|key| (table, key)));
        }
        Ok(orphan)
    }

    fn take(&mut self, table: Table, (key, value): Row) {
        if table == Table::Operations {
            return self.take_operation(key, &value);
        }
        let is_envelope = matches!(table, Table::Envelopes | Table::Tail) || (table == Table::Ends && key.len() > 4);
        self.envelopes.extend(is_envelope.then_some(value));
        self.keys.push((table, key));
    }

    fn take_operation(&mut self, key: Vec<u8>, value: &[u8]) {
        match SignedOp::verify(value, &mut Verifier::default()) {
            Ok(signed) => self.operations.push((key, signed)),
            // A newer Pistol can read it, so it stays where it is.
            Err(OpError::Version) => {}
            Err(_) => self.keys.push((Table::Operations, key)),
        }
    }

    /// What a document takes in of it. Envelopes may be large, and are not needed after that.
    fn take_elsewhere(&mut self) -> Elsewhere {
        let operations = self.operations.iter().map(|(_, signed)| signed.clone()).collect();
        Elsewhere { envelopes: std::mem::take(&mut self.envelopes), operations }
    }

    fn count(&self) -> usize {
        self.envelopes.len() + self.operations.len()
    }

    fn is_of(&self, document: DocumentId) -> bool {
        self.operations.iter().any(|(_, signed)| signed.op().log == document)
            || self.envelopes.iter().any(|row| Inspection::is_of(document, row))
    }
}
