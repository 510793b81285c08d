//! Gives a clone its own uuids, name and MAC addresses, with its adapters disconnected (safety.md S17).

use super::quiesce::to_output;
use crate::{
    catalog::CloneIntent,
    deps::Deps,
    error::{GatewayError, Result},
};
use serde::{Deserialize, Serialize};
use strata_proto::strata::inventory::v1::SetVmIdentityRequest;
use strata_saga::Progress;

/// Who it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `vcenters/{vcenter}/vms/{instance_uuid}`.
    pub vm: String,
    /// Its MAC addresses.
    pub mac_addresses: Vec<String>,
}

/// Sets it.
pub async fn run(deps: &Deps, intent: &CloneIntent) -> Result<Progress> {
    let request = SetVmIdentityRequest {
        vcenter: intent.vcenter.clone(),
        key: intent.clone_id.clone(),
        vmx_path: intent.vmx_path.clone(),
        bios_uuid: intent.bios_uuid.clone(),
        instance_uuid: intent.instance_uuid.clone(),
        display_name: intent.display_name.clone(),
        new_mac_addresses: true,
        disconnect_adapters: true,
        annotation: format!("clone {} of restore point {} made by Strata", intent.clone_id, intent.snapshot_id),
    };
    let answer = deps.ports.inventory.set_vm_identity(request).await?;
    let vm = answer.vm.ok_or_else(|| GatewayError::unexpected("inventory-svc answered an identity without its VM"))?;
    let mac_addresses = answer.network_adapters.into_iter().map(|adapter| adapter.mac_address).collect();
    to_output(&Identity { vm: vm.name, mac_addresses })
}
