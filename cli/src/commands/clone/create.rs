//! `strata clone create`.

use crate::{
    args::ChangeArgs,
    commands::change,
    connect::call,
    context::Context,
    exit_code::SUCCESS,
    failure::Failure,
    follow::{self, Finished},
    names::find_snapshot,
    show,
};
use clap::Args;
use strata_proto::strata::gateway::v1::{Clone, CreateCloneRequest, plan_request::Request};

/// What to make.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The restore point, as web-01@1004, its id, or its full resource name
    snapshot: String,
    /// Name of the new VM; made of the source's where not given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Leave all network adapters disconnected, also when it runs
    #[arg(long)]
    isolated: bool,
    /// Turn it on
    #[arg(long, requires = "isolated")]
    power_on: bool,
    /// Make volumes of its own although the array could clone the files in place
    #[arg(long)]
    own_datastore: bool,
    /// For LUNs: a host that gets them (may be given several times); those that mount the source where not given
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// For LUNs: vCenter's id of the folder of datastores that the new ones go into
    #[arg(long, value_name = "ID")]
    datastore_folder: Option<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Makes it, and prints the new VM in one line.
///
/// # Errors
/// None or more than one restore point fits; the gateway's.
pub async fn run(args: CreateArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let snapshot = find_snapshot(&gateway, &args.snapshot).await?;
    let request = CreateCloneRequest {
        snapshot: snapshot.name,
        display_name: args.name.unwrap_or_default(),
        power_on: args.power_on,
        isolated: args.isolated,
        own_datastore: args.own_datastore,
        request_id: change::request_id(&args.change),
        validate_only: false,
        plan_hash: change::plan_hash(&args.change),
        hosts: args.hosts,
        datastore_folder: args.datastore_folder.unwrap_or_default(),
    };
    if args.change.dry_run {
        return change::print_plan(context, &gateway, Request::CreateClone(request)).await;
    }
    let operation = call!(gateway, clones.create_clone(request))?;
    if let Some(finished) = follow::finish(context, &args.change, operation).await? {
        let clone: Clone = finished.answer()?;
        context.printer.data(&line(&clone, &finished))?;
        for stripped in &clone.stripped {
            context.printer.note(&format!("taken out of its configuration: {stripped}"));
        }
    }
    Ok(SUCCESS)
}

/// `web-01-t  off, new uuid and MAC, NICs disconnected, 0.9s`
fn line(clone: &Clone, finished: &Finished) -> String {
    let identity = match (clone.bios_uuid.is_empty(), clone.mac_addresses.len()) {
        (false, 0) => Some("new uuid"),
        (false, 1) => Some("new uuid and MAC"),
        (false, _) => Some("new uuid and MACs"),
        (true, _) => None,
    };
    let mut parts = vec![clone.power_state.clone()];
    parts.extend(identity.map(str::to_owned));
    if clone.adapters_disconnected {
        parts.push("NICs disconnected".to_owned());
    }
    if clone.copied_bytes > 0 {
        parts.push(format!("{} copied", show::bytes(clone.copied_bytes)));
    }
    parts.extend(finished.took());
    format!("{}  {}", clone.display_name, parts.join(", "))
}
