//! Registers the copied VM, and takes it out of the inventory.

use super::{quiesce::to_output, wait};
use crate::{catalog::CloneIntent, deps::Deps, error::Result, ports::Progress as Answer};
use strata_proto::strata::inventory::v1::{PathMapping, RegisterVmRequest, UnregisterVmRequest};
use strata_saga::Progress;

/// Registers it; the output is the list of what was taken out of its configuration.
pub async fn run(deps: &Deps, intent: &CloneIntent, resume: Option<String>) -> Result<Progress> {
    let mapping = |(from, to): &(String, String)| PathMapping { from_path: from.clone(), to_path: to.clone() };
    let request = RegisterVmRequest {
        vcenter: intent.vcenter.clone(),
        key: intent.clone_id.clone(),
        vmx_path: intent.vmx_path.clone(),
        display_name: intent.display_name.clone(),
        folder_moref: intent.folder_moref.clone(),
        pool_moref: intent.pool_moref.clone(),
        host_moref: intent.host_moref.clone(),
        disks: intent.disks.iter().map(mapping).collect(),
        allowed_directories: intent.allowed_directories.clone(),
        resume: resume.unwrap_or_default(),
        forget_vm_snapshots: intent.forget_vm_snapshots,
        source_vmx_path: intent.source_vmx_path.clone(),
    };
    match deps.ports.inventory.register_vm(request).await? {
        Answer::Pending(still) => Ok(wait::pending(still)),
        Answer::Ready(answer) => to_output(&answer.stripped),
    }
}

/// Takes it out; its files stay.
pub async fn undo(deps: &Deps, intent: &CloneIntent) -> Result<Progress> {
    let request = UnregisterVmRequest {
        vcenter: intent.vcenter.clone(),
        key: intent.clone_id.clone(),
        vmx_path: intent.vmx_path.clone(),
    };
    deps.ports.inventory.unregister_vm(request).await?;
    Ok(Progress::done())
}
