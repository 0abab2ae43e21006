//! How far a log goes. Rows name their places, so a gap between them is seen; that rows are missing at the end is seen by
//! this row alone.

use super::fields::Fields;
use super::{LogNumber, StoreError, VERSION};
use crate::validate::Ordinal;

/// Row of [`crate::store::Table::Ends`] whose key is the log's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndRecord {
    /// The number after the last change that lies in rows.
    pub end: Ordinal,
    /// What is known to be missing.
    pub damage: Option<Damage>,
    /// How many operations of the log lie in rows; 0 is not written, and says nothing.
    pub operations: u32,
}

/// Changes were lost here and have not come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The number after the last change, as it was before.
    pub expected: Ordinal,
    /// Whether the owner of the store goes on without them.
    pub is_accepted: bool,
}

impl EndRecord {
    /// Writes the row.
    pub fn to_value(self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.end.to_be_bytes());
        bytes.push(u8::from(self.damage.is_some()));
        if let Some(damage) = self.damage {
            bytes.extend_from_slice(&damage.expected.to_be_bytes());
            bytes.push(u8::from(damage.is_accepted));
        }
        if self.operations > 0 {
            bytes.extend_from_slice(&self.operations.to_be_bytes());
        }
        bytes
    }

    /// Reads the row.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn from_value(value: &[u8]) -> Result<EndRecord, StoreError> {
        Fields::parse("end of a log", value, |fields| {
            let end = fields.u32()?;
            let damage = if fields.bool()? {
                Some(Damage { expected: fields.u32()?, is_accepted: fields.bool()? })
            } else {
                None
            };
            let operations = if fields.is_at_end() { 0 } else { fields.nonzero_u32()? };
            Ok(EndRecord { end, damage, operations })
        })
    }
}

/// The key of an envelope that was set aside.
pub fn aside_key(log: LogNumber, number: u32) -> Vec<u8> {
    super::envelope_key(log, number)
}

/// The range, from inclusive to exclusive, of a log's rows in [`crate::store::Table::Ends`]: its end, then what was set
/// aside.
pub fn ends_range(log: LogNumber) -> (Vec<u8>, Vec<u8>) {
    (log.key(), super::envelopes_from(log, u32::MAX).1)
}
