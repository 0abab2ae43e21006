//! `pistol identity backup` and its like: the author key of this store, on paper, and sealed. The secret never passes the node's
//! socket.

use std::io::IsTerminal;

use pistol::{Author, Error, IdentityError, identity};
use serde::Serialize;

use crate::command::Context;
use crate::failure::{Exit, Failure};
use crate::store::check_exists;
use crate::{passphrase, words};

#[derive(Serialize)]
struct Words<'a> {
    words: &'a str,
}

#[derive(Serialize)]
struct Restored {
    author: String,
}

#[derive(Serialize)]
struct Sealed {
    is_sealed: bool,
}

/// Prints the key as words.
pub(super) fn backup(context: &Context) -> Result<(), Failure> {
    check_exists(&context.folder)?;
    let words = opened(|passphrase| identity::backup(&context.folder, passphrase))?;
    context.output.record(&Words { words: words.reveal() }, words.reveal())?;
    context.output.say("write them on paper; who has them can write as you, and `pistol identity restore` reads them");
    Ok(())
}

/// Makes the key of words.
pub(super) fn restore(context: &Context) -> Result<(), Failure> {
    if std::io::stdin().is_terminal() {
        context.output.say("the 24 words, then Ctrl-D:");
    }
    let words = words::from_stdin()?;
    let restored: Result<Author, Failure> =
        identity::restore(&context.folder, &words, passphrase::given().as_deref()).map_err(failed);
    context.output.record(&Restored { author: restored?.to_string() }, "the key is here again")
}

/// Seals the key.
pub(super) fn seal(context: &Context) -> Result<(), Failure> {
    check_exists(&context.folder)?;
    let chosen = if let Some(chosen) = passphrase::given() {
        chosen
    } else {
        let chosen = passphrase::ask("New passphrase: ")?;
        if passphrase::ask("Once more: ")? != chosen {
            return Err(Failure::new(Exit::Failure, "these were two different passphrases", "try again"));
        }
        chosen
    };
    identity::seal(&context.folder, &chosen).map_err(failed)?;
    context
        .output
        .record(&Sealed { is_sealed: true }, "the key is sealed; without the passphrase or the 24 words it is lost")
}

/// Writes the key without a passphrase.
pub(super) fn unseal(context: &Context) -> Result<(), Failure> {
    check_exists(&context.folder)?;
    let passphrase = passphrase::given().map_or_else(|| passphrase::ask("Passphrase of the key: "), Ok)?;
    identity::unseal(&context.folder, &passphrase).map_err(failed)?;
    context.output.record(&Sealed { is_sealed: false }, "the key is not sealed any more")
}

/// Does something with the key, and asks for its passphrase if it needs one.
fn opened<T>(work: impl Fn(Option<&str>) -> Result<T, IdentityError>) -> Result<T, Failure> {
    match work(passphrase::given().as_deref()) {
        Err(error) => {
            let passphrase = passphrase::for_sealed(flat(error))?;
            work(Some(&passphrase)).map_err(failed)
        }
        done => done.map_err(failed),
    }
}

fn failed(error: IdentityError) -> Failure {
    Failure::of(flat(error))
}

/// What opening the folder said is said as such.
fn flat(error: IdentityError) -> Error {
    match error {
        IdentityError::Open(error) => error.into(),
        error => error.into(),
    }
}
