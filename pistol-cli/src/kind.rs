//! What a store holds, as the command line spells it.

use std::fmt;

use pistol::LogKind;
use serde::{Deserialize, Serialize};

/// Everything that has a name and an id.
pub(crate) const ALL: [LogKind; 4] = [LogKind::Document, LogKind::Identity, LogKind::Group, LogKind::Space];

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KindName {
    /// What people write into.
    Document,
    /// A person's devices.
    Identity,
    /// A list of people.
    Group,
    /// Documents that belong together.
    Space,
    /// Something that this version has no word for.
    Other,
}

impl From<LogKind> for KindName {
    fn from(kind: LogKind) -> Self {
        match kind {
            LogKind::Document => KindName::Document,
            LogKind::Identity => KindName::Identity,
            LogKind::Group => KindName::Group,
            LogKind::Space => KindName::Space,
            _ => KindName::Other,
        }
    }
}

impl KindName {
    /// One of them.
    pub(crate) fn one(self) -> &'static str {
        match self {
            KindName::Document => "a document",
            KindName::Identity => "an identity",
            KindName::Group => "a group",
            KindName::Space => "a space",
            KindName::Other => "something else",
        }
    }

    /// What can be done with something of this kind that is called so.
    pub(crate) fn advice(self, name: &str) -> String {
        match self {
            KindName::Document => format!("`pistol cat {name}` shows it, `pistol acl {name}` who may do what in it"),
            KindName::Identity => {
                format!("`pistol identity show {name}` shows its devices, `pistol grant DOC {name}` gives it a part")
            }
            KindName::Group => {
                format!("`pistol group show {name}` shows who is in it, `pistol grant DOC {name}` gives it a part")
            }
            KindName::Space => {
                format!("`pistol space show {name}` shows what is in it, `pistol grant {name} WHO` gives a part in it")
            }
            KindName::Other => "a newer version of pistol may know it".to_owned(),
        }
    }
}

impl fmt::Display for KindName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KindName::Document => "document",
            KindName::Identity => "identity",
            KindName::Group => "group",
            KindName::Space => "space",
            KindName::Other => "other",
        })
    }
}
