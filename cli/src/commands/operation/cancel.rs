//! `strata operation cancel`.

use crate::{
    connect::call, context::Context, exit_code::SUCCESS, failure::Failure, follow::short, json::to_json,
    names::operation_name,
};
use clap::Args;
use strata_proto::google::longrunning::{CancelOperationRequest, GetOperationRequest};

/// Which operation.
#[derive(Debug, Args)]
pub struct CancelArgs {
    /// Its id, or operations/ID
    operation: String,
}

/// Asks to cancel it. That it was asked is not that it has stopped: watch it.
///
/// # Errors
/// The gateway's: an operation beyond its point of no return goes on.
pub async fn run(args: CancelArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let name = operation_name(&args.operation)?;
    let request = CancelOperationRequest { name: name.clone() };
    call!(gateway, longrunning.cancel_operation(request))?;
    if context.printer.style().json {
        let request = GetOperationRequest { name };
        context.printer.json(&to_json(&call!(gateway, longrunning.get_operation(request))?)?)?;
        return Ok(SUCCESS);
    }
    context.printer.data(&format!("{name}  asked to cancel"))?;
    context.printer.hint(&format!("see it end with `strata operation watch {}`", short(&name)));
    Ok(SUCCESS)
}
