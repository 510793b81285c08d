//! Consolidate: merges delta disks that no VMware snapshot lists any more.

use super::pending;
use crate::{
    topology::{pb, read::read_vm},
    vcenter::{Error, Refusal},
    vcenters::Vcenters,
};

/// The act.
///
/// # Errors
/// A bad request, no such VM, the VM has VMware snapshots, or vCenter cannot consolidate.
pub async fn run(vcenters: Vcenters, request: pb::ConsolidateRequest) -> Result<pb::ConsolidateResponse, Error> {
    let (client, uuid) = vcenters.with_child("vm", &request.vm, "vms")?;
    let vm = read_vm(&client, &uuid).await?;
    if !vm.properties.is_true("runtime.consolidationNeeded") && request.resume.is_empty() {
        return Ok(pb::ConsolidateResponse { pending: None });
    }
    if vm.vm.vm_snapshot_count > 0 {
        let text = format!("VM {} has VMware snapshots; remove them first", vm.vm.display_name);
        return Err(Refusal::conflict("VM_HAS_SNAPSHOTS", text).and("vm", request.vm).into());
    }
    let object = format!("VM {}", vm.vm.display_name);
    let start = client.consolidate(&vm.moref, &object);
    match pending::follow(&client, &request.resume, "consolidation", &object, start).await? {
        pending::Progress::Pending(pending) => Ok(pb::ConsolidateResponse { pending: Some(pending) }),
        pending::Progress::Done(_) => {
            let needed = read_vm(&client, &uuid).await?.properties.is_true("runtime.consolidationNeeded");
            Ok(pb::ConsolidateResponse { pending: needed.then(|| pending::pending("", None)) })
        }
    }
}
