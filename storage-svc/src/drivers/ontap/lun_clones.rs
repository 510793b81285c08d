//! Clones of single LUNs into the volume of their source. Each bears its mark in its comment, with the digest of what it was made
//! from: a LUN does not tell its source afterwards.

use super::{
    Ontap,
    client::{Change, WAIT},
    comment::{Comment, digest},
    job::{pending, settle, settle_removal},
    luns,
    names::LUNS,
    snapshots,
    volume_clones::check_targets,
    volumes::{self, Teller},
    wire,
};
use crate::{
    driver::{CloneMember, CloneRemoval, CloneTarget, DriverError, Progress, Reason, VolumeCloneRequest},
    naming,
    rel_path::RelPath,
};
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;
use strata_model::{ids::VolumeId, mark::Mark};

fn source_of(target: &CloneTarget, path: &str) -> String {
    digest(&format!("{} {path}", target.snapshot))
}

/// The LUNs of a key among those of a volume, all of them ours.
fn ours<'l>(
    all: &'l [wire::Lun],
    volume: &wire::Volume,
    mark: &Mark,
) -> Result<Vec<(&'l wire::Lun, Comment)>, DriverError> {
    let last = |lun: &'l wire::Lun| lun.name.rsplit('/').next().unwrap_or_default();
    all.iter()
        .filter(|lun| naming::is_for_key(&LUNS, last(lun), &mark.key))
        .map(|lun| {
            let comment = Comment::read(&lun.comment).filter(|it| it.belongs_to(mark) && it.is_for(&volume.uuid));
            comment.map(|comment| (lun, comment)).ok_or_else(|| {
                let text =
                    format!("LUN '{}' is no clone '{}' of this installation; it is left alone", lun.name, mark.key);
                DriverError::new(Reason::NotOurs, text)
            })
        })
        .collect()
}

fn reused(mark: &Mark) -> DriverError {
    let text = format!("key '{}' names clones of other LUNs; use another key", mark.key);
    DriverError::new(Reason::KeyReused, text)
}

pub(super) async fn ensure(
    array: &Ontap,
    want: &VolumeCloneRequest,
) -> Result<Progress<Vec<CloneMember>>, DriverError> {
    check_targets(want)?;
    let volumes: BTreeSet<&VolumeId> = want.targets.iter().map(|target| &target.volume).collect();
    if volumes.len() != want.targets.len() {
        let text = format!("clone '{}' names a volume twice; take all its LUNs from one snapshot", want.mark.key);
        return Err(DriverError::new(Reason::InvalidRequest, text));
    }
    for target in &want.targets {
        let paths: BTreeSet<&String> = target.luns.iter().collect();
        if paths.is_empty() || paths.len() != target.luns.len() {
            let text = format!("clone '{}' needs at least one LUN a volume, and each only once", want.mark.key);
            return Err(DriverError::new(Reason::InvalidRequest, text));
        }
        paths.into_iter().try_for_each(|path| RelPath::parse(path).map(drop))?;
    }
    if let Some(waiting) = settle(array, want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let teller = Teller::new(array).await?;
    let mut members = Vec::new();
    for target in &want.targets {
        let volume = volumes::get(array, &target.volume).await?;
        volumes::check_read_write(array, &volume).await?;
        if let Some(job) = ensure_one(array, want, target, &volume).await? {
            return Ok(pending(&job));
        }
        let all = luns::of_volume(array, &volume.uuid).await?;
        let made = ours(&all, &volume, &want.mark)?;
        let mut asked = Vec::new();
        for path in &target.luns {
            let source = Some(source_of(target, path));
            match made.iter().find(|(_, comment)| comment.source == source) {
                Some((lun, _)) => asked.push((*lun).clone()),
                None => {
                    let text = format!("the clone of LUN '{path}' comes and goes while it is made; try again");
                    return Err(DriverError::new(Reason::Busy, text));
                }
            }
        }
        members.push(CloneMember {
            volume: teller.tell(volume),
            directory: String::new(),
            copied_bytes: 0,
            luns: luns::tell(array, asked).await?,
        });
    }
    Ok(Progress::Ready(members))
}

/// Makes what is missing of one volume's LUNs. Returns a job where the array works later.
async fn ensure_one(
    array: &Ontap,
    want: &VolumeCloneRequest,
    target: &CloneTarget,
    volume: &wire::Volume,
) -> Result<Option<String>, DriverError> {
    let all = luns::of_volume(array, &volume.uuid).await?;
    let made: BTreeSet<Option<String>> =
        ours(&all, volume, &want.mark)?.into_iter().map(|(_, comment)| comment.source).collect();
    let wanted: BTreeSet<Option<String>> = target.luns.iter().map(|path| Some(source_of(target, path))).collect();
    if !made.is_subset(&wanted) {
        return Err(reused(&want.mark));
    }
    let missing = target.luns.iter().enumerate().filter(|(_, path)| !made.contains(&Some(source_of(target, path))));
    let missing: Vec<(usize, &String)> = missing.collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let snapshot = snapshots::get(array, &target.volume, &target.snapshot).await?;
    for (index, path) in missing {
        let name = naming::render(&LUNS, &want.mark.key, &format!("{index}-{}", want.label));
        let comment = Comment::new(&want.mark, [volume.uuid.as_str()]).with_source(source_of(target, path));
        let body = json!({
            "svm": {"name": volume.svm.name},
            "name": format!("/vol/{}/{name}", volume.name),
            "comment": comment.write()?,
            "clone": {"source": {"name": in_snapshot(volume, &snapshot, path)}},
        });
        match array.client.change(Method::POST, &format!("/storage/luns?{WAIT}"), Some(body), "clone a LUN").await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(job)) => return Ok(Some(job)),
            Err(error) if error.reason == Reason::TargetExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// How a LUN of a snapshot is named as a source.
pub(super) fn in_snapshot(volume: &wire::Volume, snapshot: &wire::Snapshot, path: &str) -> String {
    format!("/vol/{}/.snapshot/{}/{path}", volume.name, snapshot.name)
}

pub(super) async fn remove(array: &Ontap, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
    naming::check_key(&want.mark.key)?;
    if let Some(waiting) = settle_removal(array, want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let ids: BTreeSet<&VolumeId> = want.targets.iter().map(|target| &target.volume).collect();
    let mut present = Vec::new();
    for id in ids {
        let Some(volume) = volumes::find(array, id).await? else { continue };
        let targets = || want.targets.iter().filter(|target| target.volume == *id);
        let wanted: BTreeSet<Option<String>> =
            targets().flat_map(|target| target.luns.iter().map(|path| Some(source_of(target, path)))).collect();
        let sources_told = targets().all(|target| !target.snapshot.as_str().is_empty());
        let all = luns::of_volume(array, &volume.uuid).await?;
        for (lun, comment) in ours(&all, &volume, &want.mark)? {
            if sources_told && !wanted.contains(&comment.source) {
                return Err(reused(&want.mark));
            }
            if let Some(map) = lun.lun_maps.first() {
                let text =
                    format!("LUN '{}' is mapped to igroup '{}'; take the export away first", lun.name, map.igroup.name);
                return Err(DriverError::new(Reason::Exported, text));
            }
            present.push(lun.uuid.clone());
        }
    }
    // Checked all before the first goes.
    for uuid in present {
        match array.client.change(Method::DELETE, &format!("/storage/luns/{uuid}?{WAIT}"), None, "delete a LUN").await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(job)) => return Ok(pending(&job)),
            Err(error) if error.reason == Reason::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Progress::Ready(()))
}
