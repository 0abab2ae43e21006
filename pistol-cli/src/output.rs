//! What the user reads. Data goes to stdout, talk to stderr. With `--json` every line of stdout is one object with
//! `"v":1`, and a failure is the last of them: a program needs to read one stream only.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use crate::command::ls::Listed;
use crate::failure::{Exit, Failure};
use crate::request::Progress;

/// The version of what `--json` prints.
const JSON_VERSION: u32 = 1;
/// How often a spinner turns.
const SPIN: Duration = Duration::from_millis(100);

/// Where words go, and how many.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// Objects for programs instead of words for people.
    pub(crate) is_json: bool,
    /// Errors only.
    pub(crate) is_quiet: bool,
    /// More talk.
    pub(crate) is_verbose: bool,
}

impl Output {
    /// Prints one record of data: as an object, or as a line of words.
    pub(crate) fn record(&self, record: &impl Serialize, words: impl Display) -> Result<(), Failure> {
        if self.is_json {
            return write_out(&object(record)?);
        }
        write_out(&format!("{}\n", printable(&words.to_string())))
    }

    /// Says that a document was changed. There is nothing to print for it but to programs.
    pub(crate) fn changed(&self, document: &Listed) -> Result<(), Failure> {
        if self.is_json {
            return self.record(document, "");
        }
        self.detail(format_args!("stored {}", document.id));
        Ok(())
    }

    /// Tells a person something.
    pub(crate) fn say(&self, words: impl Display) {
        if !self.is_quiet {
            write_err(&words.to_string());
        }
    }

    /// Tells it to those who asked for more.
    pub(crate) fn detail(&self, words: impl Display) {
        if self.is_verbose {
            write_err(&words.to_string());
        }
    }

    /// Shows a failure.
    pub(crate) fn failure(&self, failure: &Failure) {
        if failure.code == Exit::Unread.code() {
            return;
        }
        if self.is_json {
            // Nobody is left to tell if this fails.
            let _ = object(&json!({ "error": failure })).and_then(|line| write_out(&line));
        } else {
            write_err(&format!("error: {}", failure.message));
            write_err(&format!("help: {}", failure.help));
        }
    }

    /// A bar for something that takes a while; invisible unless a person looks at a terminal.
    pub(crate) fn bar(&self) -> Bar {
        let is_watched = io::stderr().is_terminal() && !self.is_quiet && !self.is_json;
        if !is_watched {
            return Bar(ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()));
        }
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(SPIN);
        Bar(bar)
    }
}

/// Prints a text as it is. A terminal is spared control characters, which another author may have written, and a
/// prompt in the text's last line.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    if !io::stdout().is_terminal() {
        return write_out(text);
    }
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    write_out(&format!("{}{end}", printable(text)))
}

/// A progress bar that vanishes when it is dropped.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// Shows how far it is.
    pub(crate) fn show(&self, progress: &Progress) {
        let template = if progress.total > 1 { "{spinner} {wide_bar} {pos}/{len} {msg}" } else { "{spinner} {msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
        self.0.set_length(progress.total);
        self.0.set_position(progress.done);
        self.0.set_message(printable(&progress.doing));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// One line of `--json`.
fn object(record: &impl Serialize) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct Versioned<'a, T> {
        v: u32,
        #[serde(flatten)]
        record: &'a T,
    }
    let versioned = Versioned { v: JSON_VERSION, record };
    let line = serde_json::to_string(&versioned).map_err(|error| Failure::other_version(&error.to_string()))?;
    Ok(line + "\n")
}

/// Words without the control characters by which a stranger could drive a terminal.
fn printable(words: &str) -> String {
    let is_harmless = |letter: &char| !letter.is_control() || matches!(letter, '\n' | '\t');
    words.chars().map(|letter| if is_harmless(&letter) { letter } else { char::REPLACEMENT_CHARACTER }).collect()
}

fn write_out(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::new(Exit::Unread, "nobody reads the output any more", "read all of it"),
        _ => Failure::io("write to stdout", &error),
    })
}

fn write_err(line: &str) {
    // Talk is lost when nobody listens.
    let _ = writeln!(io::stderr().lock(), "{}", printable(line));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_author_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}]0;owned\u{7}\tb\n"), "a\u{fffd}]0;owned\u{fffd}\tb\n");
    }

    #[test]
    fn every_object_begins_with_its_version() {
        assert_eq!(object(&json!({ "a": 1 })).unwrap(), "{\"v\":1,\"a\":1}\n");
    }
}
