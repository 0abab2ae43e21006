//! The bytes of an envelope. Format: `docs/protocol.md`, "Envelope".

use std::sync::Arc;

use super::Run;
use crate::change::Change;
use crate::codec::Malformed;
use crate::id::DocumentId;

pub(super) type Decoded = (DocumentId, Vec<Run>, Vec<(usize, Arc<Change>)>);

pub(super) fn encode(document: &DocumentId, runs: &[Run], changes: &[(usize, Arc<Change>)]) -> Vec<u8> {
    let _ = (document, runs, changes);
    Vec::new()
}

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, Malformed> {
    let _ = bytes;
    Err(Malformed::Short)
}
