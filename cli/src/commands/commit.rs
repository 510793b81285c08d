//! `strata commit`.

use crate::{
    args::ChangeArgs, commands::change, connect::call, context::Context, exit_code::SUCCESS, failure::Failure, follow,
    names::find_vm,
};
use clap::Args;
use strata_proto::strata::gateway::v1::{CommitRevertRequest, plan_request::Request};

/// Whose old disks to give up.
#[derive(Debug, Args)]
pub struct CommitArgs {
    /// Name, vcenter/name, or full resource name of the VM
    vm: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Deletes the old disks that reverts by swap kept, after a confirmation.
///
/// # Errors
/// None or more than one VM fits; nothing is kept; not confirmed; the gateway's.
pub async fn run(args: CommitArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let vm = find_vm(&gateway, &args.vm).await?;
    let mut request = CommitRevertRequest {
        vm: vm.name,
        request_id: change::request_id(&args.change),
        validate_only: false,
        plan_hash: change::plan_hash(&args.change),
    };
    let planned = Request::CommitRevert(request.clone());
    if args.change.dry_run {
        return change::print_plan(context, &gateway, planned).await;
    }
    request.plan_hash = change::confirm(context, &gateway, (&args.change, args.yes), &vm.display_name, planned).await?;
    let operation = call!(gateway, vms.commit_revert(request))?;
    if follow::finish(context, &args.change, operation).await?.is_some() {
        context.printer.data(&format!("{}  its old disks are deleted", vm.display_name))?;
    }
    Ok(SUCCESS)
}
