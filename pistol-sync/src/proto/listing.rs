//! Which documents of a space two nodes hold: a digest first, and where these differ the ids, part by part.

use pistol_core::hash::{Context, hash};
use pistol_core::id::DocumentId;

use super::message::Listed;
use crate::limits;

/// What nodes that hold the same documents have in common; their ids come ascending.
pub fn digest<'a>(ids: impl Iterator<Item = &'a DocumentId>) -> [u8; 32] {
    let bytes: Vec<u8> = ids.flat_map(|id| id.0).collect();
    hash(Context::Catalogue, &[&bytes])
}

/// The documents that come after one, as many as one message holds.
pub fn part<'a>(mut ids: impl Iterator<Item = &'a DocumentId>) -> Listed {
    let part = ids.by_ref().take(limits::LISTED_MAX).map(|id| id.0).collect();
    Listed { ids: part, has_more: Some(ids.next().is_some()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: usize) -> Vec<DocumentId> {
        (0..count).map(|number| DocumentId(std::array::from_fn(|at| number.to_be_bytes()[at % 8]))).collect()
    }

    #[test]
    fn the_digest_tells_sets_apart() {
        let ids = ids(3);
        assert_eq!(digest(ids.iter()), digest(ids.iter()));
        assert_ne!(digest(ids.iter()), digest(ids[1..].iter()));
        assert_ne!(digest(ids[..0].iter()), digest(ids[..1].iter()));
    }

    #[test]
    fn a_part_holds_what_a_message_may_and_says_whether_there_is_more() {
        let ids = ids(limits::LISTED_MAX + 1);
        let first = part(ids.iter());
        assert_eq!((first.ids.len(), first.has_more), (limits::LISTED_MAX, Some(true)));
        let whole = part(ids[1..].iter());
        assert_eq!((whole.ids.len(), whole.has_more), (limits::LISTED_MAX, Some(false)));
        assert_eq!(part(ids[..0].iter()), Listed { ids: vec![], has_more: Some(false) });
    }
}
