//! `strata operation list`.

use crate::{
    connect::call,
    context::Context,
    exit_code::SUCCESS,
    failure::Failure,
    follow::short,
    json::{to_json, unpack},
    show,
};
use clap::Args;
use strata_proto::{
    google::longrunning::{ListOperationsRequest, ListOperationsResponse},
    strata::gateway::v1::OperationMetadata,
};

/// What to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those that are not finished
    #[arg(long)]
    unfinished: bool,
}

/// Lists operations.
///
/// # Errors
/// The gateway's.
pub async fn run(args: ListArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let mut request = ListOperationsRequest { name: "operations".to_owned(), ..ListOperationsRequest::default() };
    let mut all = ListOperationsResponse::default();
    loop {
        let page = call!(gateway, longrunning.list_operations(request))?;
        all.operations.extend(page.operations.into_iter().filter(|operation| !(args.unfinished && operation.done)));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if context.printer.style().json {
        context.printer.json(&to_json(&all)?)?;
    } else if all.operations.is_empty() {
        context.printer.note("there are no operations");
    } else {
        print(&all, context)?;
    }
    Ok(SUCCESS)
}

fn print(all: &ListOperationsResponse, context: &Context) -> Result<(), Failure> {
    let mut table = show::Table::new(&["OPERATION", "KIND", "TARGET", "STATE", "ACCEPTED", "TOOK", "CALLER"]);
    for operation in &all.operations {
        let metadata: OperationMetadata = operation.metadata.as_ref().and_then(unpack).unwrap_or_default();
        let target = match metadata.target_display_name.as_str() {
            "" => metadata.target.clone(),
            name => name.to_owned(),
        };
        table.row([
            short(&operation.name).to_owned(),
            metadata.kind.clone(),
            target,
            show::operation_state(metadata.state).to_owned(),
            show::time(metadata.create_time.as_ref(), &context.time_zone),
            show::seconds(metadata.create_time.as_ref(), metadata.end_time.as_ref()).unwrap_or_default(),
            metadata.caller.clone(),
        ]);
    }
    table.print(&context.printer, 0)
}
