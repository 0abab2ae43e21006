//! A board of scores that nobody can change for somebody else: `scores FOLDER` begins one, `scores FOLDER TICKET` joins it. A line
//! `alice 7` puts a score; whoever puts the first one under a name owns that name.

use std::error::Error;

use pistol::{Node, Preset, Slot, Space};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let node = Node::open(arguments.next().unwrap_or("scores.pistol".to_owned())).await?;
    let space = match (arguments.next(), node.spaces().first()) {
        (Some(ticket), _) => node.join_space(&ticket.parse()?).await?,
        (None, Some(known)) => node.space(known.id).await?,
        (None, None) => node.create_space(Preset::Open).await?,
    };
    println!("invite: {}", space.ticket());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut scores = space.watch("scores")?;
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => put(&space, &line).await,
                None => break,
            },
            score = scores.next() => match score {
                Some((path, slot)) => println!("{path}: {}", shown(&slot)),
                None => break,
            },
        }
    }
    drop((space, scores));
    Ok(node.shutdown().await?)
}

async fn put(space: &Space, line: &str) {
    let (name, score) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    let Ok(score) = score.trim().parse::<i64>() else { return println!("write a name and a number: alice 7") };
    if let Err(error) = space.put(&format!("scores.{name}"), score).await {
        println!("{error}");
    }
}

fn shown(slot: &Slot) -> String {
    match slot {
        Slot::Of(score) => score.value.to_string(),
        Slot::Contested(claims) => format!("{} claim this name", claims.len()),
        Slot::Empty => "gone".to_owned(),
    }
}
