//! SwapVmDisks: points disks of a VM at other files, in one ReconfigVM_Task: there is no moment in which the VM has neither.
//! No file is touched, so that swapping back is the undo.
//!
//! Crash states of one disk: 1. at its old file: swap. 2. at its new file: done. Anything else is not ours to decide.

use super::{move_disks::must_be_off, pending, vm_files};
use crate::{
    soap::{Element, MoRef, XmlWriter},
    topology::{
        datastore, devices, pb,
        read::{VmRead, read_vm},
    },
    vcenter::{Client, Error, Refusal},
    vcenters::Vcenters,
};
use strata_model::{DatastorePath, ErrorKind};

/// vCenter's name of the task.
const RECONFIGURE_TASK: &str = "VirtualMachine.reconfigure";

struct Swap {
    from: DatastorePath,
    to: DatastorePath,
}

/// The act. All swaps are looked at before the change.
///
/// # Errors
/// A bad request, the VM is not off or has VMware snapshots, a disk is at neither file, a new file does not exist, or
/// vCenter refuses.
pub async fn run(vcenters: Vcenters, request: pb::SwapVmDisksRequest) -> Result<pb::SwapVmDisksResponse, Error> {
    let (client, uuid) = vcenters.with_child("vm", &request.vm, "vms")?;
    let swaps = read_swaps(&request.swaps)?;
    let vm = read_vm(&client, &uuid).await?;
    let waiting = waiting(&vm, &swaps)?;
    if waiting.is_empty() {
        return Ok(done(&client, &vm, 0));
    }
    let later = |pending| pb::SwapVmDisksResponse { pending: Some(pending), ..Default::default() };
    if request.resume.is_empty() {
        // A task whose id was lost; where it is somebody else's, we look again after it.
        if vm.vm.running_tasks.iter().any(|task| task.starts_with(RECONFIGURE_TASK)) {
            return Ok(later(pending::pending("", None)));
        }
        refuse_unfit(&vm, &waiting)?;
        for swap in &waiting {
            must_exist(&client, &vm, &swap.to).await?;
        }
    }
    let object = format!("VM {}", vm.vm.display_name);
    let start = client.reconfigure(&vm.moref, &object, |spec| write_spec(spec, &vm, &waiting));
    if let pending::Progress::Pending(pending) =
        pending::follow(&client, &request.resume, "swap of disks", &object, start).await?
    {
        return Ok(later(pending));
    }
    let vm = read_vm(&client, &uuid).await?;
    if self::waiting(&vm, &swaps)?.is_empty() {
        return Ok(done(&client, &vm, waiting.len()));
    }
    let text =
        format!("vCenter {} changed {object}, and its disks are where they were; repeat the call", client.name());
    Err(Refusal::new(ErrorKind::Unavailable, "SWAP_NOT_SEEN", text).and("vm", request.vm).into())
}

fn read_swaps(swaps: &[pb::PathMapping]) -> Result<Vec<Swap>, Refusal> {
    let read = |text: &str| text.parse::<DatastorePath>().map_err(|error| Refusal::invalid("swaps", error));
    let mut all: Vec<Swap> = Vec::with_capacity(swaps.len());
    for swap in swaps {
        let (from, to) = (read(&swap.from_path)?, read(&swap.to_path)?);
        let twice = all.iter().any(|other| other.from == from || other.to == to);
        if from == to || twice {
            let text = format!("{from} cannot be swapped for {to}: each file may be named once");
            return Err(Refusal::invalid("swaps", text));
        }
        all.push(Swap { from, to });
    }
    Ok(all)
}

/// The swaps that are not done yet.
fn waiting<'s>(vm: &VmRead, swaps: &'s [Swap]) -> Result<Vec<&'s Swap>, Refusal> {
    let mut waiting = Vec::new();
    for swap in swaps {
        match (device(vm, &swap.from), device(vm, &swap.to)) {
            (Some(_), None) => waiting.push(swap),
            (None, Some(_)) => {}
            (from, _) => {
                let (one, both) = (&swap.from, from.is_some());
                let text = format!(
                    "VM {} has {} {one} {} {} among its disks; it was changed since this was planned; plan anew",
                    vm.vm.display_name,
                    if both { "both" } else { "neither" },
                    if both { "and" } else { "nor" },
                    swap.to
                );
                return Err(Refusal::conflict("DISK_NOT_OF_VM", text).and("vm", vm.vm.name.clone()));
            }
        }
    }
    Ok(waiting)
}

/// The disk that writes to this file.
fn device<'v>(vm: &'v VmRead, file: &DatastorePath) -> Option<&'v Element> {
    let devices = vm.properties.items("config.hardware.device").iter();
    let mut disks = devices.filter(|device| device.xsi_type == "VirtualDisk");
    disks.find(|disk| disk.text_at("backing.fileName").is_some_and(|name| name.parse() == Ok(file.clone())))
}

fn refuse_unfit(vm: &VmRead, waiting: &[&Swap]) -> Result<(), Error> {
    must_be_off(vm)?;
    let is_raw = |disk: &Element| disk.at("backing").is_some_and(|backing| backing.xsi_type.contains("RawDisk"));
    if let Some(swap) = waiting.iter().find(|swap| device(vm, &swap.from).is_some_and(is_raw)) {
        let text = format!("{} of VM {} is a raw device; only files are swapped", swap.from, vm.vm.display_name);
        return Err(Refusal::conflict("DISK_IS_RAW_DEVICE", text).and("vm", vm.vm.name.clone()).into());
    }
    if vm.vm.vm_snapshot_count > 0 {
        let text = format!(
            "VM {} has VMware snapshots, which refer to its disks as they are; remove them first",
            vm.vm.display_name
        );
        return Err(Refusal::conflict("VM_HAS_SNAPSHOTS", text).and("vm", vm.vm.name.clone()).into());
    }
    Ok(())
}

async fn must_exist(client: &Client, vm: &VmRead, file: &DatastorePath) -> Result<(), Error> {
    let datacenter = MoRef::new("Datacenter", vm.vm.datacenter_moref.clone());
    let store = vm_files::store(client, &vm.places, &file.datastore, Some(&datacenter))?;
    let names = vm_files::names_in(client, &store, &file.datastore, file.directory(), file.file_name()).await?;
    if names.contains(file.file_name()) {
        return Ok(());
    }
    let text = format!("{file} does not exist; VM {} keeps its disks", vm.vm.display_name);
    Err(Refusal::not_found("DISK_NOT_FOUND", text).and("file", file.to_string()).into())
}

/// VirtualMachineConfigSpec, in the order of the WSDL. Every removal comes before the first addition: a unit number must be
/// free before it is given again. Without a fileOperation no file is made or destroyed.
fn write_spec(spec: &mut XmlWriter, vm: &VmRead, swaps: &[&Swap]) {
    if !vm.vm.change_version.is_empty() {
        spec.text("changeVersion", &vm.vm.change_version);
    }
    let found: Vec<(&Element, &Swap)> =
        swaps.iter().filter_map(|swap| Some((device(vm, &swap.from)?, *swap))).collect();
    for (disk, _) in &found {
        spec.element("deviceChange", |change| {
            change.text("operation", "remove").typed("device", "VirtualDisk", |out| {
                out.text_where("key", disk.text_at("key"));
                if let Some(backing) = disk.child("backing") {
                    out.echo(backing, &["parent"]);
                }
                write_place(out, disk);
                out.text("capacityInKB", disk.text_at("capacityInKB").unwrap_or("0"));
            });
        });
    }
    for (index, (disk, swap)) in (1_i64..).zip(&found) {
        spec.element("deviceChange", |change| {
            change.text("operation", "add").typed("device", "VirtualDisk", |out| {
                out.number("key", -index);
                // vCenter reads from the file which kind of disk it is.
                out.typed("backing", "VirtualDiskFlatVer2BackingInfo", |backing| {
                    backing
                        .text("fileName", &swap.to.to_string())
                        .text("diskMode", disk.text_at("backing.diskMode").unwrap_or("persistent"))
                        .text_where("sharing", disk.text_at("backing.sharing"));
                });
                write_place(out, disk);
                out.number("capacityInKB", 0);
                if let Some(allocation) = disk.child("storageIOAllocation") {
                    out.echo(allocation, &[]);
                }
            });
        });
    }
}

fn write_place(out: &mut XmlWriter, disk: &Element) {
    out.text_where("controllerKey", disk.text_at("controllerKey"));
    out.text_where("unitNumber", disk.text_at("unitNumber"));
}

fn done(client: &Client, vm: &VmRead, swapped: usize) -> pb::SwapVmDisksResponse {
    pb::SwapVmDisksResponse {
        pending: None,
        disks: disks(client, vm),
        swapped_count: u32::try_from(swapped).unwrap_or(u32::MAX),
    }
}

/// All disks of a VM, with the resource names of their datastores.
pub(super) fn disks(client: &Client, vm: &VmRead) -> Vec<pb::Disk> {
    let datacenter = MoRef::new("Datacenter", vm.vm.datacenter_moref.clone());
    let resource_name = |name: &str| {
        let store = vm.places.datastore_named(name, Some(&datacenter));
        store.map(|store| datastore::name(client.name(), &store.object.value)).unwrap_or_default()
    };
    devices::disks(vm.properties.items("config.hardware.device"), &resource_name)
}
