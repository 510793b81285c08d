//! Shows cloned LUNs to the hosts of the intent and to nobody else, and takes them away in the one order that hangs no host
//! (safety.md S19): let go, unmap, forget.

use super::{
    array_clone::{CloneOutput, ClonedLun},
    attach,
    quiesce::to_output,
    wait,
};
use crate::{
    catalog::{AttachedVmfs, CloneIntent},
    deps::Deps,
    error::{GatewayError, Result},
    layout::array_name,
    ports::Progress as Answer,
};
use std::collections::BTreeMap;
use strata_proto::strata::storage::v1::{EnsureExportRequest, HostInitiators, RemoveExportRequest};
use strata_saga::Progress;

/// The cloned LUNs of each volume that was cut, with the names that hosts give them.
pub type Mapped = BTreeMap<String, Vec<ClonedLun>>;

/// Maps them.
pub async fn run(deps: &Deps, intent: &CloneIntent, cloned: &CloneOutput, resume: Option<String>) -> Result<Progress> {
    let hosts: Vec<HostInitiators> = intent
        .lun_hosts
        .iter()
        .map(|host| HostInitiators { host: host.name.clone(), initiators: host.initiators.clone() })
        .collect();
    let mut mapped = Mapped::new();
    for (index, target) in intent.lun_targets().enumerate() {
        let (volume, luns) = cloned.luns_of(&target.volume)?;
        let request = EnsureExportRequest {
            array: array_name(&volume)?,
            key: intent.clone_id.clone(),
            label: intent.display_name.clone(),
            mark: Some(deps.mark()),
            volume: volume.clone(),
            lun_paths: luns.iter().map(|lun| lun.path.clone()).collect(),
            hosts: hosts.clone(),
            resume: wait::resume_of(resume.as_deref(), index),
            ..Default::default()
        };
        let answer = match deps.ports.storage.ensure_export(request).await? {
            Answer::Ready(answer) => answer,
            Answer::Pending(still) => return Ok(wait::pending_at(index, still)),
        };
        if answer.luns.len() != luns.len() {
            let text = format!("storage-svc mapped {} of {} LUNs of {volume}", answer.luns.len(), luns.len());
            return Err(GatewayError::unexpected(text));
        }
        let named = luns.iter().zip(answer.luns);
        let named = named.map(|(lun, shown)| ClonedLun { canonical_name: shown.canonical_name, ..lun.clone() });
        mapped.insert(target.volume.clone(), named.collect());
    }
    to_output(&mapped)
}

/// Takes them from every host, in the order of the module. Each part finds what an earlier try did.
pub async fn undo(deps: &Deps, intent: &CloneIntent, cloned: &CloneOutput, resume: Option<String>) -> Result<Progress> {
    let stores = attach::recognise(deps, intent, &attach::known(intent, &cloned.luns)).await?;
    take_away(deps, intent, cloned, &stores, resume).await
}

/// The same, for file systems that were seen.
pub async fn take_away(
    deps: &Deps,
    intent: &CloneIntent,
    cloned: &CloneOutput,
    stores: &[AttachedVmfs],
    resume: Option<String>,
) -> Result<Progress> {
    let luns: Vec<(String, Vec<String>)> = intent
        .lun_targets()
        .filter_map(|target| cloned.luns_of(&target.volume).ok())
        .map(|(volume, luns)| (volume, luns.into_iter().map(|lun| lun.path).collect()))
        .collect();
    for (index, phase) in [Phase::LetGo, Phase::Unmap, Phase::Forget].into_iter().enumerate() {
        let resume = wait::resume_of(resume.as_deref(), index);
        let resume = (!resume.is_empty()).then_some(resume);
        let progress = match phase {
            // Its file system may never have been seen: a host that rescanned by itself sees the devices all the same.
            Phase::LetGo => attach::let_go(deps, intent, stores, resume).await?,
            Phase::Unmap => unmap(deps, intent, &luns, resume).await?,
            Phase::Forget => attach::forget(deps, intent, stores, resume).await?,
        };
        if let Progress::Pending { ask_again_after, resume, percent } = progress {
            return Ok(Progress::Pending { ask_again_after, resume: format!("{index} {resume}"), percent });
        }
    }
    Ok(Progress::done())
}

enum Phase {
    LetGo,
    Unmap,
    Forget,
}

/// Has the array take LUNs from all hosts: volume of the clone, and paths within it. Only after the hosts let go.
pub async fn unmap(
    deps: &Deps,
    intent: &CloneIntent,
    luns: &[(String, Vec<String>)],
    resume: Option<String>,
) -> Result<Progress> {
    for (index, (volume, paths)) in luns.iter().enumerate() {
        let request = RemoveExportRequest {
            array: array_name(volume)?,
            key: intent.clone_id.clone(),
            label: intent.display_name.clone(),
            mark: Some(deps.mark()),
            volume: volume.clone(),
            lun_paths: paths.clone(),
            resume: wait::resume_of(resume.as_deref(), index),
        };
        if let Answer::Pending(still) = deps.ports.storage.remove_export(request).await? {
            return Ok(wait::pending_at(index, still));
        }
    }
    Ok(Progress::done())
}
