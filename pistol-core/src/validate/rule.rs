//! The rules of structure, by the names that people see.

/// The rule that a change broke. Every replica names the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// V1: too many operations or bytes.
    #[error("the change is larger than the document's limits allow")]
    ChangeTooLarge,
    /// V1: dependencies not sorted, not unique, too many, or refused.
    #[error("the change's dependencies are not in order, too many, or refused themselves")]
    Dependencies,
    /// V2: it does not continue its author's chain.
    #[error("the change does not continue its author's chain")]
    Chain,
    /// V3: it refers to something outside its past, or not in the one canonical form.
    #[error("the change refers to something that is not in its past")]
    Reference,
    /// V4: the operation does not fit what it refers to.
    #[error("an operation does not fit the object or element it acts on")]
    Operation,
    /// V4: objects are nested too deep.
    #[error("objects are nested too deep")]
    Depth,
    /// V5: the document's operation counters are used up.
    #[error("the document's operation counters are used up")]
    CountersUsedUp,
    /// V5: the chain is past its quota.
    #[error("the author's session is past its quota")]
    ChainTooLong,
    /// V6: a value is outside its bounds.
    #[error("a value is outside its bounds")]
    Value,
    /// V8: the policy does not let this author write this.
    #[error("the document's policy does not let this author write here")]
    Policy,
    /// V8: it changes what somebody else wrote.
    #[error("the change touches what somebody else wrote, and the document leaves that to its first writer")]
    FirstWriter,
}

impl Rule {
    const CODES: [(u8, Rule); 11] = [
        (1, Rule::ChangeTooLarge),
        (2, Rule::Dependencies),
        (3, Rule::Chain),
        (4, Rule::Reference),
        (5, Rule::Operation),
        (6, Rule::Depth),
        (7, Rule::CountersUsedUp),
        (8, Rule::ChainTooLong),
        (9, Rule::Value),
        (10, Rule::Policy),
        (11, Rule::FirstWriter),
    ];

    /// The rule's number in messages.
    pub fn code(self) -> u8 {
        Self::CODES.iter().find(|(_, rule)| *rule == self).map_or(0, |(code, _)| *code)
    }

    /// The rule of a number; `None` for one of a later version.
    pub fn of_code(code: u8) -> Option<Rule> {
        Self::CODES.iter().find(|(known, _)| *known == code).map(|(_, rule)| *rule)
    }
}
