//! RevertVmSnapshot: puts a copied VM back to a VMware snapshot that the copy contains. In a quiesced copy the good image is
//! the delta's parent (safety.md S12); what was written into the delta during the cut goes.
//!
//! The VM's configuration goes back with the disks: our key is gone then, and adapters connect as they did. So the VM is known
//! by vCenter's id too, and made harmless again (safety.md S16, S17). Only a VM that is off is reverted: a repeated call does
//! no harm. Crash states: 1. the task runs and its id is lost: seen among the VM's running tasks. 2. reverted, and not made
//! harmless: reverted once more, and made harmless. 3. all done: done once more.

use super::{
    move_disks::must_be_off,
    own_vm, pending,
    register_vm::outside,
    set_vm_identity::{AdapterWish, write_adapter},
    swap_vm_disks::disks,
};
use crate::{
    topology::{
        devices, pb,
        read::{VmRead, read_vm_by_ref},
        vm::STRATA_KEY,
    },
    vcenter::{
        Client, Error, Refusal,
        snapshot::{SnapshotNode, tree},
    },
    vcenters::Vcenters,
};
use strata_model::ErrorKind;

/// The act.
///
/// # Errors
/// A bad request, no such VM or VMware snapshot, more than one of that name, the VM is not off, vCenter cannot, or the VM
/// refers to files outside of the copy afterwards.
pub async fn run(
    vcenters: Vcenters,
    request: pb::RevertVmSnapshotRequest,
) -> Result<pb::RevertVmSnapshotResponse, Error> {
    let own = check(&request)?;
    let (client, vm) = own_vm::get(&vcenters, own).await?;
    must_be_off(&vm)?;
    let node = snapshot_named(&vm, &request.vm_snapshot_name)?;
    let later = |pending| pb::RevertVmSnapshotResponse { pending: Some(pending), disks: Vec::new() };
    let is_reverting = |task: &String| task.to_ascii_lowercase().contains("revert");
    if request.resume.is_empty() && vm.vm.running_tasks.iter().any(is_reverting) {
        return Ok(later(pending::pending("", None)));
    }
    let object = format!("VM {}", vm.vm.display_name);
    let start = client.revert_to_snapshot(&node.moref, &object);
    if let pending::Progress::Pending(pending) =
        pending::follow(&client, &request.resume, "revert to the VMware snapshot", &object, start).await?
    {
        return Ok(later(pending));
    }
    let before = Before::of(&vm, &own.key);
    let vm = read_vm_by_ref(&client, &vm.moref).await?;
    let current = vm.properties.get("snapshot").and_then(|info| info.moref_at("currentSnapshot"));
    if current.as_ref() != Some(&node.moref) {
        let text = format!(
            "vCenter {} reverted {object}, and its current VMware snapshot is not {}; repeat the call",
            client.name(),
            node.name
        );
        return Err(Refusal::new(ErrorKind::Unavailable, "REVERT_NOT_SEEN", text).and("vm", vm.vm.name).into());
    }
    let vm = make_harmless(&client, vm, &before, &own.key).await?;
    let outside = outside(&vm, &request.allowed_directories);
    if !outside.is_empty() {
        let text = format!(
            "VM {} refers to files outside of the copy since it was reverted to {}: {}; unregister it, and register it with \
             the disks below the VMware snapshot",
            vm.vm.display_name,
            node.name,
            outside.join(", ")
        );
        return Err(Refusal::conflict("VM_REFERS_OUTSIDE", text).and("vm", vm.vm.name).into());
    }
    Ok(pb::RevertVmSnapshotResponse { pending: None, disks: disks(&client, &vm) })
}

fn check(request: &pb::RevertVmSnapshotRequest) -> Result<&pb::OwnVm, Refusal> {
    let own = request.own_vm.as_ref().filter(|own| !own.moref.is_empty());
    let own = own.ok_or_else(|| Refusal::invalid("own_vm.moref", "own_vm must say which VM, with its moref"))?;
    if request.vm_snapshot_name.is_empty() {
        return Err(Refusal::invalid("vm_snapshot_name", "vm_snapshot_name must not be empty"));
    }
    if request.allowed_directories.is_empty() {
        let text = "allowed_directories must name the copy's directories";
        return Err(Refusal::invalid("allowed_directories", text));
    }
    Ok(own)
}

/// What it was before: its name and uuids, our key, and no adapter that connects by itself.
async fn make_harmless(client: &Client, vm: VmRead, before: &Before, key: &str) -> Result<VmRead, Error> {
    let all = vm.properties.items("config.hardware.device").iter();
    let connecting: Vec<_> = all
        .filter(|device| devices::is_network_adapter(device) && device.true_at("connectable.startConnected"))
        .collect();
    let changed = |now: &str, wanted: &str| (now != wanted).then(|| wanted.to_owned());
    let name = changed(vm.properties.text("name"), &before.name);
    let bios_uuid = changed(&vm.vm.bios_uuid, &before.bios_uuid);
    let instance_uuid = changed(&vm.vm.instance_uuid, &before.instance_uuid);
    let as_before = name.is_none() && bios_uuid.is_none() && instance_uuid.is_none();
    if vm.vm.strata_key == key && connecting.is_empty() && as_before {
        return Ok(vm);
    }
    let object = format!("VM {}", vm.vm.display_name);
    let wish = AdapterWish { new_mac_address: false, disconnect: true };
    let task = client
        .reconfigure(&vm.moref, &object, |spec| {
            spec.text_where("name", name.as_deref())
                .text_where("uuid", bios_uuid.as_deref())
                .text_where("instanceUuid", instance_uuid.as_deref());
            for device in &connecting {
                write_adapter(spec, device, wish);
            }
            spec.element("extraConfig", |option| {
                option.text("key", STRATA_KEY).typed_text("value", "xsd:string", key);
            });
        })
        .await?;
    client.finish_task(&task, "mark", &object).await?;
    read_vm_by_ref(client, &vm.moref).await
}

/// Who the VM was before it was reverted.
struct Before {
    name: String,
    bios_uuid: String,
    instance_uuid: String,
}

impl Before {
    /// A VM without our key was reverted by an earlier call whose answer is lost: it may bear the source's instanceUuid, by
    /// which it would be taken for the source (safety.md S5), and gets another.
    fn of(vm: &VmRead, key: &str) -> Self {
        let instance_uuid = match vm.vm.strata_key == key {
            true => vm.vm.instance_uuid.clone(),
            false => uuid::Uuid::new_v4().to_string(),
        };
        Self { name: vm.properties.text("name").to_owned(), bios_uuid: vm.vm.bios_uuid.clone(), instance_uuid }
    }
}

fn snapshot_named(vm: &VmRead, name: &str) -> Result<SnapshotNode, Refusal> {
    let mut named = tree(vm.properties.get("snapshot")).into_iter().filter(|node| node.name == name);
    match (named.next(), named.next()) {
        (Some(node), None) => Ok(node),
        (None, _) => {
            let text = format!("VM {} has no VMware snapshot {name}", vm.vm.display_name);
            Err(Refusal::not_found("VM_SNAPSHOT_NOT_FOUND", text).and("vm", vm.vm.name.clone()))
        }
        (Some(_), Some(_)) => {
            let text = format!(
                "VM {} has more than one VMware snapshot {name}; nobody can tell which is meant",
                vm.vm.display_name
            );
            Err(Refusal::conflict("VM_SNAPSHOT_AMBIGUOUS", text).and("vm", vm.vm.name.clone()))
        }
    }
}
