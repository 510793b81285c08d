//! Removes a VM's VMware snapshots before a revert (safety.md S24).

use super::wait;
use crate::{deps::Deps, error::Result};
use strata_proto::strata::inventory::v1::RemoveVmSnapshotsRequest;
use strata_saga::Progress;

/// Removes them all.
pub async fn run(deps: &Deps, vm: &str, resume: Option<String>) -> Result<Progress> {
    let request = RemoveVmSnapshotsRequest { vm: vm.to_owned(), resume: resume.unwrap_or_default(), own_vm: None };
    Ok(wait::done(deps.ports.inventory.remove_vm_snapshots(request).await?))
}
