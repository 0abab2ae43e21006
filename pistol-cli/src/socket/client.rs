//! A command's side of the socket.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::language::{Answer, parse_answer, request_line};
use super::{ANSWER_BYTES_MAX, Line, REQUEST_BYTES_MAX, path_in, read_line};
use crate::failure::{Exit, Failure};
use crate::request::{Progress, Reply, Request};

/// How long a node may be silent beyond what the request lets it wait: it may be storing much.
const PATIENCE: Duration = Duration::from_mins(1);

/// Whether a node answers at the socket of this folder. A socket that nobody listens to is left over.
pub(crate) async fn is_served(folder: &Path) -> bool {
    UnixStream::connect(path_in(folder)).await.is_ok()
}

/// Asks the node that holds the store.
pub(crate) async fn ask(folder: &Path, request: Request, progress: &watch::Sender<Progress>) -> Result<Reply, Failure> {
    let patience = PATIENCE.saturating_add(Duration::from_millis(request.waits_ms().unwrap_or(0)));
    let line = request_line(request)?;
    if line.len() as u64 > REQUEST_BYTES_MAX {
        return Err(too_long());
    }
    let mut stream = UnixStream::connect(path_in(folder)).await.map_err(|error| gone(&error))?;
    let asked = timeout(patience, stream.write_all(line.as_bytes())).await.map_err(|_| silent())?;
    let mut reader = BufReader::new(stream);
    loop {
        let line = timeout(patience, read_line(&mut reader, ANSWER_BYTES_MAX)).await.map_err(|_| silent())?;
        match line.map_err(|error| gone(&error))? {
            Line::Whole(line) => match parse_answer(&line)? {
                Answer::Progress(now) => progress.send_replace(now),
                Answer::Reply(reply) => return Ok(reply),
                Answer::Error(failure) => return Err(failure),
            },
            Line::TooLong => return Err(Failure::other_version("the answer is too long")),
            Line::Ended => return Err(gone(&asked.err().unwrap_or(io::ErrorKind::UnexpectedEof.into()))),
        };
    }
}

fn too_long() -> Failure {
    let message = format!("this is too much for one request to a running node ({REQUEST_BYTES_MAX} bytes at most)");
    Failure::new(Exit::Failure, message, "make it in parts, or end the running node and run the command again")
}

fn gone(error: &io::Error) -> Failure {
    let message = format!("the running node ended before it answered ({error})");
    Failure::new(
        Exit::Store,
        message,
        "run the command again; a change that it made is not lost, but may be made twice",
    )
}

fn silent() -> Failure {
    let help = "see what the program that holds the store is doing; end it if it hangs, and run the command again";
    Failure::new(Exit::Store, "the running node does not answer", help)
}
