//! Clones of single LUNs into the volumes of their sources. The mark and the volume stand in the LUN's comment.

use super::{
    Reference,
    client::{Change, pending},
    comment::{self, Comment},
    look, luns, name_rules, wire,
};
use crate::{
    driver::{CloneMember, CloneRemoval, CloneTarget, DriverError, Progress, Reason, VolumeCloneRequest},
    naming,
};
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;
use strata_model::mark::Mark;

/// The LUNs of a volume whose name was rendered for this key, whoever made them.
async fn by_key(array: &Reference, volume: &str, key: &str) -> Result<Vec<wire::Lun>, DriverError> {
    let rules = name_rules(&array.system().await?.capabilities);
    let mut found = luns::of_volume(array, volume).await?;
    found.retain(|lun| naming::is_for_key(&rules, &lun.name, key));
    Ok(found)
}

/// Refuses a LUN that does not carry this mark, made for the volume that it lies in (S2).
pub(super) fn check_ours(lun: &wire::Lun, mark: &Mark) -> Result<(), DriverError> {
    let comment = Comment::read(&lun.comment);
    if lun.origin.is_some() && comment.is_some_and(|it| it.belongs_to(mark) && it.is_for(&lun.volume_id)) {
        return Ok(());
    }
    let text =
        format!("LUN '{}' ({}) is no clone '{}' of this installation; it is left alone", lun.name, lun.id, mark.key);
    Err(DriverError::new(Reason::NotOurs, text))
}

fn is_from(lun: &wire::Lun, source: &str, target: &CloneTarget) -> bool {
    let origin = lun.origin.as_ref();
    origin.is_some_and(|it| it.lun_id == source && it.snapshot_id.as_deref() == Some(target.snapshot.as_str()))
}

pub(super) async fn ensure(
    array: &Reference,
    want: &VolumeCloneRequest,
) -> Result<Progress<Vec<CloneMember>>, DriverError> {
    naming::check_key(&want.mark.key)?;
    let volumes: BTreeSet<_> = want.targets.iter().map(|target| &target.volume).collect();
    if volumes.is_empty() || volumes.len() != want.targets.len() || want.targets.iter().any(|it| it.luns.is_empty()) {
        let text =
            format!("clone '{}' needs at least one LUN of each volume, and each volume only once", want.mark.key);
        return Err(DriverError::new(Reason::InvalidRequest, text));
    }
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let mut members = Vec::new();
    for target in &want.targets {
        match ensure_one(array, want, target).await? {
            Progress::Ready(member) => members.push(member),
            Progress::Pending { ask_again_after, resume, percent } => {
                return Ok(Progress::Pending { ask_again_after, resume, percent });
            }
        }
    }
    Ok(Progress::Ready(members))
}

async fn ensure_one(
    array: &Reference,
    want: &VolumeCloneRequest,
    target: &CloneTarget,
) -> Result<Progress<CloneMember>, DriverError> {
    let volume = look::volume(array, &target.volume).await?;
    let held = luns::of_snapshot(array, &target.volume, &target.snapshot).await?;
    let place = format!("snapshot '{}' of volume '{}'", target.snapshot, volume.name);
    let sources = luns::named(&held, &target.luns, &place)?;
    for _ in 0..=sources.len() {
        let found = by_key(array, &volume.id, &want.mark.key).await?;
        for lun in &found {
            check_ours(lun, &want.mark)?;
            if !sources.iter().any(|source| is_from(lun, &source.id, target)) {
                let text = format!("key '{}' names a clone of another LUN or snapshot; use another key", want.mark.key);
                return Err(DriverError::new(Reason::KeyReused, text));
            }
        }
        let of = |source: &wire::Lun| found.iter().find(|lun| is_from(lun, &source.id, target));
        let Some((index, source)) = sources.iter().enumerate().find(|(_, source)| of(source).is_none()) else {
            let groups = luns::groups(array).await?;
            let luns = sources.iter().filter_map(|source| of(source)).map(|lun| luns::to_lun(lun, &groups)).collect();
            let volume = look::to_volume(&array.system().await?, volume);
            return Ok(Progress::Ready(CloneMember { volume, directory: String::new(), copied_bytes: 0, luns }));
        };
        let can = array.system().await?.capabilities;
        let label = if sources.len() > 1 { format!("{index}-{}", want.label) } else { want.label.clone() };
        let body = json!({
            "name": naming::render(&name_rules(&can), &want.mark.key, &label),
            "comment": comment::write(&want.mark, [volume.id.as_str()], can.comment_max_bytes)?,
            "snapshot_id": target.snapshot.as_str(),
        });
        let path = format!("/luns/{}/clones", source.id);
        match array.client.change(Method::POST, &path, Some(body), "clone a LUN").await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(job)) => return Ok(pending(&job)),
            // Somebody was faster: looked at again.
            Err(error) if error.reason == Reason::TargetExists => {}
            Err(error) => return Err(error),
        }
    }
    let text = format!("clone '{}' comes and goes while it is made; try again", want.mark.key);
    Err(DriverError::new(Reason::Busy, text))
}

pub(super) async fn remove(array: &Reference, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
    naming::check_key(&want.mark.key)?;
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    for target in &want.targets {
        if look::find_volume(array, &target.volume).await?.is_none() {
            continue;
        }
        let found = by_key(array, target.volume.as_str(), &want.mark.key).await?;
        for lun in &found {
            check_ours(lun, &want.mark)?;
            if !lun.maps.is_empty() {
                let text = format!("LUN '{}' is mapped to hosts; take the export away first", lun.name);
                return Err(DriverError::new(Reason::Exported, text));
            }
        }
        for lun in found {
            match array.client.change(Method::DELETE, &format!("/luns/{}", lun.id), None, "delete a LUN").await {
                Ok(Change::Done) => {}
                Ok(Change::Queued(job)) => return Ok(pending(&job)),
                Err(error) if error.reason == Reason::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(Progress::Ready(()))
}
