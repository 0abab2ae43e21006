//! Patches: what changed in the texts that somebody follows.

use std::collections::BTreeMap;

use automerge::{ChangeHash, ObjId, PatchLog, ReadDoc};

use super::Document;

/// A change in a text that readers see, in Unicode code points; `object` tells texts apart while the document is open.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Patch {
    /// Text was added.
    Insert {
        /// The text object.
        object: String,
        /// Where.
        at: usize,
        /// What.
        text: String,
    },
    /// Text was removed.
    Delete {
        /// The text object.
        object: String,
        /// Where.
        at: usize,
        /// How much.
        length: usize,
    },
    /// The text is called otherwise from now on: a fork became known.
    Rename {
        /// The text object until now.
        object: String,
        /// The text object from now on.
        new: String,
    },
}

/// What readers saw of the followed texts before something changed.
pub(super) struct Seen {
    heads: Vec<ChangeHash>,
    /// What those texts said that were deleted or replaced: Automerge tells nothing of them.
    hidden: BTreeMap<String, String>,
}

impl Document {
    /// To be asked before a change whose patches are wanted.
    pub(super) fn seen(&self) -> Seen {
        let hidden = self.followed.iter().filter(|(_, object)| !self.is_shown(object));
        let text = |object| self.automerge.text(object).unwrap_or_default();
        let hidden = hidden.map(|(name, object)| (name.clone(), text(object))).collect();
        let heads = if self.is_followed() { self.automerge.get_heads() } else { Vec::new() };
        Seen { heads, hidden }
    }

    fn is_shown(&self, object: &ObjId) -> bool {
        self.automerge.parents(object).is_ok_and(|parents| parents.visible_path().is_some())
    }

    pub(super) fn patches(&self, log: &mut PatchLog, before: &Seen) -> Vec<Patch> {
        if !self.is_followed() {
            return Vec::new();
        }
        let mut compared = BTreeMap::new();
        for (name, object) in &self.followed {
            let was = match before.hidden.get(name) {
                Some(text) => text.clone(),
                None if self.is_shown(object) => continue,
                None => self.automerge.text_at(object, &before.heads).unwrap_or_default(),
            };
            let is = self.automerge.text(object).unwrap_or_default();
            compared.insert(name.as_str(), replaced(name, &was, &is));
        }
        let patches = self.automerge.make_patches(log).into_iter().filter_map(text_patch);
        let mut patches: Vec<Patch> = patches.filter(|patch| !compared.contains_key(patch.object())).collect();
        patches.extend(compared.into_values().flatten());
        patches
    }
}

impl Patch {
    fn object(&self) -> &str {
        match self {
            Patch::Insert { object, .. } | Patch::Delete { object, .. } | Patch::Rename { object, .. } => object,
        }
    }
}

fn text_patch(patch: automerge::Patch) -> Option<Patch> {
    let object = patch.obj.to_string();
    match patch.action {
        automerge::PatchAction::SpliceText { index, value, .. } => {
            Some(Patch::Insert { object, at: index, text: value.make_string() })
        }
        automerge::PatchAction::DeleteSeq { index, length } => Some(Patch::Delete { object, at: index, length }),
        // A block in a text is one character to an editor of plain text.
        automerge::PatchAction::Insert { index, values } => {
            let text = "\u{fffc}".repeat(values.len());
            Some(Patch::Insert { object, at: index, text })
        }
        _ => None,
    }
}

/// The one stretch in which two texts differ, as patches.
pub(super) fn replaced(object: &str, before: &str, after: &str) -> Vec<Patch> {
    let (before, after): (Vec<char>, Vec<char>) = (before.chars().collect(), after.chars().collect());
    let at = before.iter().zip(&after).take_while(|(one, other)| one == other).count();
    let rest = |text: &[char]| text.len() - at;
    let same = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
    let same = same.min(rest(&before)).min(rest(&after));
    let (length, added) = (rest(&before) - same, rest(&after) - same);
    let mut patches = Vec::new();
    if length > 0 {
        patches.push(Patch::Delete { object: object.to_owned(), at, length });
    }
    if added > 0 {
        let text = after.iter().skip(at).take(added).collect();
        patches.push(Patch::Insert { object: object.to_owned(), at, text });
    }
    patches
}
