//! When readers see what was accepted: at once where that costs next to nothing, otherwise with rests in between, so that
//! two people who type at the same time into a large text leave time for everything else.

use std::collections::BTreeMap;

use pistol_core::key::AuthorId;
use pistol_core::validate::Ordinal;

use super::Replica;
use crate::limits;

/// What is accepted and not yet shown, and since when there is rest.
#[derive(Debug, Default)]
pub(super) struct Showing {
    /// Whose changes readers will see next, and how many of each.
    authors: BTreeMap<AuthorId, u64>,
    /// When the first of them came.
    behind_since_ms: Option<u64>,
    /// When the last change came, and the number after it.
    last_came: (u64, Ordinal),
    rest_until_ms: u64,
    /// Whether more is known to come from a peer that was asked for it, and until when that is gathered before more is shown.
    is_gathering: bool,
    gathered_until_ms: u64,
    /// Operations walked since the last time somebody asked, after which there is rest from showing.
    typed_walk: u64,
    /// What of the cost of branches was rested from.
    rebuilt: u64,
    /// When branches were last taken in, and how long that took.
    branched_ms: (u64, u64),
}

impl Showing {
    /// Whether listeners were told of all that came.
    pub(super) fn has_told_all(&self) -> bool {
        self.authors.is_empty()
    }
}

impl Replica {
    pub(super) fn will_show(&mut self, authors: &BTreeMap<AuthorId, u64>) {
        for (author, count) in authors {
            *self.showing.authors.entry(*author).or_default() += count;
        }
    }

    /// Shows what is due. `is_complete` says that all came that is known to come: a document that is new here is shown
    /// whole if that takes no more than a moment; a long one once it is stored, since what waits for the disk takes memory.
    /// While more comes from a peer that was asked for it (`is_gathering`), there is rest after showing a part.
    pub(crate) fn show(&mut self, now_ms: u64, is_complete: bool, is_gathering: bool) {
        self.showing.is_gathering = is_gathering;
        let is_new = self.document.is_bare();
        if !is_new {
            let patches = self.document.project_cheap();
            self.screens.apply(&patches);
        }
        if !self.document.is_behind() {
            self.showing.behind_since_ms = None;
            return;
        }
        self.showing.behind_since_ms.get_or_insert(now_ms);
        let next = self.document.history().next();
        if self.showing.last_came.1 != next {
            self.showing.last_came = (now_ms, next);
        }
        let is_short = self.document.behind() < limits::SHOWN_UNSTORED;
        let is_whole = is_complete && (is_short || self.is_durable());
        if is_new && is_whole || self.show_at_ms().is_some_and(|at_ms| now_ms >= at_ms) {
            self.show_all(now_ms);
        }
    }

    /// After branches were taken in there is rest from more. A fork makes everything shown be made anew, which takes seconds in a large document; a new
    /// chain is one more name that Automerge makes room for; each is one more head for every later edit. All that costs its author
    /// nothing, and an edit made here pays for it, too. So those that come meanwhile wait, and are taken in together.
    pub(super) fn note_branches(&mut self, now_ms: u64) {
        let took_ms = (self.document.rebuilt() - self.showing.rebuilt) / limits::WALKED_IN_A_MS;
        if took_ms >= limits::BRANCHED_MS_LEAST {
            self.showing.rebuilt = self.document.rebuilt();
            self.showing.branched_ms = (now_ms, took_ms);
        }
    }

    /// Until when no more branches are taken in that came from a peer. Those from one that this node dialled rest less: it may pass on
    /// what many wrote.
    pub(super) fn branches_rest_until_ms(&self, is_dialled: bool) -> u64 {
        let (at_ms, took_ms) = self.showing.branched_ms;
        let times = if is_dialled { limits::RESTS_FROM_BRANCHES_DIALLED } else { limits::RESTS_FROM_BRANCHES };
        at_ms.saturating_add(took_ms.saturating_mul(times).min(limits::RESTS_FROM_BRANCHES_MS_MAX))
    }

    /// When what rests is looked at again: branches that wait, and operations that are not judged. None if nothing does.
    pub(crate) fn look_again_ms(&self) -> Option<u64> {
        let branches = self.waiting.is_branch_dialled().map(|is_dialled| self.branches_rest_until_ms(is_dialled));
        branches.into_iter().chain(self.judge_at_ms()).min()
    }

    /// Shows everything now.
    pub(crate) fn show_all(&mut self, now_ms: u64) {
        let is_typed = self.document.operations_behind() <= limits::TYPED_OPERATIONS;
        let before = self.document.walked() - self.document.rebuilt();
        match self.document.project() {
            Ok(patches) => self.screens.apply(&patches),
            Err(rule) => self.state.refuse(&format!("Automerge failed on accepted changes: {rule}")),
        }
        let walked = self.document.walked() - self.document.rebuilt() - before;
        self.showing.gathered_until_ms = now_ms + gathering_ms(walked);
        if is_typed {
            self.showing.rest_until_ms = now_ms + walked / limits::WALKED_IN_A_MS * limits::RESTS;
            self.showing.typed_walk += walked;
        }
        self.showing.behind_since_ms = None;
    }

    /// Operations that were walked to show what people may have typed: showing rests for that, so nobody else need.
    pub(crate) fn take_typed_walk(&mut self) -> u64 {
        std::mem::take(&mut self.showing.typed_walk)
    }

    /// When something is due to be shown.
    pub(crate) fn show_at_ms(&self) -> Option<u64> {
        let since_ms = self.showing.behind_since_ms?;
        let is_new = self.document.is_bare();
        let (came_ms, _) = self.showing.last_came;
        let given_up_ms = (came_ms + limits::WHOLE_MS).min(since_ms + limits::WHOLE_MS_MAX);
        let is_part = self.showing.is_gathering && self.document.operations_behind() > limits::TYPED_OPERATIONS;
        let rest_until_ms = self.showing.rest_until_ms;
        Some(match () {
            () if is_new => given_up_ms,
            () if is_part => rest_until_ms.max(self.showing.gathered_until_ms),
            () => rest_until_ms,
        })
    }

    /// Whether readers see all that there is, and listeners were told.
    pub(crate) fn has_nothing_to_show(&self) -> bool {
        !self.document.is_behind() && self.showing.has_told_all()
    }

    /// Whose changes readers see since the last time; none while some are not shown.
    pub(crate) fn shown(&mut self) -> BTreeMap<AuthorId, u64> {
        if self.document.is_behind() { BTreeMap::new() } else { std::mem::take(&mut self.showing.authors) }
    }
}

/// How long more is gathered after a part was shown, which walked through so many operations. A peer may say that more is to
/// come and never send it: what others sent is shown soon all the same.
fn gathering_ms(walked: u64) -> u64 {
    (walked / limits::WALKED_IN_A_MS).saturating_mul(limits::RESTS_GATHERING).min(limits::WHOLE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_gathered_for_as_long_as_showing_a_part_is_worth_and_for_three_seconds_at_most() {
        let walks = [0, limits::WALKED_IN_A_MS, 20 * limits::WALKED_IN_A_MS, 1_000_000_000, u64::MAX];
        let most = limits::WHOLE_MS;
        assert_eq!(walks.map(gathering_ms), [0, limits::RESTS_GATHERING, 20 * limits::RESTS_GATHERING, most, most]);
    }
}
