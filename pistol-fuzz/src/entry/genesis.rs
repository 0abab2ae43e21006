//! A genesis, sealed again, and the document that it makes.

use std::sync::{Arc, LazyLock};

use pistol_core::change::{Action, Kind as ObjectKind, Place, Reference, Scalar};
use pistol_core::document::Document;
use pistol_core::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use pistol_core::id::DocumentId;
use pistol_core::key::Verifier;

use crate::chance::Chance;
use crate::finding::{Divergence, Outcome, promise};
use crate::history::stage::{self, key, op, text};
use crate::mutate::mutate;
use crate::sealing;

/// Gives the bytes of a genesis. Accepted is one whose document can be made.
///
/// # Errors
/// [`Divergence`] if the document cannot be shown or saved.
pub fn accepts(bytes: &[u8]) -> Outcome {
    let Ok(genesis) = Genesis::verify(bytes, &mut Verifier::default()) else {
        return Ok(false);
    };
    promise(genesis.bytes() == bytes, "a genesis changes when it is stored")?;
    let root = usize::try_from(genesis.terms().creator).ok().and_then(|creator| genesis.terms().roots.get(creator));
    if let Some(key) = root.and_then(sealing::key_of) {
        let again = Genesis::sign(&key, genesis.terms().clone()).map(|again| again.id());
        promise(again == Ok(genesis.id()), "a genesis has two canonical forms")?;
    }
    let Ok(mut document) = Document::new(Arc::new(genesis)) else {
        return Ok(false);
    };
    document.project().map_err(|_| Divergence::new("Automerge does not take a skeleton"))?;
    let loaded = automerge::Automerge::load(&document.save());
    let loaded =
        loaded.map_err(|error| Divergence::new(format!("a skeleton that was saved cannot be loaded: {error}")))?;
    let heads: Vec<[u8; 32]> = loaded.get_heads().iter().map(|head| head.0).collect();
    promise(heads == document.projected_heads(), "a skeleton that was saved loads as something else")?;
    Ok(true)
}

static HONEST: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let rich = Genesis::sign(&sealing::author(1), terms()).ok();
    [stage::genesis().ok(), rich].into_iter().flatten().map(|genesis| genesis.bytes().to_vec()).collect()
});

fn terms() -> Terms {
    let own = Reference::Skeleton;
    let mut roots = vec![sealing::author(1).id(), sealing::author(2).id()];
    roots.sort_unstable();
    let creator = u32::from(roots.first() != Some(&sealing::author(1).id()));
    Terms {
        kind: Kind::Document,
        roots,
        creator,
        policy: Policy::Owned,
        limits: Limits::default(),
        read: Read::Key([9; 32]),
        skeleton: vec![
            op(None, key("body"), Action::Make(ObjectKind::Text), &[]),
            op(Some(own(0)), Place::After(None), text("a"), &[]),
            op(Some(own(0)), Place::After(Some(own(1))), text("b"), &[]),
            op(Some(own(0)), Place::At(own(1)), Action::Delete, &[own(1)]),
            op(None, key("map"), Action::Make(ObjectKind::Map), &[]),
            op(Some(own(4)), key("n"), Action::Put(Scalar::Counter(1)), &[]),
            op(Some(own(4)), key("n"), Action::Increment(1), &[own(5)]),
            op(None, key("list"), Action::Make(ObjectKind::List), &[]),
            op(Some(own(7)), Place::After(None), Action::Put(Scalar::Timestamp(-1)), &[]),
        ],
        space: Some(DocumentId([4; 32])),
        authority: vec![],
        app: uuid::Uuid::nil(),
        predecessor: Some(DocumentId([5; 32])),
        nonce: [6; 16],
    }
}

/// Bytes for coverage-guided targets to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    HONEST.clone()
}

/// Gives the bytes of a genesis after signing them again.
///
/// # Errors
/// As [`accepts`].
pub fn accepts_sealed(bytes: &[u8], author: u8) -> Outcome {
    let mut bytes = bytes.to_vec();
    sealing::seal_genesis(&mut bytes, &sealing::author(author));
    accepts(&bytes)
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let author = u8::from(chance.one_in(2));
    let mut bytes = HONEST.get(usize::from(author)).cloned().unwrap_or_default();
    let other = chance.pick(&HONEST).cloned().unwrap_or_default();
    if chance.one_in(4) {
        mutate(&mut bytes, &other, chance);
        return accepts(&bytes);
    }
    bytes.truncate(bytes.len().saturating_sub(64));
    mutate(&mut bytes, &other, chance);
    bytes.extend([0; 64]);
    accepts_sealed(&bytes, author)
}
