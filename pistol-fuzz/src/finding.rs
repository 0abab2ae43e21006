//! What must never happen, and did.

/// A promise that an input broke without a panic: two replicas differ, or what was read is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; replay it with the command below, and mend what takes this input")]
pub struct Divergence(pub String);

impl Divergence {
    /// In words.
    pub fn new(what: impl Into<String>) -> Self {
        Divergence(what.into())
    }
}

/// What an input came to: whether it was accepted, unless a promise was broken.
pub type Outcome = Result<bool, Divergence>;

/// A promise in words, and whether it was kept.
///
/// # Errors
/// [`Divergence`] if it was not.
pub fn promise(is_kept: bool, what: &str) -> Result<(), Divergence> {
    if is_kept { Ok(()) } else { Err(Divergence::new(what)) }
}
