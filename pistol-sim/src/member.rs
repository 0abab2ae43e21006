//! What people do to who may write in a document with members.

use pistol_acl::record::{Action, Heads, Keep, Mode, Role, Subject};
use pistol_core::id::{ChangeId, DocumentId};
use pistol_core::key::AuthorId;
use pistol_engine::{Documents, Insight, OperateError};

use crate::chance::Chance;
use crate::picture::ids;

/// Masked changes that one operation adopts at most.
const ADOPTED_MAX: usize = 3;

/// Something that an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Somebody is given a part.
    Grant(Role),
    /// Somebody's part ends, and what its author sees stays.
    Revoke,
    /// Somebody's part ends, and with it all that nobody else has built on; what they granted may end too.
    RevokeWhole {
        /// Whether it does.
        cascade: bool,
    },
    /// Somebody's part ends, and all that they wrote goes, and what was built on it.
    Purge,
    /// Changes that are masked become part of the document.
    Adopt,
    /// Nothing: the log is acknowledged as it is.
    Witness,
    /// Somebody becomes a root.
    AddRoot,
    /// A root gives up its powers.
    Relinquish,
    /// The document is opened to everybody for ever.
    Release,
}

impl Deed {
    pub(crate) fn of(chance: &mut Chance) -> Deed {
        match chance.below(40) {
            0..=9 => Deed::Grant(Role::Writer),
            10..=12 => Deed::Grant(Role::Admin),
            13 => Deed::Grant(Role::Reader),
            14..=20 => Deed::Revoke,
            21..=23 => Deed::RevokeWhole { cascade: chance.percent(50) },
            24..=26 => Deed::Purge,
            27..=34 => Deed::Adopt,
            35 | 36 => Deed::Witness,
            37 => Deed::AddRoot,
            38 => Deed::Relinquish,
            _ if chance.percent(30) => Deed::Release,
            _ => Deed::Grant(Role::Relay),
        }
    }
}

/// Writes one operation about somebody, made of what is shown. `Ok(false)` if rightly none was written.
pub(crate) fn operate(
    documents: &Documents,
    document: &DocumentId,
    (deed, whom): (Deed, AuthorId),
    chance: &mut Chance,
) -> Result<bool, OperateError> {
    let operated = documents.operate(document, |insight| action(&insight, deed, whom, chance));
    match operated {
        Ok(_) => Ok(true),
        // Who is no root learns only from the judge that roots alone may do some things.
        Err(OperateError::Refused(pistol_acl::Refusal::Role)) if matches!(deed, Deed::AddRoot | Deed::Relinquish) => {
            Ok(false)
        }
        Err(
            OperateError::Power(_)
            | OperateError::NoMembers
            | OperateError::NothingToRevoke
            | OperateError::Senior
            | OperateError::TooManyHeads
            | OperateError::Document(_),
        ) => Ok(false),
        Err(error) => Err(error),
    }
}

fn action(insight: &Insight<'_>, deed: Deed, whom: AuthorId, chance: &mut Chance) -> Result<Action, OperateError> {
    let who = Subject::Key(whom);
    let revoke =
        |mode, cascade, changes| Action::Revoke { who, mode, cascade, keep: Keep { changes, operations: Vec::new() } };
    Ok(match deed {
        Deed::Grant(role) => Action::Grant { to: who, role },
        Deed::Revoke => revoke(Mode::Endorsed, false, shown(insight)?),
        Deed::RevokeWhole { cascade } => revoke(Mode::Endorsed, cascade, Vec::new()),
        Deed::Purge => revoke(Mode::Exact, false, Vec::new()),
        Deed::Adopt => {
            let masked = masked(insight);
            if masked.is_empty() {
                return Ok(Action::Witness { names: Vec::new() });
            }
            let mut heads: Vec<ChangeId> = (0..ADOPTED_MAX).filter_map(|_| chance.pick(&masked)).collect();
            heads.sort_unstable();
            heads.dedup();
            Action::Checkpoint(Heads { document: insight.held.genesis().id(), heads, tips: Vec::new() })
        }
        Deed::Witness => Action::Witness { names: Vec::new() },
        Deed::AddRoot => Action::AddRoot { key: whom },
        Deed::Relinquish => Action::Relinquish,
        Deed::Release => Action::Release,
    })
}

/// The changes that are held and not part of the document.
pub(crate) fn masked(insight: &Insight<'_>) -> Vec<ChangeId> {
    let is_masked = |id: &ChangeId| insight.document.history().ordinal(id).is_none();
    ids(insight.held).filter(is_masked).collect()
}

/// The heads of what is shown, to be kept.
fn shown(insight: &Insight<'_>) -> Result<Vec<Heads>, OperateError> {
    let history = insight.document.history();
    let mut heads: Vec<ChangeId> = history.heads().filter_map(|head| history.id(head)).collect();
    heads.sort_unstable();
    if heads.len() > pistol_acl::limits::HEADS_MAX {
        return Err(OperateError::TooManyHeads);
    }
    let kept = Heads { document: history.genesis().id(), heads, tips: Vec::new() };
    Ok(if kept.heads.is_empty() { Vec::new() } else { vec![kept] })
}
