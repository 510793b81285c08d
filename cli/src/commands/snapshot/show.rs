//! `strata snapshot show`.

use crate::{
    context::Context,
    exit_code::SUCCESS,
    failure::Failure,
    json::to_json,
    names::find_snapshot,
    show::{self, Table},
};
use clap::Args;
use strata_proto::strata::gateway::v1::{Snapshot, SnapshotDisk};

/// Which restore point.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// As web-01@1004, its id, or its full resource name
    snapshot: String,
}

/// Shows a restore point.
///
/// # Errors
/// None or more than one fits; the gateway's.
pub async fn run(args: ShowArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let snapshot = find_snapshot(&gateway, &args.snapshot).await?;
    if context.printer.style().json {
        context.printer.json(&to_json(&snapshot)?)?;
        return Ok(SUCCESS);
    }
    head(&snapshot, context)?;
    let mut disks = Table::new(&["DISK", "SIZE", "GRADE", "FILE", "VOLUME"]);
    for disk in &snapshot.disks {
        disks.row(cells(disk, show::grade(disk.grade)));
    }
    for disk in &snapshot.excluded_disks {
        disks.row(cells(disk, "not in it"));
    }
    if !disks.is_empty() {
        context.printer.data("")?;
        disks.print(&context.printer, 2)?;
    }
    chains(&snapshot, context)?;
    let mut members = Table::new(&["VOLUME", "ARRAY'S SNAPSHOT", "HOW THE VOLUME WAS FOUND"]);
    for member in &snapshot.members {
        members.row([show::volume(&member.volume), member.native_name.clone(), member.evidence.clone()]);
    }
    if !members.is_empty() {
        context.printer.data("")?;
        members.print(&context.printer, 2)?;
    }
    Ok(SUCCESS)
}

/// What a freeze did to the files of each disk: the good image is not what the snapshot's .vmx names.
fn chains(snapshot: &Snapshot, context: &Context) -> Result<(), Failure> {
    let mut table = Table::new(&["DISK", "BEFORE THE FREEZE", "AT THE CUT", "TO ATTACH"]);
    for disk in
        snapshot.disks.iter().filter(|disk| disk.chain_before != disk.chain_at_cut && !disk.chain_at_cut.is_empty())
    {
        let first = |chain: &[String]| chain.first().cloned().unwrap_or_default();
        table.row([disk.label.clone(), first(&disk.chain_before), first(&disk.chain_at_cut), disk.path.clone()]);
    }
    if !table.is_empty() {
        context.printer.data("")?;
        table.print(&context.printer, 2)?;
    }
    Ok(())
}

fn cells(disk: &SnapshotDisk, grade: &str) -> [String; 5] {
    let grade = if disk.reason.is_empty() { grade.to_owned() } else { format!("{grade}: {}", disk.reason) };
    [disk.label.clone(), show::bytes(disk.capacity_bytes), grade, disk.path.clone(), show::volume(&disk.volume)]
}

fn head(snapshot: &Snapshot, context: &Context) -> Result<(), Failure> {
    let printer = &context.printer;
    printer.head(&snapshot.display_name)?;
    let line = |word: &str, value: &str| match value {
        "" => Ok(()),
        value => printer.data(&format!("  {word:<13}{value}")),
    };
    line("name", &snapshot.name)?;
    line("vm", &format!("{} ({})", snapshot.vm_display_name, snapshot.vm))?;
    line("state", show::snapshot_state(snapshot.state))?;
    line("taken", &show::time(snapshot.create_time.as_ref(), &context.time_zone))?;
    let expires = show::time(snapshot.expire_time.as_ref(), &context.time_zone);
    line("expires", if expires.is_empty() { "never" } else { &expires })?;
    line("grade", &format!("asked {}, got {}", show::grade(snapshot.grade_asked), show::grade(snapshot.grade)))?;
    if let Some(open) = &snapshot.vm_snapshot_open {
        line("VM snapshot", &format!("open {}", show::duration(open)))?;
    }
    let skew = match snapshot.skew_us {
        0 => "one point in time".to_owned(),
        skew_us => format!("{:.1} ms between first and last part", skew_us as f64 / 1_000.0),
    };
    line("cut", &skew)?;
    if snapshot.safety {
        line("kind", "safety point, taken before a revert")?;
    }
    line("neighbours", &format!("{} in the same array snapshot", snapshot.neighbour_count))?;
    line("clones", &snapshot.clones.join(", "))?;
    line("note", &snapshot.description)?;
    line("operation", &snapshot.operation)
}
