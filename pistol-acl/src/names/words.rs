//! Why a name is whose it is, said to people.

use std::fmt;

use super::verdict::person;
use super::{Claim, Claimant, Naming, SpaceName};
use crate::access::Access;
use crate::record::LogId;

impl fmt::Display for Claimant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Claimant::Key(key) => key.fmt(f),
            Claimant::Identity(identity) => write!(f, "the identity {identity}"),
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}, by operation {:?}", self.claimant, self.target, self.operation)
    }
}

impl Access {
    /// Why a name is whose it is, as of when things were last settled: it names the claims and the witnesses.
    pub fn explain_name(&self, space: &LogId, name: &SpaceName) -> String {
        let verdict = self.court(space).judge(name);
        let witness = |by: &&crate::log::Entry| format!("{} (operation {:?})", person(by), by.signed.id());
        let witnesses = verdict.witnesses.iter().map(witness).collect::<Vec<_>>().join(", ");
        let list = |claims: &[Claim], count: usize| {
            let listed = claims.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            match count.saturating_sub(claims.len()) {
                0 => listed,
                more => format!("{listed}; and {more} more, which the name and ~ and their claimants' digits find"),
            }
        };
        match verdict.naming {
            Naming::Unclaimed => "unclaimed: nobody whose claim counts has claimed it".to_owned(),
            Naming::Unconfirmed(claim) => {
                format!("unconfirmed: only {claim}, claims it; ask an admin of the space to witness that")
            }
            Naming::Confirmed(claim) => format!("confirmed: {claim}; the most senior to witness this: {witnesses}"),
            Naming::ByClaimant(claim) => format!("by its claimant: {claim}; no other claimant has these digits"),
            Naming::Contested { claims, count } if witnesses.is_empty() => {
                format!("contested: no witness decides between {}", list(&claims, count))
            }
            Naming::Contested { claims, count } => {
                format!("contested: {}; the most senior witnesses, {witnesses}, leave it open", list(&claims, count))
            }
        }
    }
}
