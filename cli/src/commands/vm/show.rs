//! `strata vm show`.

use crate::{
    connect::call, context::Context, exit_code::SUCCESS, failure::Failure, json::to_json, names::find_vm, show,
    show::Table,
};
use clap::Args;
use strata_model::names;
use strata_proto::strata::gateway::v1::{GetVmRequest, Relation, Vm, VmDetail};

/// Which VM.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Name, vcenter/name, or full resource name
    vm: String,
}

/// Shows a VM and everything behind it.
///
/// # Errors
/// None or more than one VM fits; the gateway's.
pub async fn run(args: ShowArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let mut vm = find_vm(&gateway, &args.vm).await?;
    if vm.detail.is_none() {
        let request = GetVmRequest { name: vm.name.clone() };
        vm = call!(gateway, vms.get_vm(request))?;
    }
    if context.printer.style().json {
        context.printer.json(&to_json(&vm)?)?;
        return Ok(SUCCESS);
    }
    head(&vm, context)?;
    let vm_names = (vm.name.clone(), vm.display_name.clone());
    let detail = vm.detail.unwrap_or_default();
    disks(&detail, context)?;
    lists(&detail, context)?;
    relations(&vm_names, &detail, context)?;
    if !vm.volumes.is_empty() {
        neighbours(&detail, context)?;
    }
    for gap in &detail.gaps {
        context.printer.warning(&format!("could not be read: {gap}"));
    }
    Ok(SUCCESS)
}

fn head(vm: &Vm, context: &Context) -> Result<(), Failure> {
    let printer = &context.printer;
    printer.head(&vm.display_name)?;
    let line = |word: &str, value: &str| match value {
        "" => Ok(()),
        value => printer.data(&format!("  {word:<13}{value}")),
    };
    line("name", &vm.name)?;
    line("moref", &vm.moref)?;
    line("power", &show::power(&vm.power_state, vm.template))?;
    line("host", &vm.host)?;
    line("folder", vm.detail.as_ref().map_or("", |detail| &detail.folder))?;
    line("datastores", &vm.datastores.join(", "))?;
    line("volumes", &show::volumes(vm))?;
    let mut protection = show::protection(vm.protection).to_owned();
    if !vm.protection_reason.is_empty() {
        protection.push_str(&format!(": {}", vm.protection_reason));
    }
    if vm.snapshot_count > 0 {
        protection.push_str(&format!(", {}", show::plural(vm.snapshot_count as usize, "restore point")));
        let newest = show::time(vm.last_snapshot_time.as_ref(), &context.time_zone);
        protection.push_str(&format!(", newest {newest} ({})", show::grade(vm.last_snapshot_grade)));
    }
    line("protection", &protection)
}

fn disks(detail: &VmDetail, context: &Context) -> Result<(), Failure> {
    if detail.disks.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&["DISK", "SIZE", "PATH", "VOLUME", "BEST GRADE"]);
    for disk in &detail.disks {
        let mut best = show::grade(disk.best_grade).to_owned();
        if !disk.reason.is_empty() {
            best = if best.is_empty() { disk.reason.clone() } else { format!("{best}: {}", disk.reason) };
        }
        let volume = show::volume_named(&disk.volume, &disk.volume_display_name);
        table.row([disk.label.clone(), show::bytes(disk.capacity_bytes), disk.path.clone(), volume, best]);
    }
    context.printer.data("")?;
    table.print(&context.printer, 2)
}

fn lists(detail: &VmDetail, context: &Context) -> Result<(), Failure> {
    let lists = [
        ("FILES", &detail.files),
        ("FILES SHARED WITH OTHER VMS", &detail.shared_files),
        ("VMWARE SNAPSHOTS", &detail.vm_snapshots),
    ];
    for (head, entries) in lists.into_iter().filter(|(_, entries)| !entries.is_empty()) {
        context.printer.data("")?;
        context.printer.head(&format!("  {head}"))?;
        for entry in entries {
            context.printer.data(&format!("  {entry}"))?;
        }
    }
    Ok(())
}

/// The links from a VM down to the array, NFS or LUNs.
const ORDER: [&str; 8] =
    ["has disk", "lies on", "mounted by", "is volume", "is on LUN", "mapped to", "lies in volume", "is on array"];

fn relations(vm: &(String, String), detail: &VmDetail, context: &Context) -> Result<(), Failure> {
    if detail.relations.is_empty() {
        return Ok(());
    }
    // From the VM down to the array, as one would follow it.
    let mut relations: Vec<&Relation> = detail.relations.iter().collect();
    relations.sort_by_key(|relation| ORDER.iter().position(|kind| *kind == relation.kind).unwrap_or(ORDER.len()));
    let mut table = Table::new(&["FROM", "LINK", "TO", "HOW IT WAS ESTABLISHED"]);
    for relation in relations {
        let from = shown(&relation.from, &relation.from_display_name, vm);
        let to = shown(&relation.to, &relation.to_display_name, vm);
        table.row([from, relation.kind.clone(), to, relation.evidence.clone()]);
    }
    context.printer.data("")?;
    table.print(&context.printer, 2)
}

/// An object by its name for people; a volume with its array.
fn shown(name: &str, display_name: &str, vm: &(String, String)) -> String {
    match (display_name, names::split(name, &["arrays", "volumes"]).is_ok()) {
        ("", _) => short_name(name, vm),
        (_, true) => show::volume_named(name, display_name),
        (_, false) => display_name.to_owned(),
    }
}

/// An object's name as it fits a table, where the gateway tells none for people; JSON has the full one.
fn short_name(name: &str, (vm, display_name): &(String, String)) -> String {
    if let Some(rest) = name.strip_prefix(vm.as_str()) {
        return format!("{display_name}{}", rest.replace("/disks/", " disk "));
    }
    let below = |collection: &str| {
        names::split(name, &["vcenters", collection]).ok().and_then(|parts| parts.into_iter().nth(1))
    };
    below("datastores").or_else(|| below("hosts")).unwrap_or_else(|| show::volume(name))
}

fn neighbours(detail: &VmDetail, context: &Context) -> Result<(), Failure> {
    context.printer.data("")?;
    if detail.neighbours.is_empty() {
        return context.printer.data("  Nothing else lives on what the array snapshots with it.");
    }
    let mut table = Table::new(&["NEIGHBOUR", "KIND", "DATASTORE", "VOLUME"]);
    for neighbour in &detail.neighbours {
        table.row([
            neighbour.display_name.clone(),
            neighbour.kind.clone(),
            neighbour.datastore.clone(),
            show::volume_named(&neighbour.volume, &neighbour.volume_display_name),
        ]);
    }
    table.print(&context.printer, 2)
}
