//! Ctrl-C while an operation runs: the operation is the gateway's and goes on; whether it shall be cancelled is asked.

use super::short;
use crate::{
    connect::{Gateway, call},
    context::Context,
    failure::Failure,
};
use strata_model::ErrorKind;
use strata_proto::google::longrunning::CancelOperationRequest;

/// Asks; `Ok` means that watching goes on, until the cancelled operation has taken everything back.
///
/// # Errors
/// The program shall end: the operation goes on without a watcher.
pub async fn handle(context: &Context, gateway: &Gateway, name: &str) -> Result<(), Failure> {
    if !context.can_ask() {
        return Err(left(name));
    }
    let question = format!("{name} goes on by itself. Cancel it and take back what it did? [y/N] ");
    match context.ask(&question).await {
        Some(answer) if matches!(answer.to_lowercase().as_str(), "y" | "yes") => {
            let request = CancelOperationRequest { name: name.to_owned() };
            call!(gateway, longrunning.cancel_operation(request))?;
            context.printer.note("cancelling; Ctrl-C again to stop watching");
            Ok(())
        }
        Some(_) | None => Err(left(name)),
    }
}

fn left(name: &str) -> Failure {
    let short = short(name);
    Failure::new(ErrorKind::Cancelled, "WATCH_INTERRUPTED", format!("stopped watching; {name} goes on"))
        .hint(format!("watch it again with `strata operation watch {short}`"))
        .hint(format!("cancel it with `strata operation cancel {short}`"))
        .interrupted()
}
