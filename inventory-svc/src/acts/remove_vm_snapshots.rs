//! RemoveVmSnapshots: removes all VMware snapshots of a VM and merges their disks.

use super::pending;
use crate::{
    topology::{pb, read::read_vm},
    vcenter::Error,
    vcenters::Vcenters,
};

/// The act.
///
/// # Errors
/// A bad request, no such VM, or vCenter cannot remove them.
pub async fn run(
    vcenters: Vcenters,
    request: pb::RemoveVmSnapshotsRequest,
) -> Result<pb::RemoveVmSnapshotsResponse, Error> {
    let (client, uuid) = vcenters.with_child("vm", &request.vm, "vms")?;
    let vm = read_vm(&client, &uuid).await?;
    if vm.vm.vm_snapshot_count == 0 && request.resume.is_empty() {
        return Ok(pb::RemoveVmSnapshotsResponse { pending: None });
    }
    let object = format!("VM {}", vm.vm.display_name);
    let start = client.remove_all_snapshots(&vm.moref, &object);
    match pending::follow(&client, &request.resume, "removal of all VMware snapshots", &object, start).await? {
        pending::Progress::Pending(pending) => Ok(pb::RemoveVmSnapshotsResponse { pending: Some(pending) }),
        pending::Progress::Done(_) => {
            let left = read_vm(&client, &uuid).await?.vm.vm_snapshot_count;
            let pending = (left > 0).then(|| pending::pending("", None));
            Ok(pb::RemoveVmSnapshotsResponse { pending })
        }
    }
}
