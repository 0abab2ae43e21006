//! A node process, as the demo holds it. It dies with its handle, and when the demo itself dies.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::order::{Order, Reply, Status, Texts};
use super::{LIMIT, SHARED};
use crate::failure::{Exit, Failure};

/// What a process may take longer than a node that does the same, so that the node's own words are heard.
const GRACE: Duration = Duration::from_secs(10);

/// A node in a process of its own.
pub(super) struct Process {
    /// What the demo calls it.
    pub(super) name: &'static str,
    /// Its author.
    pub(super) author: String,
    /// Its name on the network.
    pub(super) node: String,
    child: Child,
    orders: ChildStdin,
    replies: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts a node on a folder, and waits until it is open.
    pub(super) async fn start(name: &'static str, folder: &Path) -> Result<Self, Failure> {
        let failed = |error| Failure::io(&format!("start the process of {name}"), &error);
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.arg("demo-node").arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C is for the demo alone, which ends its processes itself.
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(failed)?;
        let (Some(orders), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(unexpected(name, "it has no pipes"));
        };
        let replies = BufReader::new(stdout).lines();
        let mut process = Process { name, author: String::new(), node: String::new(), child, orders, replies };
        match process.reply().await? {
            Reply::Ready { author, node } => (process.author, process.node) = (author, node),
            other => return Err(unexpected(name, &format!("{other:?}"))),
        }
        Ok(process)
    }

    /// Gives an order.
    pub(super) async fn tell(&mut self, order: &Order) -> Result<(), Failure> {
        let mut line = serde_json::to_string(order).map_err(|error| Failure::other_version(&error.to_string()))?;
        line.push('\n');
        let failed = |error| Failure::io(&format!("speak to {}", self.name), &error);
        self.orders.write_all(line.as_bytes()).await.map_err(failed)
    }

    /// Waits for the next thing that it says.
    pub(super) async fn reply(&mut self) -> Result<Reply, Failure> {
        let line = timeout(LIMIT + GRACE, self.replies.next_line()).await;
        let line = line.map_err(|_| unexpected(self.name, "nothing in time"))?;
        let line = line.map_err(|error| Failure::io(&format!("listen to {}", self.name), &error))?;
        let line = line.ok_or_else(|| unexpected(self.name, "its process ended"))?;
        match serde_json::from_str(&line).map_err(|error| Failure::other_version(&error.to_string()))? {
            Reply::Failed(why) => Err(unexpected(self.name, &why)),
            reply => Ok(reply),
        }
    }

    /// Gives an order and waits until it is done. Says how long that took.
    pub(super) async fn ask(&mut self, order: Order) -> Result<(Reply, Duration), Failure> {
        let begun = Instant::now();
        self.tell(&order).await?;
        Ok((self.reply().await?, begun.elapsed()))
    }

    /// As [`Process::ask`], for an order that is answered with an invitation.
    pub(super) async fn ticket(&mut self, order: Order) -> Result<String, Failure> {
        match self.ask(order).await?.0 {
            Reply::Ticket(ticket) => Ok(ticket),
            other => Err(unexpected(self.name, &format!("{other:?}"))),
        }
    }

    /// The texts of the shared document.
    pub(super) async fn texts(&mut self) -> Result<Texts, Failure> {
        match self.ask(Order::Read).await?.0 {
            Reply::Texts(texts) => Ok(texts),
            other => Err(unexpected(self.name, &format!("{other:?}"))),
        }
    }

    /// How the shared document stands.
    pub(super) async fn status(&mut self) -> Result<Status, Failure> {
        self.status_of(SHARED).await
    }

    /// How a document stands.
    pub(super) async fn status_of(&mut self, name: &str) -> Result<Status, Failure> {
        match self.ask(Order::Look { name: name.to_owned() }).await?.0 {
            Reply::Status(status) => Ok(status),
            other => Err(unexpected(self.name, &format!("{other:?}"))),
        }
    }

    /// Kills it with SIGKILL. Gives what it had said before, and nobody had heard yet.
    pub(super) async fn kill(&mut self) -> Result<Vec<Reply>, Failure> {
        let failed = |error| Failure::io("kill a process", &error);
        self.child.kill().await.map_err(failed)?;
        let mut rest = Vec::new();
        // The last line may have been cut off by the end.
        while let Ok(Some(line)) = self.replies.next_line().await {
            rest.extend(serde_json::from_str::<Reply>(&line).ok());
        }
        Ok(rest)
    }

    /// Lets it shut down, and waits until it is gone.
    pub(super) async fn close(mut self) -> Result<(), Failure> {
        self.ask(Order::Close).await?;
        let ended = timeout(LIMIT, self.child.wait()).await.map_err(|_| unexpected(self.name, "it does not end"))?;
        let status = ended.map_err(|error| Failure::io("wait for a process", &error))?;
        if status.success() { Ok(()) } else { Err(unexpected(self.name, &status.to_string())) }
    }
}

/// A node process did or said what it should not.
pub(super) fn unexpected(name: &str, what: &str) -> Failure {
    let help = "run the demo again; if it fails again, please report it with these lines";
    Failure::new(Exit::Failure, format!("{name} did not do its part: {what}"), help)
}
