//! Writes honest inputs for each target of `fuzz/` into a folder, for libFuzzer to begin with.

use std::path::Path;

use pistol_fuzz::entry::{change, envelope, export, frame, genesis, key_file, operation, row, snapshot, ticket};
use pistol_sync::proto::frame::encode;

#[expect(clippy::disallowed_methods, reason = "a program has arguments")]
fn main() -> std::io::Result<()> {
    let corpus = std::env::args().nth(1).unwrap_or("fuzz/corpus".to_owned());
    let first = |place: u8, bytes: Vec<u8>| [vec![place], bytes].concat();
    let changes = (0..).zip(change::seeds()).map(|(place, bytes)| first(place, bytes)).collect();
    let frames = frame::seeds();
    let stream = frames.iter().flat_map(|frame| encode(frame).unwrap_or_default()).collect();
    let targets = [
        ("frame", frames),
        ("stream", vec![stream]),
        ("envelope", envelope::seeds()),
        ("change", changes),
        ("genesis", genesis::seeds()),
        ("key_file", key_file::seeds()),
        ("operation", operation::seeds()),
        ("ticket", ticket::seeds()),
        ("row", row::seeds()),
        ("export", export::seeds()),
        ("snapshot", snapshot::seeds()),
    ];
    for (target, seeds) in targets {
        let folder = Path::new(&corpus).join(target);
        std::fs::create_dir_all(&folder)?;
        for (number, bytes) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("honest-{number}")), bytes)?;
        }
    }
    Ok(())
}
