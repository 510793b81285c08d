//! `strata snapshot delete`.

use crate::{
    args::ChangeArgs, commands::change, connect::call, context::Context, exit_code::SUCCESS, failure::Failure, follow,
    names::find_snapshot,
};
use clap::Args;
use strata_proto::strata::gateway::v1::{DeleteSnapshotRequest, plan_request::Request};

/// What to remove.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// As web-01@1004, its id, or its full resource name
    snapshot: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Removes it after a confirmation.
///
/// # Errors
/// None or more than one fits; not confirmed; the gateway's.
pub async fn run(args: DeleteArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let snapshot = find_snapshot(&gateway, &args.snapshot).await?;
    let mut request = DeleteSnapshotRequest {
        name: snapshot.name,
        allow_missing: false,
        request_id: change::request_id(&args.change),
        validate_only: false,
        plan_hash: change::plan_hash(&args.change),
    };
    let planned = Request::DeleteSnapshot(request.clone());
    if args.change.dry_run {
        return change::print_plan(context, &gateway, planned).await;
    }
    request.plan_hash =
        change::confirm(context, &gateway, (&args.change, args.yes), &snapshot.vm_display_name, planned).await?;
    let operation = call!(gateway, snapshots.delete_snapshot(request))?;
    if let Some(finished) = follow::finish(context, &args.change, operation).await? {
        let took = finished.took().map(|took| format!(", {took}")).unwrap_or_default();
        context.printer.data(&format!("{}  removed{took}", snapshot.display_name))?;
    }
    Ok(SUCCESS)
}
