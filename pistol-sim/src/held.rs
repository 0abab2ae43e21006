//! What a node holds of documents: changes, and operations of their logs.

use std::collections::BTreeSet;

use pistol_acl::SignedOp;
use pistol_core::envelope::Envelope;
use pistol_core::id::{AuthorityId, ChangeId, DocumentId};
use pistol_core::store::Table;
use pistol_engine::Insight;

/// A change or an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Id {
    Change(ChangeId),
    Operation(AuthorityId),
}

impl Id {
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        match self {
            Id::Change(id) => &id.0,
            Id::Operation(id) => &id.0,
        }
    }

    pub(crate) fn change(self) -> Option<ChangeId> {
        match self {
            Id::Change(id) => Some(id),
            Id::Operation(_) => None,
        }
    }
}

/// The changes in an envelope; none if it is malformed. Their ids are the same in every document.
pub(crate) fn changes_in(envelope: &[u8]) -> Vec<Id> {
    let envelope = Envelope::from_bytes(DocumentId([0; 32]), envelope);
    envelope.map(|envelope| envelope.ids().into_iter().map(Id::Change).collect()).unwrap_or_default()
}

/// The operations in what was sent or stored; those that are none are left out.
pub(crate) fn operations_in<'a>(operations: impl IntoIterator<Item = &'a [u8]>) -> Vec<Id> {
    operations.into_iter().filter_map(SignedOp::id_of).map(Id::Operation).collect()
}

/// What a row holds.
pub(crate) fn in_row(table: Table, value: &[u8]) -> Vec<Id> {
    match table {
        Table::Envelopes | Table::Tail => changes_in(value),
        Table::Operations => operations_in([value]),
        _ => Vec::new(),
    }
}

/// Everything that a node holds of a document, durable or not, shown or not.
pub(crate) fn in_document(insight: &Insight<'_>) -> BTreeSet<Id> {
    let changes = (1..insight.held.next()).filter_map(|ordinal| insight.held.id(ordinal)).map(Id::Change);
    let log = insight.held.genesis().id();
    let operations = insight.access.into_iter().flat_map(|access| access.operations(&log, 0));
    changes.chain(operations.map(|signed| Id::Operation(signed.id()))).collect()
}
