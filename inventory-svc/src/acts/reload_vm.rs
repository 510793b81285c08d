//! ReloadVm: vCenter reads a VM's files anew; the object with its permissions and history stays (safety.md S20).

use crate::{
    topology::{
        pb,
        read::{read_vm, read_vm_by_ref},
    },
    vcenter::Error,
    vcenters::Vcenters,
};
use strata_model::ErrorKind;

/// The act.
///
/// # Errors
/// A bad request, no such VM, or vCenter cannot read the files.
pub async fn run(vcenters: Vcenters, request: pb::ReloadVmRequest) -> Result<pb::ReloadVmResponse, Error> {
    let (client, uuid) = vcenters.with_child("vm", &request.vm, "vms")?;
    let vm = read_vm(&client, &uuid).await?;
    let object = format!("VM {}", vm.vm.display_name);
    match client.reload(&vm.moref, &object).await {
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            let task = client.reload_from_path(&vm.moref, &vm.vm.vmx_path, &object).await?;
            client.finish_task(&task, "reload", &object).await?;
        }
        other => other?,
    }
    Ok(pb::ReloadVmResponse { vm: Some(read_vm_by_ref(&client, &vm.moref).await?.vm) })
}
