//! A chat in a terminal, in which nobody can edit your message: `chat FOLDER` begins one, `chat FOLDER TICKET` joins it.
//! With `--headless` last it reads lines and prints lines.
//!
//! `/name NAME` says what you are called, `/edit 3 TEXT` and `/delete 3` change a message of yours, `/quit` ends it.

use std::error::Error;
use std::io::BufRead;

use futures_lite::StreamExt;
use pistol::{Author, Doc, Node, Preset, Value};
use ratatui::Frame;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent};
use ratatui::layout::{Constraint, Layout};
use ratatui::widgets::{Block, Paragraph};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_headless = arguments.pop_if(|last| last == "--headless").is_some();
    let mut arguments = arguments.into_iter();
    let node = Node::open(arguments.next().unwrap_or("chat.pistol".to_owned())).await?;
    let doc = match arguments.next() {
        Some(ticket) => node.join(&ticket.parse()?).await?,
        None => node.create_for(Preset::Wall, |doc| doc.list("messages")).await?,
    };
    let chat = Chat { me: node.author(), doc };
    let ended = if is_headless { chat.headless().await } else { chat.on_screen().await };
    node.shutdown().await?;
    ended
}

struct Chat {
    me: Author,
    doc: Doc,
}

impl Chat {
    /// Does what a line says. Returns what is to be told of it.
    fn obey(&self, line: &str) -> String {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (number, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let at = number.parse::<usize>().unwrap_or(0).wrapping_sub(1);
        let done = self.doc.edit(|doc| match word {
            // Keys that begin with one's id are one's own.
            "/name" => doc.put(&format!("{}/name", self.me), rest),
            "/edit" => doc.list("messages").set(at, text),
            "/delete" => doc.list("messages").delete(at),
            _ => doc.list("messages").push(line),
        });
        done.map_or_else(|error| format!("error: {error}"), |()| String::new())
    }

    /// The messages. Who wrote one is not in the message, where anybody could lie, but in who signed it.
    fn lines(&self) -> Vec<String> {
        self.doc.read(|doc| {
            let messages = doc.list("messages");
            let line = |at: usize| {
                let author = messages.author(at)?;
                let id: String = author.to_string().chars().take(8).collect();
                let name = text(doc.value(&format!("{author}/name")));
                Some(format!("{} {name}#{id}: {}", at + 1, text(messages.value(at))))
            };
            (0..messages.len()).filter_map(line).collect()
        })
    }

    async fn headless(&self) -> Result<(), Box<dyn Error>> {
        println!("invite: {}", self.doc.ticket());
        let mut changes = self.doc.changes().include_own();
        let (sender, mut typed) = unbounded_channel();
        std::thread::spawn(move || {
            std::io::stdin().lock().lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut shown = Vec::new();
        loop {
            let lines = self.lines();
            lines.iter().filter(|line| !shown.contains(*line)).for_each(|line| println!("{line}"));
            shown = lines;
            tokio::select! {
                line = typed.recv() => match line.as_deref() {
                    None | Some("/quit") => return Ok(()),
                    Some(line) => println!("{}", self.obey(line)),
                },
                change = changes.next() => if change.is_none() { return Ok(()) },
            }
        }
    }

    async fn on_screen(&self) -> Result<(), Box<dyn Error>> {
        let mut changes = self.doc.changes().include_own();
        let mut terminal = ratatui::init();
        let mut keys = keys();
        let (mut typed, mut notice) = (String::new(), format!("invite: {}", self.doc.ticket()));
        let ended = loop {
            if let Err(error) = terminal.draw(|frame| draw(frame, &self.lines(), &notice, &typed)) {
                break Err(error.into());
            }
            tokio::select! {
                key = keys.recv() => match key.map(|key| key.code) {
                    None | Some(KeyCode::Esc) => break Ok(()),
                    Some(KeyCode::Char(letter)) => typed.push(letter),
                    Some(KeyCode::Backspace) => drop(typed.pop()),
                    Some(KeyCode::Enter) if typed == "/quit" => break Ok(()),
                    Some(KeyCode::Enter) => notice = self.obey(&std::mem::take(&mut typed)),
                    Some(_) => {}
                },
                change = changes.next() => if change.is_none() { break Ok(()) },
            }
        };
        ratatui::restore();
        ended
    }
}

/// A value to show. What others write must not reach the terminal as anything but letters.
fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::Text(text)) => text.replace(char::is_control, " "),
        _ => String::new(),
    }
}

fn keys() -> UnboundedReceiver<KeyEvent> {
    let (sender, keys) = unbounded_channel();
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            if let Event::Key(key) = event
                && key.is_press()
                && sender.send(key).is_err()
            {
                return;
            }
        }
    });
    keys
}

fn draw(frame: &mut Frame<'_>, lines: &[String], notice: &str, typed: &str) {
    let heights = [Constraint::Min(1), Constraint::Length(1), Constraint::Length(3)];
    let [messages, told, say] = Layout::vertical(heights).areas(frame.area());
    let hidden = lines.len().saturating_sub(usize::from(messages.height));
    let visible: Vec<&str> = lines.iter().skip(hidden).map(String::as_str).collect();
    frame.render_widget(Paragraph::new(visible.join("\n")), messages);
    frame.render_widget(Paragraph::new(notice), told);
    frame.render_widget(Paragraph::new(typed).block(Block::bordered().title("say")), say);
}
