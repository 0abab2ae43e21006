//! `pistol identity`: the author key, shown, on paper, and sealed. The secret never passes the node's socket.

use std::io::{IsTerminal, Read};

use pistol::{Author, Error, IdentityError, identity};
use serde::Serialize;

use super::Context;
use super::init::Identity as Known;
use crate::failure::{Exit, Failure};
use crate::passphrase;
use crate::request::Request;
use crate::store::check_exists;

/// Shows who you are here, and keeps the secret key safe
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  pistol identity show\n  pistol identity backup\n  pistol --store ./new.pistol identity restore"
)]
pub(crate) struct Identity {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Copy, Debug, clap::Subcommand)]
enum What {
    /// Shows the author and the node
    Show,
    /// Prints the secret key as 24 words: write them on paper. Who has them can write as you
    Backup,
    /// Makes the key of 24 words, which are read from stdin; the key of another identity is never replaced
    Restore,
    /// Seals the key with a passphrase, from the terminal or `PISTOL_PASSPHRASE`. Documents are not sealed
    Seal,
    /// Writes the key without a passphrase again
    Unseal,
}

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

impl Identity {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.what {
            What::Show => {
                let known: Known = context.ask(Request::Identity).await?;
                context.output.record(&known, known.words())
            }
            What::Backup => backup(context),
            What::Restore => restore(context),
            What::Seal => seal(context),
            What::Unseal => unseal(context),
        }
    }
}

fn backup(context: &Context) -> Result<(), Failure> {
    check_exists(&context.folder)?;
    let words = opened(|passphrase| identity::backup(&context.folder, passphrase))?;
    context.output.record(&Words { words: words.reveal() }, words.reveal())?;
    context.output.say("write them on paper; who has them can write as you, and `pistol identity restore` reads them");
    Ok(())
}

fn restore(context: &Context) -> Result<(), Failure> {
    if std::io::stdin().is_terminal() {
        context.output.say("the 24 words, then Ctrl-D:");
    }
    let mut words = String::new();
    let read = std::io::stdin().take(4096).read_to_string(&mut words);
    read.map_err(|error| Failure::io("read the words", &error))?;
    let restored: Result<Author, Failure> =
        identity::restore(&context.folder, &words, passphrase::given().as_deref()).map_err(failed);
    context.output.record(&Restored { author: restored?.to_string() }, "the key is here again")
}

fn seal(context: &Context) -> Result<(), Failure> {
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

fn unseal(context: &Context) -> Result<(), Failure> {
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
