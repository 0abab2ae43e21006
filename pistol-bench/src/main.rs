//! Pistol measured beside raw Automerge, in the same run: one JSON line for each figure.
//!
//! It is deliberately no part of the library: nothing depends on it, and what it measures is what an application sees.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod access;
mod basics;
mod figure;
mod genesis;
mod hostile;
mod process;
mod raw;
mod samples;
mod store;
mod text;
mod trace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Whatever went wrong ends the run, so its kind does not matter.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Measures Pistol beside raw Automerge
#[derive(Debug, Parser)]
#[command(name = "pistol-bench")]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// What one or two nodes do: first sync, an edit, a keystroke's way to another node, the start of `share`
    Basics(basics::Options),
    /// What safety among strangers costs: checking, envelopes, first sync, keystrokes of one and two typists, floods
    Hostile(hostile::Options),
    /// What the store costs and gives: durable edits, edits while a long history comes in, files, many documents, opening
    Store(store::Options),
    /// What it costs to judge who may change what, and how often two judges differ
    Access(access::Options),
    /// The other side of `first-sync`, in a process of its own
    #[command(hide = true)]
    Receive {
        /// The document to join
        ticket: String,
        /// The folder of its store
        folder: PathBuf,
    },
    /// A part of `edit-under-sync`, in a process of its own
    #[command(hide = true)]
    TypeUnderSync {
        /// The document to join
        ticket: String,
        /// The folder of its store
        folder: PathBuf,
        /// Types into the document that comes in
        #[arg(long)]
        same: bool,
    },
    /// A part of `durable-alone`, in a process of its own
    #[command(hide = true)]
    TypeAlone {
        /// The folder of its store
        folder: PathBuf,
        /// How many edits
        edits: usize,
    },
    /// A part of `small-documents`, in a process of its own
    #[command(hide = true)]
    Look {
        /// The folder of the store
        folder: PathBuf,
    },
    /// The other side of `flood`, in a process of its own
    #[command(hide = true)]
    Flood {
        /// The document to flood
        ticket: String,
        /// With what
        kind: hostile::flood::Kind,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let measured = match Arguments::parse().bench {
        Bench::Basics(options) => basics::run(&options).await,
        Bench::Hostile(options) => hostile::run(&options).await,
        Bench::Flood { ticket, kind } => hostile::flood::flood(&ticket, kind).await,
        Bench::Store(options) => store::run(&options).await,
        Bench::Access(options) => access::run(&options).await,
        Bench::TypeUnderSync { ticket, folder, same } => store::under_sync::receive(&ticket, &folder, same).await,
        Bench::TypeAlone { folder, edits } => store::durable::type_alone(&folder, edits).await,
        Bench::Look { folder } => store::small::look(&folder).await,
        Bench::Receive { ticket, folder } => basics::first_sync::receive(&ticket, &folder).await,
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}
