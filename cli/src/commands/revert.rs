//! `strata revert`.

use crate::{
    args::ChangeArgs,
    commands::change,
    connect::{Gateway, call},
    context::Context,
    exit_code::SUCCESS,
    failure::Failure,
    follow::{self, Finished},
    names::find_snapshot,
    show,
};
use clap::Args;
use strata_proto::strata::gateway::v1::{
    GetVmRequest, PowerMode, RevertVmRequest, RevertVmResponse, Snapshot, plan_request::Request,
};

/// What to put back.
#[derive(Debug, Args)]
pub struct RevertArgs {
    /// The restore point, as web-01@1004, its id, or its full resource name; its VM is reverted
    snapshot: String,
    /// Where the VM runs: ask its guest to shut down
    #[arg(long, conflicts_with = "power_off")]
    shut_down: bool,
    /// Where the VM runs: turn it off at once
    #[arg(long)]
    power_off: bool,
    /// Turn it on after, where it was on before
    #[arg(long)]
    power_on: bool,
    /// Remove the VM's VMware snapshots, which cannot survive a revert
    #[arg(long)]
    discard_vm_snapshots: bool,
    /// Roll the volume or LUN back in place; refused, with every reason, where that could harm anybody
    #[arg(long)]
    in_place: bool,
    /// Where the disks are swapped to a clone: delete the old ones once the data is home (otherwise: strata commit VM)
    #[arg(long)]
    commit: bool,
    /// Where the disks are swapped to a clone: vCenter's id of the folder of datastores for the copies
    #[arg(long, value_name = "ID")]
    datastore_folder: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Reverts the VM after a confirmation.
///
/// # Errors
/// None or more than one restore point fits; not confirmed; the gateway's.
pub async fn run(args: RevertArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let snapshot = find_snapshot(&gateway, &args.snapshot).await?;
    let power_mode = match (args.shut_down, args.power_off) {
        (true, _) => PowerMode::ShutDown,
        (_, true) => PowerMode::PowerOff,
        (false, false) => PowerMode::Unspecified,
    };
    let mut request = RevertVmRequest {
        vm: snapshot.vm.clone(),
        snapshot: snapshot.name.clone(),
        power_mode: power_mode.into(),
        power_on_again: args.power_on,
        discard_vm_snapshots: args.discard_vm_snapshots,
        request_id: change::request_id(&args.change),
        validate_only: false,
        plan_hash: change::plan_hash(&args.change),
        in_place: args.in_place,
        commit: args.commit,
        datastore_folder: args.datastore_folder.unwrap_or_default(),
    };
    let planned = Request::RevertVm(request.clone());
    if args.change.dry_run {
        let planned = with_power_mode(context, &gateway, request).await?;
        return change::print_plan(context, &gateway, planned).await;
    }
    request.plan_hash =
        change::confirm(context, &gateway, (&args.change, args.yes), &snapshot.vm_display_name, planned).await?;
    let operation = call!(gateway, vms.revert_vm(request))?;
    if let Some(finished) = follow::finish(context, &args.change, operation).await? {
        tell(&snapshot, &finished, context).await?;
    }
    Ok(SUCCESS)
}

/// A plan may be looked at before it is decided how a running VM is stopped.
async fn with_power_mode(
    context: &Context,
    gateway: &Gateway,
    mut request: RevertVmRequest,
) -> Result<Request, Failure> {
    if request.power_mode() == PowerMode::Unspecified {
        let get = GetVmRequest { name: request.vm.clone() };
        let vm = call!(gateway, vms.get_vm(get))?;
        if vm.power_state == "on" {
            request.power_mode = PowerMode::ShutDown.into();
            let name = &vm.display_name;
            context
                .printer
                .note(&format!("{name} runs; planned with --shut-down, which the revert needs, or --power-off"));
        }
    }
    Ok(Request::RevertVm(request))
}

/// `web-01  back at web-01@1004, 2 files put back; off; safety point web-01@1101; 3.1s`
async fn tell(snapshot: &Snapshot, finished: &Finished, context: &Context) -> Result<(), Failure> {
    let answer: RevertVmResponse = finished.answer()?;
    // The short name is nicer; without it the id serves as well.
    let safety = match find_snapshot(&context.gateway()?, &answer.safety_snapshot).await {
        Ok(point) => point.display_name,
        Err(_) => answer.safety_snapshot.trim_start_matches("snapshots/").to_owned(),
    };
    let what = match answer.way.as_str() {
        "swap" => format!("{} swapped to a clone and moved home", show::plural(answer.files.len(), "disk")),
        _ => format!("{} put back", show::plural(answer.files.len(), "file")),
    };
    let mut parts = vec![
        format!("back at {}, {what}", snapshot.display_name),
        if answer.powered_on { "on".to_owned() } else { "off".to_owned() },
        format!("safety point {safety}"),
    ];
    parts.extend(finished.took());
    context.printer.data(&format!("{}  {}", snapshot.vm_display_name, parts.join("; ")))?;
    for remark in &answer.remarks {
        context.printer.note(remark);
    }
    context.printer.hint(&format!("to undo it: strata revert {safety}"));
    Ok(())
}
