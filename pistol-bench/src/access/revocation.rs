//! What one revocation costs in a document of many changes: to judge it, and to make the document anew without what it takes
//! away, beside opening the document.

use std::time::{Duration, Instant};

use pistol::{Doc, Preset, Revocation, Role};
use pistol_acl::record::{Action, Heads, Keep, Mode, Subject};
use pistol_acl::{Access, Held, State};

use super::fast_path::{Team, change};
use crate::Outcome;
use crate::basics::{WITHIN, first_sync, node};
use crate::figure::Figure;
use crate::samples::milliseconds;
use crate::text::BODY;
use crate::trace::Keystroke;

/// Changes by the one who is revoked, the last ones.
const REVOKED: usize = 1000;

pub(crate) async fn run(changes: usize) -> Outcome<Figure> {
    let kept = changes.checked_sub(REVOKED).ok_or("name more changes")?;
    let (endorsed, exact) = (verdict(changes, Mode::Endorsed)?, verdict(changes, Mode::Exact)?);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("root");
    let root = node(&path).await?;
    let doc = root.create_for(Preset::Team, |doc| doc.text(BODY)).await?;
    first_sync::write(&doc, &typed(0, kept)).await?;
    let member = node(&folder.path().join("member")).await?;
    doc.grant(member.author(), Role::Writer)?;
    doc.flush().await?;
    let theirs = member.join(&doc.ticket()).await?;
    theirs.synced(WITHIN).await?;
    first_sync::write(&theirs, &typed(kept, changes)).await?;
    theirs.synced(WITHIN).await?;
    check_length(&doc, changes)?;
    let begun = Instant::now();
    doc.revoke(member.author(), Revocation::Exact)?;
    let rebuilt = begun.elapsed();
    check_length(&doc, kept)?;
    let id = doc.id();
    drop((doc, theirs));
    member.shutdown().await?;
    root.shutdown().await?;
    let root = node(&path).await?;
    let begun = Instant::now();
    let doc = root.document(id).await?;
    let opened = begun.elapsed();
    check_length(&doc, kept)?;
    root.shutdown().await?;
    Ok(Figure::new("access", "revocation")
        .with("changes", changes)
        .with("verdict_ms", milliseconds(endorsed))
        .with("verdict_exact_ms", milliseconds(exact))
        .with("rebuild_ms", milliseconds(rebuilt))
        .with("open_ms", milliseconds(opened)))
}

/// Keystrokes at the end of a text that is so long already.
fn typed(from: usize, to: usize) -> Vec<Keystroke> {
    (from..to).map(|at| Keystroke { at, deleted: 0, text: "x".to_owned() }).collect()
}

fn check_length(doc: &Doc, characters: usize) -> Outcome<()> {
    let found = doc.read(|doc| doc.text(BODY).to_string()).len();
    if found == characters { Ok(()) } else { Err(format!("{found} characters are there, not {characters}").into()) }
}

/// The time until it is known which of a member's changes a revocation leaves.
fn verdict(changes: usize, mode: Mode) -> Outcome<Duration> {
    let mut team = Team::new()?;
    (0..changes).for_each(|number| drop(team.access.add(team.summary(number))));
    let last = change(changes.checked_sub(1).ok_or("nothing to judge")?);
    let half = change(changes / 2);
    let keep = vec![Heads { document: team.log, heads: vec![half], tips: vec![] }];
    let keep = Keep { changes: keep, operations: vec![] };
    let who = Subject::Key(team.member.id());
    let revoke = team.operation(Action::Revoke { who, mode, cascade: false, keep })?;
    let begun = Instant::now();
    let is_held = matches!(team.access.hold(revoke), Held::Entered(_));
    team.access.settle();
    let took = begun.elapsed();
    let is = |access: &Access, id, state| access.state(&id) == state;
    if is_held && is(&team.access, half, State::Accepted) && is(&team.access, last, State::Masked) {
        return Ok(took);
    }
    Err("the revocation did not leave the first half".into())
}
