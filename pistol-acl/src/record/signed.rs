//! An operation that its author provably signed.

use std::sync::Arc;

use pistol_core::codec::{Malformed, Reader, Writer};
use pistol_core::hash::{Context, hash};
use pistol_core::id::AuthorityId;
use pistol_core::key::{AuthorKey, Verifier};

use super::{AclOp, encoding};
use crate::limits;

/// An operation that its author provably signed. It is made here only.
#[derive(Clone, Debug)]
pub struct SignedOp {
    op: Arc<AclOp>,
    id: AuthorityId,
    bytes: Arc<[u8]>,
}

/// An operation was refused before it was looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpError {
    /// It is of a later version: it waits for an upgrade.
    #[error("this operation is of a later version; install a newer Pistol to read it")]
    Version,
    /// The bytes are no operation.
    #[error("this is no operation of an access log ({0}); ask for it again")]
    Malformed(#[from] Malformed),
    /// Its author did not sign it.
    #[error("the operation's author did not sign it; ask for it from somebody else")]
    Signature,
    /// The key that should sign it is another author's.
    #[error("the key is not that of the operation's author; sign with the author's own")]
    WrongKey,
}

impl SignedOp {
    /// Signs an operation.
    ///
    /// # Errors
    /// [`OpError`] if the key is not its author's, a list is not sorted, or something is past its limit.
    pub fn sign(key: &AuthorKey, op: &AclOp) -> Result<Self, OpError> {
        if key.id() != op.author {
            return Err(OpError::WrongKey);
        }
        let body = op.unsigned();
        let signature = key.sign(&message(&id(&body)));
        Self::read([body.as_slice(), &signature.0].concat().into())
    }

    /// Reads and checks an operation.
    ///
    /// # Errors
    /// [`OpError`] for bytes that [`SignedOp::sign`] would not give.
    pub fn verify(bytes: &[u8], verifier: &mut Verifier) -> Result<Self, OpError> {
        let read = Self::read(bytes.into())?;
        let (_, signature) = bytes.split_last_chunk::<64>().ok_or(Malformed::Short)?;
        let signature = pistol_core::key::Signature(*signature);
        let is_signed = verifier.is_signed(&read.op.author, &message(&read.id), &signature);
        if is_signed { Ok(read) } else { Err(OpError::Signature) }
    }

    /// The id that an operation has, if these are one's bytes; whether they are is not looked at.
    pub fn id_of(bytes: &[u8]) -> Option<AuthorityId> {
        let (body, _) = bytes.split_last_chunk::<64>().filter(|_| bytes.len() <= limits::OPERATION_BYTES_MAX)?;
        Some(id(body))
    }

    fn read(bytes: Arc<[u8]>) -> Result<Self, OpError> {
        if bytes.len() > limits::OPERATION_BYTES_MAX {
            return Err(Malformed::Limit.into());
        }
        let (body, _) = bytes.split_last_chunk::<64>().ok_or(Malformed::Short)?;
        let mut reader = Reader::new(body);
        if reader.byte()? != AclOp::VERSION {
            return Err(OpError::Version);
        }
        let op = Arc::new(encoding::read(&mut reader)?);
        Ok(SignedOp { op, id: id(body), bytes })
    }

    /// The operation.
    pub fn op(&self) -> &AclOp {
        &self.op
    }

    /// Its id.
    pub fn id(&self) -> AuthorityId {
        self.id
    }

    /// The canonical bytes with the signature, as they travel and rest.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl AclOp {
    /// The canonical bytes without a signature, to be signed where the author's key is.
    pub fn unsigned(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        encoding::write(self, &mut writer);
        writer.into_bytes()
    }

    /// Reads what [`AclOp::unsigned`] wrote.
    ///
    /// # Errors
    /// [`OpError`] for other bytes.
    pub fn read_unsigned(bytes: &[u8]) -> Result<AclOp, OpError> {
        Ok(SignedOp::read([bytes, &[0; 64]].concat().into())?.op().clone())
    }
}

fn id(body: &[u8]) -> AuthorityId {
    AuthorityId(hash(Context::Acl, &[body]))
}

fn message(id: &AuthorityId) -> Vec<u8> {
    [b"pistol/acl/1\0".as_slice(), id.as_bytes()].concat()
}
