//! The 24 words of a key: from stdin for scripts, unseen from the terminal for people. Never the command line, which others can see
//! and shells remember.

use std::io::{IsTerminal, Read};

use pistol::RootKey;

use crate::failure::Failure;

/// More than any 24 words take.
const BYTES_MAX: u64 = 4096;

/// The words of something.
pub(crate) fn read(whose: &str) -> Result<String, Failure> {
    let failed = |error| Failure::io("read the words", &error);
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("The 24 words of {whose} (unseen): ")).map_err(failed);
    }
    let mut words = String::new();
    std::io::stdin().take(BYTES_MAX).read_to_string(&mut words).map_err(failed)?;
    Ok(words)
}

/// The root key of an identity, from its words.
pub(crate) fn root() -> Result<RootKey, Failure> {
    RootKey::from_words(&read("the root key")?).map_err(Failure::of)
}
