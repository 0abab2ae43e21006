//! The socket of a node: how other commands reach the node that holds the store.
//!
//! It lies in the store's folder and only the store's owner may use it. A connection carries one request and its answers.

pub(crate) mod client;
mod language;
pub(crate) mod server;

use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The longest request: what a change may hold, with room for how JSON writes it.
pub(crate) const REQUEST_BYTES_MAX: u64 = 1 << 20;
/// The longest answer that a command takes: a large document.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// The socket of the store in a folder.
pub(crate) fn path_in(folder: &Path) -> PathBuf {
    folder.join("node.sock")
}

/// What a line was.
enum Line {
    /// A whole line, without its end.
    Whole(String),
    /// The stream ended before the line did.
    Ended,
    /// More than the line may have.
    TooLong,
}

/// Reads a line of at most so many bytes.
async fn read_line(reader: &mut (impl AsyncBufRead + Unpin), bytes_max: u64) -> std::io::Result<Line> {
    let mut line = String::new();
    reader.take(bytes_max).read_line(&mut line).await?;
    if line.ends_with('\n') {
        line.pop();
        return Ok(Line::Whole(line));
    }
    let is_full = u64::try_from(line.len()).unwrap_or(u64::MAX) >= bytes_max;
    Ok(if is_full { Line::TooLong } else { Line::Ended })
}
