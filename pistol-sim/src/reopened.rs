//! What a document is that is opened the slow way: from its rows alone.

use std::sync::Arc;

use pistol_core::document::Document;
use pistol_core::envelope::Envelope;
use pistol_core::genesis::Genesis;
use pistol_core::id::DocumentId;
use pistol_core::key::Verifier;
use pistol_core::store::Table;
use pistol_core::store::schema::{self, LogNumber, LogRecord};
use pistol_core::validate::Check;

use crate::checker::Picture;
use crate::disk::Disk;

/// Reads all rows of a document, checks and shows them.
pub(crate) fn picture(disk: &Disk, id: &DocumentId) -> Result<Picture, String> {
    let (number, genesis) = log(disk, id).ok_or("a document that is open is not in the store")?;
    let mut verifier = Verifier::default();
    let genesis = Genesis::verify_for(*id, &genesis, &mut verifier).map_err(|error| error.to_string())?;
    let mut document = Document::new(Arc::new(genesis)).map_err(|rule| rule.to_string())?;
    let (from, to) = schema::envelopes_from(number, 0);
    for table in [Table::Envelopes, Table::Tail] {
        for (_, value) in disk.read(table, &from, &to, usize::MAX) {
            let envelope = Envelope::from_bytes(*id, &value).map_err(|error| error.to_string())?;
            let verified = envelope.verify(&mut verifier).map_err(|error| error.to_string())?;
            for change in verified.changes() {
                let Check::Valid(valid) = document.check(change) else {
                    return Err(format!("a row of {id:?} holds a change that is not valid after those before it"));
                };
                document.accept(*valid).map_err(|error| error.to_string())?;
            }
        }
    }
    document.project().map_err(|rule| rule.to_string())?;
    Ok(Picture::of_document(&document))
}

fn log(disk: &Disk, id: &DocumentId) -> Option<(LogNumber, Vec<u8>)> {
    let logs = disk.rows(Table::Logs);
    logs.iter().find_map(|(key, value)| {
        let record = LogRecord::from_value(value).ok().filter(|record| record.document == id.0)?;
        Some((LogNumber::from_key(key).ok()?, record.genesis))
    })
}
