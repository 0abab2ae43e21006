//! What takes too many operations to reach by writing them.

use std::sync::Arc;

use super::{Check, History, Rule};
use crate::chain::ChainId;
use crate::change::{Action, Change, Op, Place, Scalar};
use crate::envelope::Linked;
use crate::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use crate::id::Session;
use crate::key::AuthorKey;
use crate::limits;

fn history(key: &AuthorKey) -> History {
    let terms = Terms {
        kind: Kind::Document,
        roots: vec![key.id()],
        creator: 0,
        policy: Policy::WorldWritable,
        limits: Limits::default(),
        read: Read::Public,
        skeleton: vec![],
        space: None,
        authority: vec![],
        app: uuid::Uuid::nil(),
        predecessor: None,
        nonce: [0; 16],
    };
    History::new(Arc::new(Genesis::sign(key, terms).unwrap())).unwrap()
}

#[test]
fn the_counters_of_a_document_end_before_automerge_counts_no_further() {
    let key = AuthorKey::from_seed(&[1; 32]);
    let mut history = history(&key);
    history.nodes[0].start = limits::COUNTER_MAX - 2;
    let chain = ChainId { author: key.id(), session: Session(1) };
    let put = Op { object: None, place: Place::Key("a".into()), action: Action::Put(Scalar::Null), pred: vec![] };
    let check = |count| {
        let change = Change {
            author: chain.author,
            session: chain.session,
            seq: 1,
            deps: vec![],
            authority: vec![],
            time_ms: 0,
            message: None,
            table: vec![],
            ops: vec![put.clone(); count],
        };
        history.check(&Linked::after(chain.root(&history.genesis.id()), change))
    };
    assert!(matches!(check(2), Check::Valid(_)));
    assert!(matches!(check(3), Check::Rejected(Rule::CountersUsedUp)));
}
