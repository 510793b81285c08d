//! `strata vm list`.

use crate::{connect::call, context::Context, exit_code, failure::Failure, json::to_json, show};
use clap::Args;
use strata_model::{ErrorKind, names};
use strata_proto::strata::gateway::v1::{ListVmsRequest, ListVmsResponse, Vm};

/// What to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only VMs of exactly this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only VMs of this vCenter
    #[arg(long, value_name = "VCENTER")]
    vcenter: Option<String>,
}

/// Lists VMs. Where a vCenter or array does not answer, the rest is printed and the exit code says so.
///
/// # Errors
/// The gateway's.
pub async fn run(args: ListArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let mut request = ListVmsRequest {
        parent: args.vcenter.map_or("vcenters/-".to_owned(), |name| names::join(&[("vcenters", &name)])),
        display_name: args.name.unwrap_or_default(),
        ..ListVmsRequest::default()
    };
    let mut all = ListVmsResponse::default();
    loop {
        let page = call!(gateway, vms.list_vms(request))?;
        all.vms.extend(page.vms);
        all.unreachable.extend(page.unreachable);
        // What was stale on one page is told, also where the next was not.
        all.freshness.extend(page.freshness);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    all.unreachable.sort();
    all.unreachable.dedup();
    all.freshness.sort_by(|left, right| (&left.vcenter, right.stale).cmp(&(&right.vcenter, left.stale)));
    all.freshness.dedup_by(|next, first| next.vcenter == first.vcenter);
    if context.printer.style().json {
        context.printer.json(&to_json(&all)?)?;
    } else {
        print(&all, context)?;
    }
    for name in &all.unreachable {
        context.printer.warning(&format!("{name} did not answer; what it knows is missing"));
    }
    for stale in all.freshness.iter().filter(|freshness| freshness.stale) {
        let as_of = show::time(stale.as_of.as_ref(), &context.time_zone);
        context.printer.warning(&format!("{} is shown as of {as_of}: {}", stale.vcenter, stale.reason));
    }
    Ok(if all.unreachable.is_empty() { exit_code::SUCCESS } else { exit_code::of_kind(ErrorKind::Unavailable) })
}

fn print(all: &ListVmsResponse, context: &Context) -> Result<(), Failure> {
    if all.vms.is_empty() {
        context.printer.note("there are no VMs");
        return Ok(());
    }
    let many = all.vms.iter().any(|vm| vcenter(&vm.name) != vcenter(&all.vms[0].name));
    let mut table = show::Table::new(&["VM", "POWER", "DATASTORES", "VOLUMES", "PROTECTION", "NEWEST"]);
    for vm in &all.vms {
        let name = match vcenter(&vm.name) {
            Some(vcenter) if many => format!("{vcenter}/{}", vm.display_name),
            _ => vm.display_name.clone(),
        };
        let newest = show::time(vm.last_snapshot_time.as_ref(), &context.time_zone);
        let newest = format!("{newest} {}", show::grade(vm.last_snapshot_grade));
        table.row([
            name,
            show::power(&vm.power_state, vm.template),
            vm.datastores.join(", "),
            show::volumes(vm),
            protection(vm),
            newest.trim().to_owned(),
        ]);
    }
    table.print(&context.printer, 0)
}

/// How many restore points it has, or why it has none.
fn protection(vm: &Vm) -> String {
    match vm.snapshot_count {
        0 => show::protection(vm.protection).to_owned(),
        count => show::plural(count as usize, "point"),
    }
}

fn vcenter(name: &str) -> Option<String> {
    names::split(name, &["vcenters", "vms"]).ok().and_then(|parts| parts.into_iter().next())
}
