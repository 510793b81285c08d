//! `strata clone list`.

use crate::{
    connect::call, context::Context, exit_code::SUCCESS, failure::Failure, json::to_json, names::find_snapshot, show,
};
use clap::Args;
use strata_proto::strata::gateway::v1::{ListClonesRequest, ListClonesResponse};

/// What to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only clones of this restore point: as web-01@1004, its id, or its full resource name
    snapshot: Option<String>,
}

/// Lists clones.
///
/// # Errors
/// None or more than one restore point fits; the gateway's.
pub async fn run(args: ListArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let snapshot = match &args.snapshot {
        Some(typed) => find_snapshot(&gateway, typed).await?.name,
        None => String::new(),
    };
    let mut request = ListClonesRequest { snapshot, ..ListClonesRequest::default() };
    let mut all = ListClonesResponse::default();
    loop {
        let page = call!(gateway, clones.list_clones(request))?;
        all.clones.extend(page.clones);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if context.printer.style().json {
        context.printer.json(&to_json(&all)?)?;
    } else if all.clones.is_empty() {
        context.printer.note("there are no clones");
    } else {
        print(&all, context)?;
    }
    Ok(SUCCESS)
}

fn print(all: &ListClonesResponse, context: &Context) -> Result<(), Failure> {
    let mut table = show::Table::new(&["CLONE", "POWER", "MADE", "WAY", "OF", "ID", "VMX"]);
    for clone in &all.clones {
        table.row([
            clone.display_name.clone(),
            clone.power_state.clone(),
            show::time(clone.create_time.as_ref(), &context.time_zone),
            clone.way.clone(),
            clone.snapshot.trim_start_matches("snapshots/").to_owned(),
            clone.name.trim_start_matches("clones/").to_owned(),
            clone.vmx_path.clone(),
        ]);
    }
    table.print(&context.printer, 0)
}
