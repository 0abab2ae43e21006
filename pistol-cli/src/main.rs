//! The `pistol` command line. It uses the SDK only: what it can do, an application can do.
//!
//! Every command is a request to a node. The node is this process if no other one holds the store, else the one that
//! does, through its socket; the request, the reply and the output are the same.

mod arguments;
mod command;
mod confirm;
mod date;
mod demo;
mod equal;
mod execute;
mod failure;
mod import;
mod interrupt;
mod kind;
mod merge;
mod output;
mod passphrase;
mod path;
mod policy;
mod preset;
mod request;
mod roll;
mod socket;
mod span;
mod store;
mod who;
mod words;
mod write;

use std::process::ExitCode;

use arguments::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let output = arguments.output();
    match command::run(arguments, output.clone()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.code)
        }
    }
}
