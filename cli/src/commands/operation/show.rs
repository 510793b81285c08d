//! `strata operation show`.

use crate::{
    connect::call,
    context::Context,
    exit_code::SUCCESS,
    failure::Failure,
    follow::short,
    json::{to_json, unpack},
    names::operation_name,
    show,
};
use clap::Args;
use strata_proto::{
    google::longrunning::{GetOperationRequest, Operation, operation::Result as End},
    strata::gateway::v1::{OperationMetadata, OperationState},
};

/// Which operation.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Its id, or operations/ID
    operation: String,
}

/// Shows an operation; that it failed is data here and no failure of the command.
///
/// # Errors
/// The gateway's.
pub async fn run(args: ShowArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let request = GetOperationRequest { name: operation_name(&args.operation)? };
    let operation = call!(gateway, longrunning.get_operation(request))?;
    if context.printer.style().json {
        context.printer.json(&to_json(&operation)?)?;
        return Ok(SUCCESS);
    }
    print(&operation, context)?;
    Ok(SUCCESS)
}

fn print(operation: &Operation, context: &Context) -> Result<(), Failure> {
    let printer = &context.printer;
    let metadata: OperationMetadata = operation.metadata.as_ref().and_then(unpack).unwrap_or_default();
    let error = match &operation.result {
        Some(End::Error(status)) => status.message.clone(),
        Some(End::Response(_)) | None => String::new(),
    };
    let cancel = if metadata.cancel_requested { "asked for" } else { "" };
    let took = show::seconds(metadata.create_time.as_ref(), metadata.end_time.as_ref()).unwrap_or_default();
    printer.head(&operation.name)?;
    let lines = [
        ("kind", metadata.kind.clone()),
        ("target", format!("{} {}", metadata.target_display_name, metadata.target).trim().to_owned()),
        ("state", show::operation_state(metadata.state).to_owned()),
        ("error", error),
        ("cancel", cancel.to_owned()),
        ("accepted", show::time(metadata.create_time.as_ref(), &context.time_zone)),
        ("took", took),
        ("caller", metadata.caller.clone()),
    ];
    for (word, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        printer.data(&format!("  {word:<13}{value}"))?;
    }
    if !metadata.steps.is_empty() {
        let mut table = show::Table::new(&["STEP", "STATE", "TOOK", ""]);
        for step in &metadata.steps {
            let took = show::seconds(step.start_time.as_ref(), step.end_time.as_ref()).unwrap_or_default();
            let state = show::step_state(step.state).to_owned();
            table.row([step.name.clone(), state, took, step.message.clone()]);
        }
        printer.data("")?;
        table.print(printer, 2)?;
    }
    if metadata.state() == OperationState::Stuck {
        let id = short(&operation.name);
        printer.hint(&format!("when the cause is gone: strata operation resolve {id} --action retry --reason '...'"));
    }
    Ok(())
}
