//! Proving that a document was opened to everybody for ever, without the document.

use pistol_acl::record::{OpError, SignedOp};
use pistol_acl::{Charter, ReleaseError, verify_release};
use pistol_core::genesis::{Genesis, GenesisError};
use pistol_core::id::DocumentId;
use pistol_core::key::Verifier;
use pistol_engine::Insight;

use crate::doc::Doc;

/// What proves that a document was released: bytes that travel as they are. Whoever holds them need not hold the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseProof {
    /// The document's signed beginning.
    pub genesis: Vec<u8>,
    /// The operations that the release stands on.
    pub operations: Vec<Vec<u8>>,
    /// The release.
    pub release: Vec<u8>,
}

/// A release was not proved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseProofError {
    /// The beginning is not a document's.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// An operation is not its author's.
    #[error(transparent)]
    Operation(#[from] OpError),
    /// The proof does not hold.
    #[error(transparent)]
    Refused(#[from] ReleaseError),
}

impl ReleaseProof {
    /// Checks it, and says which document was released. The answer is the same for everybody and for ever.
    ///
    /// # Errors
    /// [`ReleaseProofError`].
    pub fn verify(&self) -> Result<DocumentId, ReleaseProofError> {
        let mut verifier = Verifier::default();
        let genesis = Genesis::verify(&self.genesis, &mut verifier)?;
        let charter = Charter::of(&genesis).ok_or(ReleaseError::NotARelease)?;
        let operations = self.operations.iter().map(|bytes| SignedOp::verify(bytes, &mut verifier));
        let operations = operations.collect::<Result<Vec<_>, _>>()?;
        let release = SignedOp::verify(&self.release, &mut verifier)?;
        Ok(verify_release(&[charter], &operations, &release)?.log())
    }
}

impl Doc {
    /// What proves to others that the document was released; none if it was not.
    pub fn release_proof(&self) -> Option<ReleaseProof> {
        let proof = |insight: Insight<'_>| {
            let (operations, release) = insight.access?.release_proof()?;
            Some(ReleaseProof {
                genesis: insight.held.genesis().bytes().to_vec(),
                operations: operations.iter().map(|signed| signed.bytes().to_vec()).collect(),
                release: release.bytes().to_vec(),
            })
        };
        self.runtime().documents.look(&self.id(), proof).ok().flatten()
    }
}
