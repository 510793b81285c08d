//! `strata snapshot create`.

use crate::{
    args::ChangeArgs,
    commands::change,
    connect::call,
    context::Context,
    exit_code::SUCCESS,
    failure::Failure,
    follow::{self, Finished},
    names::find_vm,
    show,
};
use clap::{Args, ValueEnum};
use strata_model::keep::parse_keep;
use strata_proto::strata::{
    common::v1::Grade,
    gateway::v1::{CreateSnapshotRequest, Snapshot, plan_request::Request},
};

/// What to take.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// Name, vcenter/name, or full resource name of the VM
    vm: String,
    /// How good the bytes shall be
    #[arg(long, default_value = "crash")]
    grade: GradeArg,
    /// Take a weaker grade where the wanted one cannot be had; the answer says which and why
    #[arg(long)]
    allow_weaker: bool,
    /// How long to keep it, as 12h, 7d or 4w; until deleted where not given
    #[arg(long, value_name = "PERIOD", value_parser = parse_keep)]
    keep: Option<std::time::Duration>,
    /// A note of yours
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Allow this much time between the disks where the array cannot cut them at one point
    #[arg(long = "accept-skew", value_name = "MILLISECONDS", default_value_t = 0)]
    accept_skew_ms: u32,
    /// How long the guest may take to freeze; after it the cut is given up, or with --allow-weaker made without
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(5..=3_600))]
    quiesce_budget: Option<u32>,
    /// Leave out disks that the array cannot snapshot; each is listed
    #[arg(long)]
    allow_partial: bool,
    #[command(flatten)]
    change: ChangeArgs,
}

/// A grade as it is typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum GradeArg {
    /// As after a power failure: all disks at one point in time
    Crash,
    /// File systems quiesced by VMware Tools
    Vm,
    /// Applications frozen by VMware Tools
    App,
}

/// Takes it, and prints the restore point in one line.
///
/// # Errors
/// None or more than one VM fits; the gateway's.
pub async fn run(args: CreateArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let vm = find_vm(&gateway, &args.vm).await?;
    let grade = match args.grade {
        GradeArg::Crash => Grade::Crash,
        GradeArg::Vm => Grade::Vm,
        GradeArg::App => Grade::App,
    };
    let request = CreateSnapshotRequest {
        vm: vm.name,
        grade: grade.into(),
        allow_weaker: args.allow_weaker,
        keep: args.keep.and_then(|keep| prost_types::Duration::try_from(keep).ok()),
        description: args.description.unwrap_or_default(),
        accept_skew_ms: args.accept_skew_ms,
        allow_partial: args.allow_partial,
        request_id: change::request_id(&args.change),
        validate_only: false,
        plan_hash: change::plan_hash(&args.change),
        quiesce_budget: args.quiesce_budget.map(|seconds| prost_types::Duration { seconds: seconds.into(), nanos: 0 }),
    };
    if args.change.dry_run {
        return change::print_plan(context, &gateway, Request::CreateSnapshot(request)).await;
    }
    let operation = call!(gateway, snapshots.create_snapshot(request))?;
    if let Some(finished) = follow::finish(context, &args.change, operation).await? {
        let snapshot: Snapshot = finished.answer()?;
        context.printer.data(&line(&snapshot, &finished))?;
        reasons(&snapshot, context);
    }
    Ok(SUCCESS)
}

/// `web-01@1004  asked vm, got vm; VMware snapshot open 4.1s, removed; 6.3s total`
fn line(snapshot: &Snapshot, finished: &Finished) -> String {
    let asked = show::grade(snapshot.grade_asked);
    let got = show::grade(snapshot.grade);
    let mut parts = vec![format!("asked {asked}, got {got}")];
    if let Some(open) = &snapshot.vm_snapshot_open {
        parts.push(format!("VMware snapshot open {}, removed", show::duration(open)));
    }
    if snapshot.skew_us > 0 {
        parts.push(format!("{:.1} ms between the parts", snapshot.skew_us as f64 / 1_000.0));
    }
    if !snapshot.excluded_disks.is_empty() {
        parts.push(format!("{} left out", show::plural(snapshot.excluded_disks.len(), "disk")));
    }
    parts.extend(finished.took().map(|took| format!("{took} total")));
    format!("{}  {}", snapshot.display_name, parts.join("; "))
}

fn reasons(snapshot: &Snapshot, context: &Context) {
    for disk in snapshot.disks.iter().filter(|disk| !disk.reason.is_empty()) {
        context.printer.note(&format!("{}: {}: {}", disk.label, show::grade(disk.grade), disk.reason));
    }
    for disk in &snapshot.excluded_disks {
        context.printer.note(&format!("{} left out: {}", disk.label, disk.reason));
    }
}
