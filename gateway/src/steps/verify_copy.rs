//! Proof that a mounted copy holds the VM that it is taken for (safety.md S5). Arrays cannot read files in LUNs, so this can
//! only be told once vCenter shows the copy; nothing of it is used before.

use super::verify;
use crate::{
    catalog::{AttachedVmfs, CloneIntent},
    deps::Deps,
    error::{GatewayError, Result},
};
use strata_model::DatastorePath;
use strata_proto::strata::inventory::v1::ReadVmFileRequest;

/// Reads the .vmx in the copy and compares; one on NFS was read in the snapshot.
pub async fn run(deps: &Deps, intent: &CloneIntent, attached: &[AttachedVmfs]) -> Result<()> {
    let path: DatastorePath = intent.vmx_path.parse().map_err(GatewayError::unexpected)?;
    let Some(store) = attached.iter().find(|store| store.datastore == path.datastore) else { return Ok(()) };
    let request = ReadVmFileRequest {
        vcenter: intent.vcenter.clone(),
        datastore: store.datastore_name.clone(),
        path: path.path.clone(),
    };
    let content = deps.ports.inventory.read_vm_file(request).await?.content;
    let found = verify::bios_uuid(&content);
    if verify::is_same_uuid(&found, &intent.expected_bios_uuid) {
        return Ok(());
    }
    let message = format!(
        "{path} in the copy is not of the VM that was snapshotted: its uuid.bios is '{found}' and {} was recorded; nothing \
         was done with it",
        intent.expected_bios_uuid
    );
    Err(GatewayError::conflict("NOT_THE_SAME_VM", message).with("vm", &intent.source_vm).with("file", path.to_string()))
}
