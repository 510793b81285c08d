//! `strata snapshot`.

pub mod create;
pub mod delete;
pub mod list;
pub mod show;

use crate::{context::Context, failure::Failure};
use clap::Subcommand;

/// The verbs of restore points.
#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    /// Take a snapshot of a VM: one array snapshot for all its volumes
    Create(create::CreateArgs),
    /// List restore points, newest first
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// Show a restore point: its disks, what was achieved for each, and the array's snapshots behind it
    Show(show::ShowArgs),
    /// Remove a restore point and its snapshot on the array
    #[command(visible_alias = "rm")]
    Delete(delete::DeleteArgs),
}

/// Runs one.
///
/// # Errors
/// Those of the command.
pub async fn run(command: SnapshotCommand, context: &Context) -> Result<u8, Failure> {
    match command {
        SnapshotCommand::Create(args) => create::run(args, context).await,
        SnapshotCommand::List(args) => list::run(args, context).await,
        SnapshotCommand::Show(args) => show::run(args, context).await,
        SnapshotCommand::Delete(args) => delete::run(args, context).await,
    }
}
