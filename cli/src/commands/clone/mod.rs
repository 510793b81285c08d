//! `strata clone`.

pub mod create;
pub mod delete;
pub mod list;
pub mod show;

use crate::{context::Context, failure::Failure};
use clap::Subcommand;

/// The verbs of clones.
#[derive(Debug, Subcommand)]
pub enum CloneCommand {
    /// Make a VM of a restore point
    Create(create::CreateArgs),
    /// List clones, newest first
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// Show a clone: where it came from, its identity, what was taken out of its configuration
    Show(show::ShowArgs),
    /// Take a clone out of vSphere and off the array, with all that was written into it
    #[command(visible_alias = "rm")]
    Delete(delete::DeleteArgs),
}

/// Runs one.
///
/// # Errors
/// Those of the command.
pub async fn run(command: CloneCommand, context: &Context) -> Result<u8, Failure> {
    match command {
        CloneCommand::Create(args) => create::run(args, context).await,
        CloneCommand::List(args) => list::run(args, context).await,
        CloneCommand::Show(args) => show::run(args, context).await,
        CloneCommand::Delete(args) => delete::run(args, context).await,
    }
}
