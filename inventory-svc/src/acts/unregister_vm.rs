//! UnregisterVm: takes a VM that Strata registered out of the inventory. Its files stay.

use super::own_vm;
use crate::{topology::pb, vcenter::Error, vcenters::Vcenters};

/// The act.
///
/// # Errors
/// A bad request, the VM is not ours, it runs, or vCenter refuses.
pub async fn run(vcenters: Vcenters, request: pb::UnregisterVmRequest) -> Result<pb::UnregisterVmResponse, Error> {
    let client = vcenters.by_name("vcenter", &request.vcenter)?;
    let key = own_vm::key("key", &request.key)?;
    let path = own_vm::vmx_path("vmx_path", &request.vmx_path)?;
    let Some(vm) = own_vm::find(&client, &path, key).await? else {
        own_vm::refuse_moved(&client, &path, key).await?;
        return Ok(pb::UnregisterVmResponse { absent: true });
    };
    super::move_disks::must_be_off(&vm)?;
    match client.unregister(&vm.moref, &format!("VM {}", vm.vm.display_name)).await {
        Err(error) if error.is_fault("ManagedObjectNotFound") => {}
        other => other?,
    }
    Ok(pb::UnregisterVmResponse { absent: false })
}
