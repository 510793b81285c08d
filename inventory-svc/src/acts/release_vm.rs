//! ReleaseVm: removes the VMware snapshot of a QuiesceVm, and no other.
//!
//! Crash states: 1. the snapshot is still being made: it is waited for, so that none stays behind. 2. it is gone: done.

use super::{own_vm, pending, quiesce_vm};
use crate::{
    topology::{pb, read::read_vm},
    vcenter::Error,
    vcenters::Vcenters,
};

/// The act.
///
/// # Errors
/// A bad request, no such VM, or vCenter cannot remove it.
pub async fn run(vcenters: Vcenters, request: pb::ReleaseVmRequest) -> Result<pb::ReleaseVmResponse, Error> {
    let (client, uuid) = vcenters.with_child("vm", &request.vm, "vms")?;
    let name = quiesce_vm::snapshot_name(own_vm::key("key", &request.key)?);
    let vm = read_vm(&client, &uuid).await?;
    let object = format!("VM {}", vm.vm.display_name);
    let found = quiesce_vm::find(&vm, &name);
    let answer = |absent, consolidation_needed| pb::ReleaseVmResponse { pending: None, absent, consolidation_needed };
    let later = |pending| pb::ReleaseVmResponse { pending: Some(pending), ..Default::default() };
    let Some(node) = found else {
        if quiesce_vm::is_being_made(&vm.vm) {
            return Ok(later(pending::pending("", None)));
        }
        return Ok(answer(request.resume.is_empty(), vm.properties.is_true("runtime.consolidationNeeded")));
    };
    let start = client.remove_snapshot(&node.moref, &object);
    let removed = pending::follow(&client, &request.resume, "removal of the VMware snapshot", &object, start).await;
    match removed {
        Ok(pending::Progress::Pending(pending)) => return Ok(later(pending)),
        Ok(pending::Progress::Done(_)) => {}
        // It went between our look and our call.
        Err(error) if error.is_fault("ManagedObjectNotFound") => {}
        Err(error) => return Err(error),
    }
    let vm = read_vm(&client, &uuid).await?;
    if quiesce_vm::find(&vm, &name).is_some() {
        return Ok(later(pending::pending("", None)));
    }
    Ok(answer(false, vm.properties.is_true("runtime.consolidationNeeded")))
}
