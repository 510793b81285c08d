//! Clones on the array: files into directories of their own, whole volumes, or LUNs beside their sources.

use super::{quiesce::to_output, wait};
use crate::{
    catalog::{CloneIntent, CloneTarget},
    deps::Deps,
    error::{GatewayError, Result},
    layout::array_name,
    ledger::{OwnedEntry, OwnedKind, Stage},
    ports::Progress as Answer,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use strata_proto::strata::{
    common::v1::Pending,
    storage::v1::{self as sto, EnsureCloneRequest, FileMapping, RemoveCloneRequest},
};
use strata_saga::Progress;

/// What was cloned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneOutput {
    /// For each target of the intent: the volume that holds the clone.
    pub volumes: BTreeMap<String, String>,
    /// Bytes that were copied instead of shared.
    pub copied_bytes: u64,
    /// For block storage, by the volume that was cut: the cloned LUNs.
    #[serde(default)]
    pub luns: BTreeMap<String, Vec<ClonedLun>>,
}

/// A cloned LUN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClonedLun {
    /// Path of its source within the volume that was cut.
    pub source_path: String,
    /// Its own path within the clone's volume.
    pub path: String,
    /// As hosts show it; empty where the array tells only once it is mapped.
    pub canonical_name: String,
}

impl CloneOutput {
    /// The clone's volume and its LUNs, of a volume that was cut.
    ///
    /// # Errors
    /// There are none.
    pub fn luns_of(&self, source: &str) -> Result<(String, Vec<ClonedLun>)> {
        let volume = self.volumes.get(source).filter(|volume| !volume.is_empty()).cloned();
        let found = volume.zip(self.luns.get(source).cloned());
        found.ok_or_else(|| GatewayError::unexpected(format!("the clone of {source} has no LUNs")))
    }
}

/// The targets by array. A clone of a volume is one, however many datastores lie on it.
fn by_array(intent: &CloneIntent) -> Result<BTreeMap<String, Vec<&CloneTarget>>> {
    let mut arrays: BTreeMap<String, Vec<&CloneTarget>> = BTreeMap::new();
    for target in &intent.targets {
        let targets = arrays.entry(array_name(&target.volume)?).or_default();
        if !intent.by_volume || targets.iter().all(|known| known.volume != target.volume) {
            targets.push(target);
        }
    }
    Ok(arrays)
}

fn to_proto(target: &CloneTarget) -> sto::CloneTarget {
    let mapping = |(from, to): &(String, String)| FileMapping { from_path: from.clone(), to_path: to.clone() };
    sto::CloneTarget {
        volume: target.volume.clone(),
        snapshot_id: target.snapshot_id.clone(),
        to_directory: target.to_directory.clone(),
        files: target.files.iter().map(mapping).collect(),
        lun_paths: target.lun_paths.clone(),
        luns_in_place: target.luns_in_place,
    }
}

fn owned(
    deps: &Deps,
    operation: &str,
    intent: &CloneIntent,
    array: &str,
    targets: &[&CloneTarget],
    stage: Stage,
) -> OwnedEntry {
    let volumes: BTreeSet<String> = targets.iter().map(|target| target.volume.clone()).collect();
    OwnedEntry {
        array: array.to_owned(),
        kind: kind(targets),
        key: intent.clone_id.clone(),
        label: intent.display_name.clone(),
        volumes: volumes.into_iter().collect(),
        operation: operation.to_owned(),
        generation: deps.generation,
        stage,
    }
}

/// One array clones all of its parts in one way.
fn kind(targets: &[&CloneTarget]) -> OwnedKind {
    match targets.first() {
        Some(target) if target.luns_in_place => OwnedKind::LunClone,
        Some(target) if !target.to_directory.is_empty() => OwnedKind::FileClone,
        _ => OwnedKind::VolumeClone,
    }
}

fn cloned_luns(target: &CloneTarget, member: &sto::ArrayCloneMember) -> Result<Vec<ClonedLun>> {
    if member.luns.len() != target.lun_paths.len() {
        let text = format!("{} of {} LUNs of {} were cloned", member.luns.len(), target.lun_paths.len(), target.volume);
        return Err(GatewayError::unexpected(text));
    }
    let pairs = target.lun_paths.iter().zip(&member.luns);
    Ok(pairs
        .map(|(source_path, lun)| ClonedLun {
            source_path: source_path.clone(),
            path: lun.path.clone(),
            canonical_name: lun.canonical_name.clone(),
        })
        .collect())
}

/// Makes it.
pub async fn run(deps: &Deps, operation: &str, intent: &CloneIntent, resume: Option<String>) -> Result<Progress> {
    let mut output = CloneOutput::default();
    for (index, (array, targets)) in by_array(intent)?.into_iter().enumerate() {
        deps.ledger.write(&owned(deps, operation, intent, &array, &targets, Stage::Intended)).await?;
        let request = EnsureCloneRequest {
            array: array.clone(),
            key: intent.clone_id.clone(),
            label: intent.display_name.clone(),
            mark: Some(deps.mark()),
            targets: targets.iter().map(|target| to_proto(target)).collect(),
            resume: wait::resume_of(resume.as_deref(), index),
        };
        let clone = match deps.ports.storage.ensure_clone(request).await? {
            Answer::Pending(still) => return Ok(wait::pending_at(index, still)),
            Answer::Ready(clone) => clone,
        };
        deps.ledger.note(&owned(deps, operation, intent, &array, &targets, Stage::Present)).await?;
        for (target, member) in targets.iter().zip(&clone.members) {
            output.copied_bytes += member.copied_bytes;
            let volume = member.volume.as_ref().map(|volume| volume.name.clone()).unwrap_or_default();
            output.volumes.insert(target.volume.clone(), volume);
            if !target.lun_paths.is_empty() {
                output.luns.insert(target.volume.clone(), cloned_luns(target, member)?);
            }
        }
    }
    to_output(&output)
}

/// Takes back what was begun. `answered`: the making's outcome is known, so nothing can arrive late.
pub async fn undo(
    deps: &Deps,
    operation: &str,
    intent: &CloneIntent,
    resume: Option<String>,
    answered: bool,
) -> Result<Progress> {
    take_away(deps, operation, intent, resume, answered, Strangers::AreAbsence).await
}

/// Removes a clone that was finished.
pub async fn remove(deps: &Deps, operation: &str, intent: &CloneIntent, resume: Option<String>) -> Result<Progress> {
    take_away(deps, operation, intent, resume, true, Strangers::AreErrors).await
}

/// What it means that something in the clone's place does not carry its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strangers {
    /// The making was refused because of it: ours is not there.
    AreAbsence,
    /// Somebody exchanged what was made: a person must look.
    AreErrors,
}

async fn take_away(
    deps: &Deps,
    operation: &str,
    intent: &CloneIntent,
    resume: Option<String>,
    answered: bool,
    strangers: Strangers,
) -> Result<Progress> {
    for (index, (array, targets)) in by_array(intent)?.into_iter().enumerate() {
        deps.ledger.note(&owned(deps, operation, intent, &array, &targets, Stage::Removing)).await?;
        let resume = wait::resume_of(resume.as_deref(), index);
        let mut removed = remove_targets(deps, intent, &array, &targets, resume).await;
        if strangers == Strangers::AreAbsence && is_not_ours(&removed) {
            removed = remove_one_by_one(deps, intent, &array, &targets).await;
        }
        if let Answer::Pending(still) = removed? {
            return Ok(wait::pending_at(index, still));
        }
        if answered {
            deps.ledger.strike(&array, kind(&targets), &intent.clone_id).await?;
        } else {
            deps.ledger.note(&owned(deps, operation, intent, &array, &targets, Stage::AbsentUnconfirmed)).await?;
        }
    }
    Ok(Progress::done())
}

async fn remove_targets(
    deps: &Deps,
    intent: &CloneIntent,
    array: &str,
    targets: &[&CloneTarget],
    resume: String,
) -> Result<Answer<()>> {
    let request = RemoveCloneRequest {
        array: array.to_owned(),
        key: intent.clone_id.clone(),
        label: intent.display_name.clone(),
        mark: Some(deps.mark()),
        targets: targets.iter().map(|target| to_proto(target)).collect(),
        resume,
    };
    Ok(match deps.ports.storage.remove_clone(request).await? {
        Answer::Pending(still) => Answer::Pending(still),
        Answer::Ready(_) => Answer::Ready(()),
    })
}

/// A stranger in one place must not keep what is ours in the others.
async fn remove_one_by_one(
    deps: &Deps,
    intent: &CloneIntent,
    array: &str,
    targets: &[&CloneTarget],
) -> Result<Answer<()>> {
    for target in targets {
        let removed = remove_targets(deps, intent, array, &[target], String::new()).await;
        if is_not_ours(&removed) {
            continue;
        }
        if let Answer::Pending(still) = removed? {
            // Its resume would be sent with all targets; asked without one, the array is looked at anew.
            return Ok(Answer::Pending(Pending { resume: String::new(), ..still }));
        }
    }
    Ok(Answer::Ready(()))
}

fn is_not_ours<T>(removed: &Result<T>) -> bool {
    removed.as_ref().is_err_and(|error| error.reason == "NOT_OURS")
}
