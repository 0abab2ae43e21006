//! `pistol identity`: who you are here, and the identities of people with several devices.

mod devices;
mod keys;

pub(crate) use devices::{Asked, execute, kept};

use super::Context;
use super::init::Identity as Known;
use crate::failure::Failure;
use crate::request::Request;

/// Shows who you are here, keeps the secret key safe, and makes one person of several devices
///
/// Each store has an author with a key of its own: a device. An identity is a person: a list of devices, which belongs to a root
/// key that is kept on paper only. Documents grant parts to either.
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  pistol identity show\n  pistol identity new bob\n  pistol identity add bob 5f1c…e2 --role writer\n  pistol identity backup\n  pistol --store ./new.pistol identity restore"
)]
pub(crate) struct Identity {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Show(Show),
    /// Lists the identities of the store
    #[command(visible_alias = "list", before_help = "Examples:\n  pistol identity ls\n  pistol identity ls --json")]
    Ls,
    New(devices::New),
    Add(devices::Add),
    Revoke(devices::Revoke),
    /// Prints the secret key of this store as 24 words: write them on paper. Who has them can write as you
    #[command(before_help = "Examples:\n  pistol identity backup\n  pistol --store ./work.pistol identity backup")]
    Backup,
    /// Makes the key of 24 words, which are read from stdin; the key of another author is never replaced
    #[command(before_help = "Examples:\n  pistol identity restore\n  pistol --store ./new.pistol identity restore")]
    Restore,
    /// Seals the key with a passphrase, from the terminal or `PISTOL_PASSPHRASE`. Documents are not sealed
    #[command(before_help = "Examples:\n  pistol identity seal\n  pistol --store ./work.pistol identity seal")]
    Seal,
    /// Writes the key without a passphrase again
    #[command(before_help = "Examples:\n  pistol identity unseal\n  pistol --store ./work.pistol identity unseal")]
    Unseal,
}

/// Shows the author and the node of this store; or an identity, with its devices
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol identity show\n  pistol identity show bob")]
struct Show {
    /// The identity's name, or the beginning of its id [default: who you are here]
    name: Option<String>,
}

impl Identity {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.what {
            What::Show(Show { name: Some(name) }) => devices::show(context, name).await,
            What::Show(Show { name: None }) => {
                let known: Known = context.ask(Request::Identity).await?;
                context.output.record(&known, known.words())
            }
            What::Ls => devices::list(context).await,
            What::New(new) => new.run(context).await,
            What::Add(add) => add.run(context).await,
            What::Revoke(revoke) => revoke.run(context).await,
            What::Backup => keys::backup(context),
            What::Restore => keys::restore(context),
            What::Seal => keys::seal(context),
            What::Unseal => keys::unseal(context),
        }
    }
}
