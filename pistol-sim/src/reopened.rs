//! What a document is that is opened the slow way: from its rows alone, and judged from the beginning.

use std::collections::BTreeSet;
use std::sync::Arc;

use pistol_acl::SignedOp;
use pistol_core::document::Document;
use pistol_core::envelope::{Envelope, VerifiedChange};
use pistol_core::genesis::{Genesis, Policy};
use pistol_core::id::{ChangeId, DocumentId};
use pistol_core::key::Verifier;
use pistol_core::store::Table;
use pistol_core::store::schema::{self, LogNumber, LogRecord};
use pistol_core::validate::Check;

use crate::disk::Disk;
use crate::held::Id;
use crate::judged;
use crate::picture::Picture;

/// All rows of a document, checked.
pub(crate) struct Reopened {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) operations: Vec<SignedOp>,
    /// In the order of their rows: each after those that it depends on.
    pub(crate) changes: Vec<VerifiedChange>,
}

impl Reopened {
    /// Reads all rows of a document.
    pub(crate) fn of(disk: &Disk, id: &DocumentId) -> Result<Reopened, String> {
        let (number, genesis) = log(disk, id).ok_or("a document that is open is not in the store")?;
        let mut verifier = Verifier::default();
        let genesis = Genesis::verify_for(*id, &genesis, &mut verifier).map_err(|error| error.to_string())?;
        let (from, to) = schema::operations_from(number, 0);
        let rows = disk.read(Table::Operations, &from, &to, usize::MAX);
        let operations = rows.iter().map(|(_, value)| SignedOp::verify(value, &mut verifier));
        let operations = operations.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        let (from, to) = schema::envelopes_from(number, 0);
        let mut changes = Vec::new();
        for table in [Table::Envelopes, Table::Tail] {
            for (_, value) in disk.read(table, &from, &to, usize::MAX) {
                let envelope = Envelope::from_bytes(*id, &value).map_err(|error| error.to_string())?;
                changes.extend(envelope.verify(&mut verifier).map_err(|error| error.to_string())?.into_changes());
            }
        }
        Ok(Reopened { genesis: Arc::new(genesis), operations, changes })
    }

    /// What readers are to see of it.
    pub(crate) fn picture(&self) -> Result<Picture, String> {
        let accepted = match self.genesis.terms().policy {
            Policy::Members => judged::accepted(self)?,
            _ => self.changes.iter().map(|change| change.id()).collect(),
        };
        let document = self.document(&accepted)?;
        let changes = self.changes.iter().map(|change| Id::Change(change.id()));
        let held = changes.chain(self.operations.iter().map(|signed| Id::Operation(signed.id()))).collect();
        Ok(Picture::of_document(&document, held))
    }

    /// The document of some of its changes.
    fn document(&self, of: &BTreeSet<ChangeId>) -> Result<Document, String> {
        let mut document = Document::new(Arc::clone(&self.genesis)).map_err(|rule| rule.to_string())?;
        for change in self.changes.iter().filter(|change| of.contains(&change.id())) {
            let Check::Valid(valid) = document.check(change) else {
                return Err(format!("a row holds change {:?} that is not valid after those before it", change.id()));
            };
            document.accept(*valid).map_err(|error| error.to_string())?;
        }
        document.project().map_err(|rule| rule.to_string())?;
        Ok(document)
    }
}

/// Reads all rows of a document, checks, judges and shows them.
pub(crate) fn picture(disk: &Disk, id: &DocumentId) -> Result<Picture, String> {
    Reopened::of(disk, id)?.picture()
}

fn log(disk: &Disk, id: &DocumentId) -> Option<(LogNumber, Vec<u8>)> {
    let logs = disk.rows(Table::Logs);
    logs.iter().find_map(|(key, value)| {
        let record = LogRecord::from_value(value).ok().filter(|record| record.document == id.0)?;
        Some((LogNumber::from_key(key).ok()?, record.genesis))
    })
}
