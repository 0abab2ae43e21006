//! Asking before something that cannot be taken back.

use std::io::{BufRead, IsTerminal, Write};

use crate::failure::Failure;

/// Goes on only if the right word was given, or is typed when asked for.
pub(crate) fn confirm(word: &str, given: Option<&str>, option: &str) -> Result<(), Failure> {
    let typed = match given {
        Some(given) => given.to_owned(),
        None => ask(word, option)?,
    };
    if typed == word {
        return Ok(());
    }
    Err(Failure::usage("nothing was done", format!("to go on, type `{word}` when asked, or give {option}")))
}

fn ask(word: &str, option: &str) -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let help = format!("give {option}, or run this in a terminal");
        return Err(Failure::usage("this cannot be taken back, and nobody is there to ask", help));
    }
    let failed = |error| Failure::io("read the answer", &error);
    let mut terminal = std::io::stderr();
    write!(terminal, "Type `{word}` to go on: ").and_then(|()| terminal.flush()).map_err(failed)?;
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(failed)?;
    Ok(line.trim().to_owned())
}
