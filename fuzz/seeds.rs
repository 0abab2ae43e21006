//! Writes honest inputs for each target into `corpus`, to begin with.

use std::path::Path;

use pistol_fuzz::entry::{change, envelope, frame, genesis, row, ticket};

fn main() -> std::io::Result<()> {
    let first = |place: u8, bytes: Vec<u8>| [vec![place], bytes].concat();
    let changes = (0..).zip(change::seeds()).map(|(place, bytes)| first(place, bytes)).collect();
    let frames = frame::seeds();
    let stream = frames.iter().flat_map(|frame| [&[frame.len() as u8, 0, 0, 0], frame.as_slice()].concat()).collect();
    let targets = [
        ("frame", frames),
        ("stream", vec![stream]),
        ("envelope", envelope::seeds()),
        ("change", changes),
        ("genesis", genesis::seeds()),
        ("ticket", ticket::seeds()),
        ("row", row::seeds()),
    ];
    for (target, seeds) in targets {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        std::fs::create_dir_all(&folder)?;
        for (number, bytes) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("honest-{number}")), bytes)?;
        }
    }
    Ok(())
}
