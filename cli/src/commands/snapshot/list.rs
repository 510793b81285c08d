//! `strata snapshot list`.

use crate::{
    connect::{Gateway, call},
    context::Context,
    exit_code::SUCCESS,
    failure::Failure,
    json::to_json,
    names::find_vm,
    show,
};
use clap::Args;
use strata_model::ErrorKind;
use strata_proto::strata::gateway::v1::{ListSnapshotsRequest, ListSnapshotsResponse};

const EVERY_VM: &str = "vcenters/-/vms/-";

/// What to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those of this VM: name, vcenter/name, or full resource name
    vm: Option<String>,
}

/// Lists restore points.
///
/// # Errors
/// None or more than one VM fits; the gateway's.
pub async fn run(args: ListArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let all = match &args.vm {
        None => all_of(&gateway, EVERY_VM).await?,
        Some(typed) => match find_vm(&gateway, typed).await {
            Ok(vm) => all_of(&gateway, &vm.name).await?,
            Err(absent) if absent.kind() == ErrorKind::NotFound => {
                of_a_vm_that_was(&gateway, typed, absent, context).await?
            }
            Err(other) => return Err(other),
        },
    };
    if context.printer.style().json {
        context.printer.json(&to_json(&all)?)?;
    } else if all.snapshots.is_empty() {
        context.printer.note("there are no restore points");
        context.printer.hint("`strata snapshot create VM` takes one");
    } else {
        print(&all, context)?;
    }
    Ok(SUCCESS)
}

async fn all_of(gateway: &Gateway, parent: &str) -> Result<ListSnapshotsResponse, Failure> {
    let mut request = ListSnapshotsRequest { parent: parent.to_owned(), ..ListSnapshotsRequest::default() };
    let mut all = ListSnapshotsResponse::default();
    loop {
        let page = call!(gateway, snapshots.list_snapshots(request))?;
        all.snapshots.extend(page.snapshots);
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        request.page_token = page.next_page_token;
    }
}

/// Restore points outlive their VM, and are wanted most when it is gone.
async fn of_a_vm_that_was(
    gateway: &Gateway,
    typed: &str,
    absent: Failure,
    context: &Context,
) -> Result<ListSnapshotsResponse, Failure> {
    let mut all = all_of(gateway, EVERY_VM).await?;
    all.snapshots.retain(|snapshot| snapshot.vm_display_name == typed || snapshot.vm == typed);
    if all.snapshots.is_empty() {
        return Err(absent);
    }
    context.printer.note(&format!("no VM is called '{typed}' now; these are restore points of one that was"));
    Ok(all)
}

fn print(all: &ListSnapshotsResponse, context: &Context) -> Result<(), Failure> {
    let mut table = show::Table::new(&["POINT", "VM", "TAKEN", "EXPIRES", "GRADE", "STATE", "CLONES", "ID", "NOTE"]);
    for snapshot in &all.snapshots {
        let note = match (snapshot.safety, snapshot.description.as_str()) {
            (true, "") => "taken before a revert".to_owned(),
            (_, text) => text.to_owned(),
        };
        table.row([
            snapshot.display_name.clone(),
            snapshot.vm_display_name.clone(),
            show::time(snapshot.create_time.as_ref(), &context.time_zone),
            show::time(snapshot.expire_time.as_ref(), &context.time_zone),
            show::grade(snapshot.grade).to_owned(),
            show::snapshot_state(snapshot.state).to_owned(),
            snapshot.clones.len().to_string(),
            snapshot.name.trim_start_matches("snapshots/").to_owned(),
            note,
        ]);
    }
    table.print(&context.printer, 0)
}
