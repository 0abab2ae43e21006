//! What became of the accepted set since somebody looked last: so who shows it need not look at all of it.

use pistol_core::id::ChangeId;

use super::Acceptance;

/// How the accepted set differs from what it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Changes that came to be accepted, those that others depend on first.
    pub grown: Vec<ChangeId>,
    /// Whether changes ceased to be. Some of `grown` may be among them.
    pub has_shrunk: bool,
}

impl Acceptance {
    pub(crate) fn take_news(&mut self) -> News {
        let (mut grown, has_shrunk) = std::mem::take(&mut self.news);
        grown.sort_unstable();
        grown.dedup();
        let id = |at: &u32| self.nodes.get(*at as usize).map(|node| node.id);
        News { grown: grown.iter().filter_map(id).collect(), has_shrunk }
    }
}
