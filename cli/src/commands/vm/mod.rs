//! `strata vm`.

pub mod list;
pub mod show;

use crate::{context::Context, failure::Failure};
use clap::Subcommand;

/// The verbs of VMs.
#[derive(Debug, Subcommand)]
pub enum VmCommand {
    /// List VMs with their volumes and how they are protected
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// Show a VM's disks, files, datastores, volumes, hosts and arrays, and how each link was established
    Show(show::ShowArgs),
}

/// Runs one.
///
/// # Errors
/// Those of the command.
pub async fn run(command: VmCommand, context: &Context) -> Result<u8, Failure> {
    match command {
        VmCommand::List(args) => list::run(args, context).await,
        VmCommand::Show(args) => show::run(args, context).await,
    }
}
