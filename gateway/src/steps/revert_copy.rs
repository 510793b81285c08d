//! Inside the copy of a frozen VM: back to the VMware snapshot, whose image is the quiesced one, and the VMware snapshots
//! away (safety.md S12). Without this the clone would run on what was written after the freeze.

use super::wait;
use crate::{catalog::CloneIntent, deps::Deps, error::Result};
use strata_proto::strata::inventory::v1::{OwnVm, RemoveVmSnapshotsRequest, RevertVmSnapshotRequest};
use strata_saga::Progress;

fn own_vm(intent: &CloneIntent) -> OwnVm {
    OwnVm { vcenter: intent.vcenter.clone(), key: intent.clone_id.clone(), vmx_path: intent.vmx_path.clone() }
}

/// Reverts the copy; repeated it reverts again, to the same image.
pub async fn run(deps: &Deps, intent: &CloneIntent, resume: Option<String>) -> Result<Progress> {
    let request = RevertVmSnapshotRequest {
        own_vm: Some(own_vm(intent)),
        vm_snapshot_name: intent.good_vm_snapshot.clone().unwrap_or_default(),
        resume: resume.unwrap_or_default(),
    };
    Ok(wait::done(deps.ports.inventory.revert_vm_snapshot(request).await?))
}

/// Removes the copy's VMware snapshots; its disks keep the reverted image.
pub async fn discard(deps: &Deps, intent: &CloneIntent, resume: Option<String>) -> Result<Progress> {
    let request = RemoveVmSnapshotsRequest {
        vm: String::new(),
        resume: resume.unwrap_or_default(),
        own_vm: Some(own_vm(intent)),
    };
    Ok(wait::done(deps.ports.inventory.remove_vm_snapshots(request).await?))
}
