//! The commands, a file each: how it is written, what it asks the node, how the node does it, and how the reply is shown.

pub(crate) mod acl;
pub(crate) mod backup;
pub(crate) mod cat;
pub(crate) mod compact;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod export;
pub(crate) mod forget;
pub(crate) mod grant;
pub(crate) mod group;
pub(crate) mod identity;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod join;
pub(crate) mod log;
pub(crate) mod ls;
pub(crate) mod new;
pub(crate) mod release;
pub(crate) mod revoke;
pub(crate) mod set;
pub(crate) mod share;
pub(crate) mod space;
pub(crate) mod status;
pub(crate) mod sync;

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::request::Request;
use crate::store::{Network, Store, check_exists};

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Init(init::Init),
    Identity(identity::Identity),
    Group(group::Group),
    Space(space::Space),
    New(new::New),
    #[command(visible_alias = "list")]
    Ls(ls::Ls),
    Cat(cat::Cat),
    Set(set::Set),
    Edit(edit::Edit),
    Log(log::Log),
    Acl(acl::Acl),
    Grant(grant::Grant),
    Revoke(revoke::Revoke),
    Release(release::Release),
    Forget(forget::Forget),
    Compact(compact::Compact),
    Share(share::Share),
    Join(join::Join),
    Sync(sync::Sync),
    Status(status::Status),
    Doctor(doctor::Doctor),
    Export(export::Export),
    Import(import::Import),
    Backup(backup::Backup),
    Demo(crate::demo::Demo),
    #[command(hide = true)]
    DemoNode(crate::demo::DemoNode),
}

/// Runs a command.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let context = Context { folder: arguments.folder()?, output, interrupt: Interrupt::new()? };
    match arguments.command {
        Command::Init(init) => init.run(&context).await,
        Command::Identity(identity) => identity.run(&context).await,
        Command::Group(group) => group.run(&context).await,
        Command::Space(space) => space.run(&context).await,
        Command::New(new) => new.run(&context).await,
        Command::Ls(ls) => ls.run(&context).await,
        Command::Cat(cat) => cat.run(&context).await,
        Command::Set(set) => set.run(&context).await,
        Command::Edit(edit) => edit.run(&context).await,
        Command::Log(log) => log.run(&context).await,
        Command::Acl(acl) => acl.run(&context).await,
        Command::Grant(grant) => grant.run(&context).await,
        Command::Revoke(revoke) => revoke.run(&context).await,
        Command::Release(release) => release.run(&context).await,
        Command::Forget(forget) => forget.run(&context).await,
        Command::Compact(compact) => compact.run(&context).await,
        Command::Share(share) => share.run(&context).await,
        Command::Join(join) => join.run(&context).await,
        Command::Sync(sync) => sync.run(&context).await,
        Command::Status(status) => status.run(&context).await,
        Command::Doctor(doctor) => doctor.run(&context).await,
        Command::Export(export) => export.run(&context).await,
        Command::Import(import) => import.run(&context).await,
        Command::Backup(backup) => backup.run(&context).await,
        Command::Demo(demo) => demo.run(&context).await,
        Command::DemoNode(node) => node.run().await,
    }
}

/// What every command is given.
#[derive(Clone)]
pub(crate) struct Context {
    /// The store's folder.
    pub(crate) folder: PathBuf,
    /// How to speak.
    pub(crate) output: Output,
    /// What ends it early.
    pub(crate) interrupt: Interrupt,
}

impl Context {
    /// The store, for a command that asks more than one thing. It must be closed.
    pub(crate) async fn reach(&self, network: &Network) -> Result<Store, Failure> {
        Store::reach(self, network).await
    }

    /// Asks one thing of a store that is there.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, request: Request) -> Result<T, Failure> {
        check_exists(&self.folder)?;
        self.ask_with(&Network::Off, request).await
    }

    /// Asks one thing, with the network it needs. The store is made if there is none.
    pub(crate) async fn ask_with<T: DeserializeOwned>(
        &self,
        network: &Network,
        request: Request,
    ) -> Result<T, Failure> {
        let store = self.reach(network).await?;
        let asked = store.ask(request, self).await;
        let closed = store.close().await;
        let reply = asked?;
        closed?;
        reply.read()
    }
}
