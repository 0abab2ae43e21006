//! What a replica makes of a history of first writers, and what the oracle says that it must.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pistol_acl::{Denied, Law, check, judge};
use pistol_core::document::Document;
use pistol_core::envelope::VerifiedChange;
use pistol_core::id::ChangeId;
use pistol_core::validate::{Check, Rule};
use pistol_oracle::Rule as Told;

use super::entries::Entries;

/// What became of all changes, but for those that build on refused ones.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    pub accepted: BTreeSet<ChangeId>,
    /// With the first operation that breaks a rule, and the rule.
    pub refused: BTreeMap<ChangeId, (usize, Law)>,
}

impl Verdicts {
    /// By the oracle.
    pub fn told(entries: &Entries) -> Self {
        let mut told = Verdicts::default();
        for change in entries.changes.iter().filter(|change| change.is_ready) {
            match change.broken {
                None => drop(told.accepted.insert(change.signed.id())),
                Some((operation, rule)) => drop(told.refused.insert(change.signed.id(), (operation, law(rule)))),
            }
        }
        told
    }

    /// By the code in use, in an order of arrival; and the document.
    pub fn of(entries: &Entries, order: &[&VerifiedChange]) -> (Self, Document) {
        let mut document = Document::new(Arc::clone(&entries.genesis)).unwrap();
        let mut verdicts = Verdicts::default();
        let mut waiting = order.to_vec();
        let mut count = usize::MAX;
        while waiting.len() < count {
            count = waiting.len();
            waiting.retain(|change| verdicts.is_waiting(&mut document, change));
        }
        document.project().unwrap();
        (verdicts, document)
    }

    fn is_waiting(&mut self, document: &mut Document, change: &VerifiedChange) -> bool {
        let valid = match document.check(change) {
            Check::Missing(_) => return true,
            Check::Known => return false,
            Check::Rejected(rule) => panic!("structure is not the question: {rule}"),
            Check::Valid(valid) => *valid,
        };
        match check(document.history(), &valid) {
            Ok(()) => {
                let admitted = judge(document.history(), valid).unwrap();
                document.accept(admitted.into_valid()).unwrap();
                self.accepted.insert(change.id());
            }
            Err(Denied::Foreign(foreign)) => {
                assert_eq!(judge(document.history(), valid).map(drop), Err(Rule::FirstWriter));
                self.refused.insert(change.id(), (foreign.operation, foreign.law));
            }
            Err(denied) => panic!("anybody may write something: {denied}"),
        }
        false
    }
}

fn law(told: Told) -> Law {
    match told {
        Told::W1 => Law::W1,
        Told::W2 => Law::W2,
        Told::W3 => Law::W3,
        Told::W4 => Law::W4,
        Told::W5 => Law::W5,
        Told::W6 => Law::W6,
    }
}
