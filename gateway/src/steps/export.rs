//! Makes cloned volumes reachable for hosts, and takes that away.

use super::{array_clone::CloneOutput, quiesce::to_output, wait};
use crate::{
    catalog::CloneIntent,
    deps::Deps,
    error::{GatewayError, Result},
    layout::array_name,
    ports::Progress as Answer,
};
use strata_proto::strata::storage::v1::{EnsureExportRequest, RemoveExportRequest};
use strata_saga::Progress;

/// Server and path of each target on NFS, in order: what hosts mount.
pub type Exports = Vec<(String, String)>;

/// Exports every clone volume to the hosts of the intent.
pub async fn run(deps: &Deps, intent: &CloneIntent, cloned: &CloneOutput, resume: Option<String>) -> Result<Progress> {
    let mut clients: Vec<String> = intent.hosts.iter().flat_map(|(_, addresses)| addresses.clone()).collect();
    clients.sort();
    clients.dedup();
    let mut exports = Exports::new();
    for (index, target) in intent.nfs_targets().enumerate() {
        let volume = volume_of(cloned, &target.volume)?;
        let request = EnsureExportRequest {
            array: array_name(&volume)?,
            key: intent.clone_id.clone(),
            label: intent.display_name.clone(),
            mark: Some(deps.mark()),
            volume,
            clients: clients.clone(),
            resume: wait::resume_of(resume.as_deref(), index),
            ..Default::default()
        };
        let answer = match deps.ports.storage.ensure_export(request).await? {
            Answer::Ready(answer) => answer,
            Answer::Pending(still) => return Ok(wait::pending_at(index, still)),
        };
        let nfs =
            answer.nfs.ok_or_else(|| GatewayError::unexpected("storage-svc answered an export without its path"))?;
        let path = match target.path_in_volume.trim_matches('/') {
            "" => nfs.path,
            inside => format!("{}/{inside}", nfs.path.trim_end_matches('/')),
        };
        exports.push((nfs.host, path));
    }
    to_output(&exports)
}

/// Takes the exports away; a volume that is absent has none.
pub async fn undo(
    deps: &Deps,
    intent: &CloneIntent,
    volumes: impl Iterator<Item = &String>,
    resume: Option<String>,
) -> Result<Progress> {
    for (index, volume) in volumes.enumerate() {
        let request = RemoveExportRequest {
            array: array_name(volume)?,
            key: intent.clone_id.clone(),
            label: intent.display_name.clone(),
            mark: Some(deps.mark()),
            volume: volume.clone(),
            resume: wait::resume_of(resume.as_deref(), index),
            ..Default::default()
        };
        if let Answer::Pending(still) = deps.ports.storage.remove_export(request).await? {
            return Ok(wait::pending_at(index, still));
        }
    }
    Ok(Progress::done())
}

fn volume_of(cloned: &CloneOutput, source: &str) -> Result<String> {
    let found = cloned.volumes.get(source).filter(|volume| !volume.is_empty()).cloned();
    found.ok_or_else(|| GatewayError::unexpected(format!("the clone of {source} has no volume")))
}
