//! Envelopes as they came, until their changes are stored: a row of just these changes need not be encoded again, and in a first
//! sync nearly all are such.

use std::collections::BTreeMap;

use pistol_core::envelope::{Verified, VerifiedChange};
use pistol_core::id::ChangeId;

use crate::limits::{RECEIVED_BYTES_MAX, ROW_WEIGHT};

/// What came since something was last stored.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// By the first change.
    envelopes: BTreeMap<ChangeId, Came>,
    bytes: usize,
}

#[derive(Debug)]
struct Came {
    ids: Vec<ChangeId>,
    bytes: Vec<u8>,
}

impl Received {
    /// Keeps an envelope whose signatures were checked, if there is room. One that is longer than a row of ours would be is not
    /// kept: others' waste is not stored.
    pub(super) fn keep(&mut self, envelope: &Verified, bytes: &[u8]) {
        let ids: Vec<ChangeId> = envelope.changes().iter().map(|change| change.id()).collect();
        let Some(first) = ids.first().copied() else { return };
        let takes = bytes.len() + size_of_val(ids.as_slice());
        if bytes.len() > ROW_WEIGHT || self.bytes + takes > RECEIVED_BYTES_MAX || self.envelopes.contains_key(&first) {
            return;
        }
        self.bytes += takes;
        self.envelopes.insert(first, Came { ids, bytes: bytes.to_vec() });
    }

    /// The bytes in which just these changes came, in this order.
    pub(super) fn take(&mut self, row: &[VerifiedChange]) -> Option<Vec<u8>> {
        let first = row.first()?.id();
        let is_this = |came: &Came| came.ids.iter().copied().eq(row.iter().map(|change| change.id()));
        self.envelopes.get(&first).filter(|came| is_this(came))?;
        self.envelopes.remove(&first).map(|came| came.bytes)
    }

    /// Everything that came was stored, or waits.
    pub(super) fn clear(&mut self) {
        *self = Received::default();
    }
}
