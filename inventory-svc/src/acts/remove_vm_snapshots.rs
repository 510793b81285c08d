//! RemoveVmSnapshots: removes all VMware snapshots of a VM and merges their disks.

use super::{own_vm, pending};
use crate::{
    topology::{
        pb,
        read::{VmRead, read_vm},
    },
    vcenter::{Client, Error, Refusal},
    vcenters::Vcenters,
};
use std::sync::Arc;

/// The act.
///
/// # Errors
/// A bad request, no such VM, or vCenter cannot remove them.
pub async fn run(
    vcenters: Vcenters,
    request: pb::RemoveVmSnapshotsRequest,
) -> Result<pb::RemoveVmSnapshotsResponse, Error> {
    let (client, vm) = find(&vcenters, &request).await?;
    if vm.vm.vm_snapshot_count == 0 && request.resume.is_empty() {
        return Ok(pb::RemoveVmSnapshotsResponse { pending: None });
    }
    let object = format!("VM {}", vm.vm.display_name);
    let start = client.remove_all_snapshots(&vm.moref, &object);
    match pending::follow(&client, &request.resume, "removal of all VMware snapshots", &object, start).await? {
        pending::Progress::Pending(pending) => Ok(pb::RemoveVmSnapshotsResponse { pending: Some(pending) }),
        pending::Progress::Done(_) => {
            let left = find(&vcenters, &request).await?.1.vm.vm_snapshot_count;
            Ok(pb::RemoveVmSnapshotsResponse { pending: (left > 0).then(|| pending::pending("", None)) })
        }
    }
}

async fn find(vcenters: &Vcenters, request: &pb::RemoveVmSnapshotsRequest) -> Result<(Arc<Client>, VmRead), Error> {
    match (&request.own_vm, request.vm.is_empty()) {
        (Some(own), true) => own_vm::get(vcenters, own).await,
        (None, _) => {
            let (client, uuid) = vcenters.with_child("vm", &request.vm, "vms")?;
            let vm = read_vm(&client, &uuid).await?;
            Ok((client, vm))
        }
        (Some(_), false) => Err(Refusal::invalid("own_vm", "give vm or own_vm, and not both").into()),
    }
}
