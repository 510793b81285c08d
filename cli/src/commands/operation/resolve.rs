//! `strata operation resolve`.

use crate::{
    connect::call, context::Context, exit_code::SUCCESS, failure::Failure, follow::short, json::to_json,
    names::operation_name, show,
};
use clap::{Args, ValueEnum};
use strata_proto::strata::gateway::v1::{ResolveAction, ResolveOperationRequest};

/// What to do with which operation.
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// Its id, or operations/ID
    operation: String,
    /// What to do
    #[arg(long)]
    action: ActionArg,
    /// Why; kept in the journal
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// What to do, as it is typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ActionArg {
    /// Try the undo again
    Retry,
    /// Leave this step as it is and go on with the next
    Skip,
    /// Stop here; what is left is recorded
    Abandon,
}

/// Says what to do with it.
///
/// # Errors
/// The gateway's: it is not stuck.
pub async fn run(args: ResolveArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let name = operation_name(&args.operation)?;
    let action = match args.action {
        ActionArg::Retry => ResolveAction::Retry,
        ActionArg::Skip => ResolveAction::Skip,
        ActionArg::Abandon => ResolveAction::Abandon,
    };
    let request = ResolveOperationRequest { name: name.clone(), action: action.into(), reason: args.reason };
    let answer = call!(gateway, operations.resolve_operation(request))?;
    if context.printer.style().json {
        context.printer.json(&to_json(&answer)?)?;
        return Ok(SUCCESS);
    }
    let state = answer.metadata.map_or("unknown", |metadata| show::operation_state(metadata.state));
    context.printer.data(&format!("{name}  {state}"))?;
    context.printer.hint(&format!("see it end with `strata operation watch {}`", short(&name)));
    Ok(SUCCESS)
}
