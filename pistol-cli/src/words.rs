//! The 24 words of a key: from stdin for scripts, unseen from the terminal for people. Never the command line, which others can see
//! and shells remember.

use std::io::{IsTerminal, Read};

use pistol::RootKey;

use crate::failure::Failure;

/// More than any 24 words take.
const BYTES_MAX: u64 = 4096;

/// All words that stdin has.
pub(crate) fn from_stdin() -> Result<String, Failure> {
    let mut words = String::new();
    std::io::stdin().take(BYTES_MAX).read_to_string(&mut words).map_err(failed)?;
    Ok(words)
}

/// The root key of an identity, from its words.
pub(crate) fn root() -> Result<RootKey, Failure> {
    let words = if std::io::stdin().is_terminal() {
        rpassword::prompt_password("The 24 words of the root key (unseen): ").map_err(failed)?
    } else {
        from_stdin()?
    };
    RootKey::from_words(&words).map_err(Failure::of)
}

fn failed(error: std::io::Error) -> Failure {
    Failure::io("read the words", &error)
}
