//! The logs that a random world begins with, and who is who in them.

use super::{Chance, Size};
use crate::world::{Author, Home, Insert, Kind, Limits, Log, LogId, OperationId, Policy};

pub(super) const DOCUMENT: LogId = LogId(0);
pub(super) const IDENTITY: LogId = LogId(1);
pub(super) const GROUP: LogId = LogId(2);
pub(super) const INNER_GROUP: LogId = LogId(3);
pub(super) const SPACE: LogId = LogId(4);
pub(super) const SHARED_DOCUMENT: LogId = LogId(5);

/// The owner of the document, of the space, and of the outer group.
pub(super) const OWNER: Author = Author(0);
/// The offline root of the identity.
pub(super) const OFFLINE_ROOT: Author = Author(1);
/// Keys that the identity may certify.
pub(super) const DEVICES: [Author; 2] = [Author(2), Author(3)];

/// The keys of a world of this size.
pub(super) fn authors(size: Size) -> Vec<Author> {
    let count = match size {
        Size::Tiny | Size::Small => 6,
        Size::Medium => 9,
    };
    (0..count).map(Author).collect()
}

/// The geneses of a world.
pub(super) fn logs(chance: &mut Chance) -> Vec<Log> {
    let root = if chance.one_in(4) { OFFLINE_ROOT } else { OWNER };
    let mut document = Log::document(DOCUMENT, policy(chance), root);
    document.is_releasable = !chance.one_in(4);
    let mut space = Log::new(SPACE, Kind::Space, OWNER);
    space.policy = policy(chance);
    space.is_releasable = !chance.one_in(3);
    let mut shared = Log::document(SHARED_DOCUMENT, Policy::Members, Author(4));
    shared.home = Some(Home { space: SPACE, creator: Author(4), authority: into_space(chance) });
    let mut logs = vec![
        document,
        Log::new(IDENTITY, Kind::Identity, OFFLINE_ROOT),
        Log::new(GROUP, Kind::Group, OWNER),
        Log::new(INNER_GROUP, Kind::Group, Author(5)),
        space,
        shared,
    ];
    if chance.one_in(20) {
        let lost = chance.below(logs.len());
        logs.remove(lost);
    }
    logs
}

/// The limits of the rules, now and then so small that they are met.
pub(super) fn limits(chance: &mut Chance) -> Limits {
    let small = Limits {
        operations_of_one_author: 3,
        operations_of_one_author_in_identities: 2,
        bytes_of_one_author: 4,
        bytes_of_one_author_in_identities: 2,
    };
    if chance.one_in(20) { small } else { Limits::default() }
}

/// The path of the shared document's creator: the grant that the opening makes first in the space.
fn into_space(chance: &mut Chance) -> Vec<OperationId> {
    if chance.one_in(4) { Vec::new() } else { vec![OperationId(0)] }
}

fn policy(chance: &mut Chance) -> Policy {
    let first_writer = Policy::FirstWriter {
        insert: if chance.one_in(2) { Insert::Anywhere } else { Insert::OwnObject },
        shared_counters: chance.one_in(2),
        members_only: chance.one_in(2),
        shared_slots: chance.one_in(2),
    };
    let members = Policy::Members;
    let policies = [members, members, members, members, members, Policy::Owned, Policy::WorldWritable, first_writer];
    chance.pick(&policies).unwrap_or(members)
}
