//! A node's side of the socket: every connection has a task of its own, so that one that stalls holds up nobody else.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pistol::Node;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::language::{Answer, answer_line, parse_request};
use super::{Line, REQUEST_BYTES_MAX, path_in, read_line};
use crate::execute::execute;
use crate::failure::{Exit, Failure};
use crate::request::{Progress, Reply, Request};

/// Connections at a time; more wait to be accepted. Each may hold a request and an answer in memory.
const CONNECTIONS_MAX: usize = 64;
/// How long a client may take for its request. It has it ready when it connects.
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// How long a client may take to read an answer.
const ANSWER_TIME: Duration = Duration::from_mins(1);
/// How long requests may go on after the node was told to end.
const GRACE: Duration = Duration::from_secs(5);
/// How long to rest when no connection can be accepted, as when there are no file descriptors left.
const REST: Duration = Duration::from_millis(100);

/// A node's socket. It vanishes when it is stopped, and also when it is dropped.
pub(crate) struct Server {
    path: PathBuf,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves the node that holds the store in this folder.
    pub(crate) fn start(node: Node, folder: &Path) -> io::Result<Self> {
        let path = path_in(folder);
        let listener = bind(&path)?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, node, stopped));
        Ok(Server { path, stop, task })
    }

    /// Takes no more requests, and lets those that change something finish.
    pub(crate) async fn stop(mut self) {
        let _ = fs::remove_file(&self.path);
        self.stop.send_replace(true);
        if timeout(GRACE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        let _ = fs::remove_file(&self.path);
    }
}

/// Listens at a path. Who holds the store's lock owns the path: what is there was left over. The socket gets its name
/// when nobody else may use it any more.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let unnamed = path.with_extension("new");
    match fs::remove_file(&unnamed) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&unnamed)?;
    fs::set_permissions(&unnamed, fs::Permissions::from_mode(0o600))?;
    fs::rename(&unnamed, path)?;
    Ok(listener)
}

async fn accept(listener: UnixListener, node: Node, stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = told_to_stop(&stopped) => break,
            (place, accepted) = next => match accepted {
                Ok((stream, _)) => {
                    let (node, stopped) = (node.clone(), stopped.clone());
                    connections.spawn(async move {
                        // Whoever does not listen to the end needs no answer.
                        let _ = serve(stream, &node, stopped).await;
                        drop(place);
                    });
                }
                Err(_) => tokio::time::sleep(REST).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve(stream: UnixStream, node: &Node, stopped: watch::Receiver<bool>) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut reader = BufReader::new(read);
    let request = tokio::select! {
        line = timeout(REQUEST_TIME, read_line(&mut reader, REQUEST_BYTES_MAX)) => line,
        () = told_to_stop(&stopped) => return Ok(()),
    };
    let request = match request {
        Ok(Ok(Line::Whole(line))) => parse_request(&line),
        Ok(Ok(Line::TooLong)) => Err(too_long()),
        Ok(Ok(Line::Ended) | Err(_)) | Err(_) => return Ok(()),
    };
    let result = match request {
        Ok(request) if request.waits_ms().is_some() => {
            tokio::select! {
                result = work(node, request, &mut write) => result?,
                () = gone(&mut reader) => return Ok(()),
                () = told_to_stop(&stopped) => Err(ending()),
            }
        }
        // Whatever changes something is finished, even if the one who asked goes away.
        Ok(request) => work(node, request, &mut write).await?,
        Err(failure) => Err(failure),
    };
    let answer = result.map_or_else(Answer::Error, Answer::Reply);
    send(&mut write, &answer).await
}

/// Executes a request and sends its progress.
async fn work(
    node: &Node,
    request: Request,
    write: &mut (impl AsyncWrite + Unpin),
) -> io::Result<Result<Reply, Failure>> {
    let (progress, mut seen) = watch::channel(Progress::default());
    let done = execute(node, request, &progress);
    tokio::pin!(done);
    loop {
        tokio::select! {
            result = &mut done => return Ok(result),
            Ok(()) = seen.changed() => {
                let now = seen.borrow_and_update().clone();
                send(write, &Answer::Progress(now)).await?;
            }
        }
    }
}

async fn send(write: &mut (impl AsyncWrite + Unpin), answer: &Answer) -> io::Result<()> {
    let line = answer_line(answer).map_err(io::Error::other)?;
    timeout(ANSWER_TIME, write.write_all(line.as_bytes())).await?
}

async fn told_to_stop(stopped: &watch::Receiver<bool>) {
    // An error says that the server is gone, which is to stop too.
    let _ = stopped.clone().wait_for(|stopped| *stopped).await;
}

/// Returns when the one who asked has gone away.
async fn gone(reader: &mut (impl AsyncRead + Unpin)) {
    let mut rest = [0; 64];
    while reader.read(&mut rest).await.is_ok_and(|length| length > 0) {}
}

fn too_long() -> Failure {
    let message = format!("the request is longer than {REQUEST_BYTES_MAX} bytes");
    Failure::new(Exit::Failure, message, "make the change in parts")
}

fn ending() -> Failure {
    let help = "start it again, or run the command again: it then opens the store itself";
    Failure::new(Exit::NoPeer, "the node was told to end while it waited", help)
}
