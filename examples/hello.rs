//! A note that two peers share: run it once for the invitation, and again with it.

use futures_lite::StreamExt;
use pistol::{Node, Policy, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let node = Node::open(arguments.next().unwrap_or("notes.pistol".to_owned())).await?;
    let note = match arguments.next() {
        Some(ticket) => node.join(&ticket.parse()?).await?,
        None => node.create(Policy::WorldWritable, |doc| doc.text("body")).await?,
    };
    println!("invite: {}", note.ticket());
    note.edit(|doc| doc.text("body").push("Hello!\n"))?;

    let mut changes = note.changes();
    while let Some(change) = changes.next().await {
        println!("{} wrote:\n{}", change.author, note.read(|doc| doc.text("body").to_string()));
    }
    Ok(())
}
