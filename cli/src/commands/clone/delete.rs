//! `strata clone delete`.

use crate::{
    args::ChangeArgs, commands::change, connect::call, context::Context, exit_code::SUCCESS, failure::Failure, follow,
    names::find_clone,
};
use clap::Args;
use strata_proto::strata::gateway::v1::{DeleteCloneRequest, plan_request::Request};

/// What to remove.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// Name, id, or full resource name
    clone: String,
    /// Turn it off where it runs; refused otherwise
    #[arg(long)]
    power_off: bool,
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
    let clone = find_clone(&gateway, &args.clone).await?;
    let mut request = DeleteCloneRequest {
        name: clone.name,
        power_off: args.power_off,
        allow_missing: false,
        request_id: change::request_id(&args.change),
        validate_only: false,
        plan_hash: change::plan_hash(&args.change),
    };
    let planned = Request::DeleteClone(request.clone());
    if args.change.dry_run {
        return change::print_plan(context, &gateway, planned).await;
    }
    request.plan_hash =
        change::confirm(context, &gateway, (&args.change, args.yes), &clone.display_name, planned).await?;
    let operation = call!(gateway, clones.delete_clone(request))?;
    if let Some(finished) = follow::finish(context, &args.change, operation).await? {
        let took = finished.took().map(|took| format!(", {took}")).unwrap_or_default();
        context.printer.data(&format!("{}  removed{took}", clone.display_name))?;
    }
    Ok(SUCCESS)
}
