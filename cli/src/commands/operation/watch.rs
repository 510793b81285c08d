//! `strata operation watch`.

use crate::{
    context::Context,
    exit_code::SUCCESS,
    failure::Failure,
    follow::{self, Finished},
    json::to_json,
    names::operation_name,
    show,
};
use clap::Args;

/// Which operation.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Its id, or operations/ID
    operation: String,
}

/// Follows it to its end.
///
/// # Errors
/// The operation's own.
pub async fn run(args: WatchArgs, context: &Context) -> Result<u8, Failure> {
    let name = operation_name(&args.operation)?;
    let finished = Finished::new(follow::watch(context, &name).await?)?;
    if context.printer.style().json {
        context.printer.json(&to_json(&finished.operation)?)?;
        return Ok(SUCCESS);
    }
    let took = finished.took().map(|took| format!(", {took}")).unwrap_or_default();
    let metadata = &finished.metadata;
    let state = show::operation_state(metadata.state);
    context.printer.data(&format!("{}  {} {state}{took}", metadata.target_display_name, metadata.kind))?;
    Ok(SUCCESS)
}
