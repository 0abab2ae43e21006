//! Whom a grant, a revocation or a group names: an author, an identity, a group, or the members of a space.

use pistol::{Author, DocumentId, FindError, LogKind, Node, Subject};

use crate::failure::{Exit, Failure};
use crate::kind::KindName;

/// What has members, by its id.
type Of = fn(DocumentId) -> Subject;

/// The author that is meant.
pub(crate) fn author_of(text: &str) -> Result<Author, Failure> {
    text.parse().map_err(|_| {
        let help = "an author is 64 hexadecimal digits, as `pistol identity show` prints them there";
        Failure::usage(format!("`{text}` is no author"), help)
    })
}

/// Who is meant: an author; or an identity, a group or a space, by its name here or the beginning of its id. One that is not here yet
/// is `identity:ID`, `group:ID` or `space:ID`, with all of its id.
pub(crate) fn who(node: &Node, text: &str) -> Result<Subject, Failure> {
    if let Ok(author) = text.parse::<Author>() {
        return Ok(Subject::Key(author));
    }
    let kinds = [("identity:", Subject::Identity as Of), ("group:", Subject::Group), ("space:", Subject::Space)];
    for (prefix, subject) in kinds {
        if let Some(id) = text.strip_prefix(prefix) {
            return id.parse().map(subject).map_err(|_| {
                Failure::usage(format!("`{id}` is no id"), "write all of the id, as `pistol ls` prints it there")
            });
        }
    }
    let kinds = [LogKind::Identity, LogKind::Group, LogKind::Space];
    let found = node.find_among(text, &kinds).map_err(|error| failed(text, error))?;
    Ok(match found.kind {
        LogKind::Group => Subject::Group(found.id),
        LogKind::Space => Subject::Space(found.id),
        _ => Subject::Identity(found.id),
    })
}

fn failed(text: &str, error: FindError) -> Failure {
    let message = match error {
        FindError::NoLog(_) => format!("`{text}` is neither an author nor an identity, group or space of this store"),
        FindError::OtherKind { kind, .. } => {
            let is = KindName::from(kind).one();
            format!("`{text}` is {is}, and a part is given to an author, an identity, a group or a space")
        }
        error => return Failure::of(error),
    };
    let help = "an author is 64 hexadecimal digits, as `pistol identity show` prints them there; `pistol ls` shows the \
                identities, groups and spaces of this store, and `pistol join` brings one";
    Failure::new(Exit::NotFound, message, help)
}

/// Somebody in words, as `who` reads them if all of an id is there.
pub(crate) fn words(subject: &Subject) -> String {
    match subject {
        Subject::Key(author) => author.to_string(),
        Subject::Identity(id) => format!("identity:{id}"),
        Subject::Group(id) => format!("group:{id}"),
        Subject::Space(id) => format!("space:{id}"),
    }
}

/// What somebody is called here.
pub(crate) fn name(node: &Node, subject: &Subject) -> Option<String> {
    match subject {
        Subject::Key(_) => None,
        Subject::Identity(id) | Subject::Group(id) | Subject::Space(id) => node.document_info(*id)?.name,
    }
}
