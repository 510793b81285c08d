//! Mounts cloned volumes as datastores on hosts, and unmounts them.

use super::export::Exports;
use crate::{catalog::CloneIntent, deps::Deps, error::Result};
use strata_proto::strata::inventory::v1::{DetachDatastoreRequest, NfsBacking, PresentVolumeRequest};
use strata_saga::Progress;

fn backing(export: &(String, String), version: &str) -> NfsBacking {
    let (host, path) = export.clone();
    NfsBacking { hosts: vec![host.clone()], host, path, version: version.to_owned() }
}

/// Mounts every export on every host of the intent.
pub async fn run(deps: &Deps, intent: &CloneIntent, exports: &Exports) -> Result<Progress> {
    for (target, export) in intent.targets.iter().zip(exports) {
        let request = PresentVolumeRequest {
            vcenter: intent.vcenter.clone(),
            datastore_name: target.datastore.clone(),
            nfs: Some(backing(export, &target.nfs_version)),
            host_morefs: intent.hosts.iter().map(|(host, _)| host.clone()).collect(),
        };
        deps.ports.inventory.present_volume(request).await?;
    }
    Ok(Progress::done())
}

/// Unmounts them on every host; a host that does not answer fails it, with its name (safety.md S19).
pub async fn undo(deps: &Deps, intent: &CloneIntent, exports: &Exports) -> Result<Progress> {
    for (target, export) in intent.targets.iter().zip(exports) {
        let request = DetachDatastoreRequest {
            vcenter: intent.vcenter.clone(),
            datastore_name: target.datastore.clone(),
            nfs: Some(backing(export, &target.nfs_version)),
        };
        deps.ports.inventory.detach_datastore(request).await?;
    }
    Ok(Progress::done())
}
