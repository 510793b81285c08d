//! RevertVmSnapshot: puts a copied VM back to a VMware snapshot that the copy contains. In a quiesced copy the good image is
//! the delta's parent (safety.md S12); what was written into the delta during the cut goes.
//!
//! Only a VM that Strata registered is reverted, and only while it is off: then a repeated call does no harm. Crash states:
//! 1. the task runs and its id is lost: seen among the VM's running tasks. 2. reverted: reverted once more.

use super::{move_disks::must_be_off, own_vm, pending, swap_vm_disks::disks};
use crate::{
    topology::{pb, read::VmRead},
    vcenter::{
        Error, Refusal,
        snapshot::{SnapshotNode, tree},
    },
    vcenters::Vcenters,
};
use strata_model::ErrorKind;

/// The act.
///
/// # Errors
/// A bad request, no such VM or VMware snapshot, more than one of that name, the VM is not off, or vCenter cannot.
pub async fn run(
    vcenters: Vcenters,
    request: pb::RevertVmSnapshotRequest,
) -> Result<pb::RevertVmSnapshotResponse, Error> {
    let own = request.own_vm.ok_or_else(|| Refusal::invalid("own_vm", "own_vm must say which VM"))?;
    if request.vm_snapshot_name.is_empty() {
        return Err(Refusal::invalid("vm_snapshot_name", "vm_snapshot_name must not be empty").into());
    }
    let (client, vm) = own_vm::get(&vcenters, &own).await?;
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
    let (_, vm) = own_vm::get(&vcenters, &own).await?;
    let current = vm.properties.get("snapshot").and_then(|info| info.moref_at("currentSnapshot"));
    if current.as_ref() != Some(&node.moref) {
        let text = format!(
            "vCenter {} reverted {object}, and its current VMware snapshot is not {}; repeat the call",
            client.name(),
            node.name
        );
        return Err(Refusal::new(ErrorKind::Unavailable, "REVERT_NOT_SEEN", text).and("vm", vm.vm.name).into());
    }
    Ok(pb::RevertVmSnapshotResponse { pending: None, disks: disks(&client, &vm) })
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
