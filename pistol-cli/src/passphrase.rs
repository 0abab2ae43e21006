//! Where a passphrase comes from: the environment for scripts, the terminal for people. Never the command line, which others
//! can see and shells remember.

use std::io::IsTerminal;

use pistol::{Error, ErrorKind};

use crate::failure::{Exit, Failure};

const VARIABLE: &str = "PISTOL_PASSPHRASE";

/// The passphrase that the environment gives.
pub(crate) fn given() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|passphrase| !passphrase.is_empty())
}

/// Asks for a passphrase, if somebody is there.
pub(crate) fn ask(prompt: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        let help = format!("give it in the variable {VARIABLE}, or run this in a terminal");
        return Err(Failure::new(Exit::Store, "a passphrase is needed", help));
    }
    let asked = rpassword::prompt_password(prompt).map_err(|error| Failure::io("read the passphrase", &error))?;
    if asked.is_empty() { Err(Failure::usage("a passphrase is not empty", "choose a longer one")) } else { Ok(asked) }
}

/// Asks for the passphrase of the key that could not be opened without; any other failure stays one.
pub(crate) fn for_sealed(error: Error) -> Result<String, Failure> {
    if error.kind() != ErrorKind::Sealed || given().is_some() || !std::io::stdin().is_terminal() {
        return Err(Failure::of(error));
    }
    ask("Passphrase of the key: ")
}
