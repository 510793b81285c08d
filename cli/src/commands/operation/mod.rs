//! `strata operation`.

pub mod cancel;
pub mod list;
pub mod resolve;
pub mod show;
pub mod watch;

use crate::{context::Context, failure::Failure};
use clap::Subcommand;

/// The verbs of operations.
#[derive(Debug, Subcommand)]
pub enum OperationCommand {
    /// List operations
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// Show an operation and its steps
    Show(show::ShowArgs),
    /// Follow an operation to its end; ends as the command that began it would
    Watch(watch::WatchArgs),
    /// Ask an operation to stop and to take back what it did
    Cancel(cancel::CancelArgs),
    /// Say what to do with an operation that cannot take back what it did
    Resolve(resolve::ResolveArgs),
}

/// Runs one.
///
/// # Errors
/// Those of the command.
pub async fn run(command: OperationCommand, context: &Context) -> Result<u8, Failure> {
    match command {
        OperationCommand::List(args) => list::run(args, context).await,
        OperationCommand::Show(args) => show::run(args, context).await,
        OperationCommand::Watch(args) => watch::run(args, context).await,
        OperationCommand::Cancel(args) => cancel::run(args, context).await,
        OperationCommand::Resolve(args) => resolve::run(args, context).await,
    }
}
