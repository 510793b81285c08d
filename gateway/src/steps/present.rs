//! Mounts cloned volumes as datastores on hosts, and unmounts them.

use super::{export::Exports, wait};
use crate::{catalog::CloneIntent, deps::Deps, error::Result, ports::Progress as Answer};
use strata_proto::strata::inventory::v1::{
    DetachDatastoreRequest, NfsBacking, PresentVolumeRequest, detach_datastore_request::Backing,
    present_volume_request::Source,
};
use strata_saga::Progress;

fn backing(export: &(String, String), version: &str) -> NfsBacking {
    let (host, path) = export.clone();
    NfsBacking { hosts: vec![host.clone()], host, path, version: version.to_owned() }
}

/// Mounts every export on every host of the intent.
pub async fn run(deps: &Deps, intent: &CloneIntent, exports: &Exports, resume: Option<String>) -> Result<Progress> {
    for (index, (target, export)) in intent.nfs_targets().zip(exports).enumerate() {
        let request = PresentVolumeRequest {
            vcenter: intent.vcenter.clone(),
            datastore_name: target.datastore.clone(),
            source: Some(Source::Nfs(backing(export, &target.nfs_version))),
            host_morefs: intent.hosts.iter().map(|(host, _)| host.clone()).collect(),
            resume: wait::resume_of(resume.as_deref(), index),
            ..PresentVolumeRequest::default()
        };
        if let Answer::Pending(still) = deps.ports.inventory.present_volume(request).await? {
            return Ok(wait::pending_at(index, still));
        }
    }
    Ok(Progress::done())
}

/// Unmounts them on every host; a host that does not answer fails it, with its name (safety.md S19).
pub async fn undo(deps: &Deps, intent: &CloneIntent, exports: &Exports, resume: Option<String>) -> Result<Progress> {
    for (index, (target, export)) in intent.nfs_targets().zip(exports).enumerate() {
        let request = DetachDatastoreRequest {
            vcenter: intent.vcenter.clone(),
            datastore_name: target.datastore.clone(),
            backing: Some(Backing::Nfs(backing(export, &target.nfs_version))),
            resume: wait::resume_of(resume.as_deref(), index),
            ..DetachDatastoreRequest::default()
        };
        if let Answer::Pending(still) = deps.ports.inventory.detach_datastore(request).await? {
            return Ok(wait::pending_at(index, still));
        }
    }
    Ok(Progress::done())
}
