//! The command line, as it is written.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::command::Command;
use crate::failure::{Exit, Failure};
use crate::output::Output;

const EXAMPLES: &str = "Examples:
  pistol share notes.md          # prints a ticket, and serves until Ctrl-C
  pistol join TICKET --as notes  # on another machine";

const EXIT_CODES: &str = "Exit codes:
  0 ok  1 failure  2 usage  3 not found  4 refused by policy  5 no peer reachable or timed out
  6 store locked or damaged  7 bad ticket or signature  130, 143 ended by a signal

Data goes to stdout, talk to stderr. With --json every line of stdout is an object with \"v\":1; a failure is an object
{\"v\":1,\"error\":{\"code\":..,\"message\":..,\"help\":..}} on stdout too.";

/// Shares documents between machines, without servers.
#[derive(Debug, Parser)]
#[command(name = "pistol", version, before_help = EXAMPLES, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// The store's folder [default: `$PISTOL_STORE`, or `pistol` in the user's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Prints one JSON object a line
    #[arg(long, global = true)]
    json: bool,
    /// Prints data and errors only
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Says more on stderr
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    verbose: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Reads the command line. Help, and what is wrong with the line, is printed here.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, ExitCode> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        Arguments::try_parse_from(&arguments).map_err(|error| {
            if error.use_stderr() && arguments.iter().any(|argument| argument == "--json") {
                let message = error.to_string();
                let message = message.trim_end().trim_start_matches("error: ");
                let output = Output { is_json: true, is_quiet: false, is_verbose: false };
                output.failure(&Failure::usage(message, "`pistol --help` shows the commands"));
                return ExitCode::from(Exit::Usage.code());
            }
            let code = if error.use_stderr() { Exit::Usage.code() } else { 0 };
            // Nobody is left to tell if this fails.
            let _ = error.print();
            ExitCode::from(code)
        })
    }

    /// How the command speaks.
    pub(crate) fn output(&self) -> Output {
        Output { is_json: self.json, is_quiet: self.quiet, is_verbose: self.verbose }
    }

    /// The folder of the store.
    pub(crate) fn folder(&self) -> Result<PathBuf, Failure> {
        let given = self.store.clone();
        let chosen = given.or_else(|| variable("PISTOL_STORE"));
        let data = || variable("XDG_DATA_HOME").filter(|folder| folder.is_absolute());
        let home = || variable("HOME").map(|home| home.join(".local").join("share"));
        chosen.or_else(|| Some(data().or_else(home)?.join("pistol"))).ok_or_else(|| {
            Failure::usage("there is no home folder to keep the store in", "say where it is with --store DIR")
        })
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_of_each_command_opens_with_two_examples_that_can_be_run() {
        for command in Arguments::command().get_subcommands_mut() {
            check_help(command);
            command.get_subcommands_mut().filter(|command| command.get_name() != "help").for_each(check_help);
        }
    }

    fn check_help(command: &mut clap::Command) {
        let help = command.render_help().to_string();
        let (title, examples) = help.split_once('\n').unwrap();
        assert_eq!(title, "Examples:", "{}", command.get_name());
        for example in examples.lines().take(2) {
            let words = shell_words(example);
            assert!(words.iter().any(|word| word == command.get_name()), "{example}");
            Arguments::try_parse_from(words).unwrap();
        }
    }

    /// Words between spaces, or between single quotes.
    fn shell_words(line: &str) -> Vec<String> {
        let pieces = line.split('\'').enumerate();
        let words = pieces.flat_map(|(index, piece)| match index % 2 {
            0 => piece.split_whitespace().map(str::to_owned).collect(),
            _ => vec![piece.to_owned()],
        });
        words.collect()
    }
}
