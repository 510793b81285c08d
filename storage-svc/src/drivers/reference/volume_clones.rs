//! Clones of volumes.

use super::{
    Reference,
    client::{Change, pending},
    comment::{self, Comment},
    files, look, name_rules,
    wire::{self, Parent},
};
use crate::{
    driver::{CloneMember, CloneRemoval, CloneTarget, DriverError, Progress, Reason, VolumeCloneRequest},
    naming,
};
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;
use strata_model::mark::Mark;

/// All volumes whose name was rendered for this key, whoever made them.
async fn by_key(array: &Reference, key: &str) -> Result<Vec<wire::Volume>, DriverError> {
    let rules = name_rules(&array.system().await?.capabilities);
    let mut all = array.client.volumes("").await?;
    all.retain(|volume| naming::is_for_key(&rules, &volume.name, key));
    Ok(all)
}

/// The clone's provenance where it is ours: its mark, its source, and that it can be written (S2).
pub(super) fn check_ours<'v>(volume: &'v wire::Volume, mark: &Mark) -> Result<&'v Parent, DriverError> {
    let ours = |parent: &&Parent| {
        let comment = Comment::read(&volume.comment);
        !volume.read_only && comment.is_some_and(|it| it.belongs_to(mark) && it.is_for(&parent.volume_id))
    };
    volume.parent.as_ref().filter(ours).ok_or_else(|| {
        let text = format!(
            "volume '{}' ({}) is no clone '{}' of this installation; it is left alone",
            volume.name, volume.id, mark.key
        );
        DriverError::new(Reason::NotOurs, text)
    })
}

fn is_from(parent: &Parent, target: &CloneTarget) -> bool {
    parent.volume_id == target.volume.0 && parent.snapshot_id == target.snapshot.0
}

pub(super) async fn ensure(
    array: &Reference,
    want: &VolumeCloneRequest,
) -> Result<Progress<Vec<CloneMember>>, DriverError> {
    naming::check_key(&want.mark.key)?;
    let sources: BTreeSet<_> = want.targets.iter().map(|target| (&target.volume, &target.snapshot)).collect();
    if sources.is_empty() || sources.len() != want.targets.len() {
        let text = format!("clone '{}' needs at least one snapshot, and each only once", want.mark.key);
        return Err(DriverError::new(Reason::InvalidRequest, text));
    }
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let system = array.system().await?;
    for _ in 0..=want.targets.len() {
        let found = by_key(array, &want.mark.key).await?;
        for volume in &found {
            let parent = check_ours(volume, &want.mark)?;
            if !want.targets.iter().any(|target| is_from(parent, target)) {
                let text = format!("key '{}' names a clone of another snapshot; use another key", want.mark.key);
                return Err(DriverError::new(Reason::KeyReused, text));
            }
        }
        let of = |target: &CloneTarget| {
            found.iter().find(|volume| volume.parent.as_ref().is_some_and(|parent| is_from(parent, target)))
        };
        let Some((index, target)) = want.targets.iter().enumerate().find(|(_, target)| of(target).is_none()) else {
            let members = want.targets.iter().filter_map(of).map(|volume| CloneMember {
                volume: look::to_volume(&system, volume.clone()),
                directory: String::new(),
                copied_bytes: 0,
                luns: Vec::new(),
            });
            return Ok(Progress::Ready(members.collect()));
        };
        match make(array, want, index, target).await {
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

async fn make(
    array: &Reference,
    want: &VolumeCloneRequest,
    index: usize,
    target: &CloneTarget,
) -> Result<Change, DriverError> {
    let snapshot = files::snapshot(array, &target.volume, &target.snapshot).await?;
    let can = array.system().await?.capabilities;
    // Several volumes of one clone need names of their own.
    let label = if want.targets.len() > 1 { format!("{index}-{}", want.label) } else { want.label.clone() };
    let name = naming::render(&name_rules(&can), &want.mark.key, &label);
    let comment = comment::write(&want.mark, [target.volume.as_str()], can.comment_max_bytes)?;
    let path = format!("/volumes/{}/snapshots/{}/clones", target.volume, snapshot.id);
    let body = json!({"name": name, "comment": comment, "export_path": format!("/{name}")});
    array.client.change(Method::POST, &path, Some(body), "clone a volume").await
}

pub(super) async fn remove(array: &Reference, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
    naming::check_key(&want.mark.key)?;
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let found = by_key(array, &want.mark.key).await?;
    for volume in &found {
        let parent = check_ours(volume, &want.mark)?;
        if !want.targets.is_empty() && !want.targets.iter().any(|target| is_from(parent, target)) {
            let text = format!("clone '{}' was made of another snapshot than asked; it is left alone", want.mark.key);
            return Err(DriverError::new(Reason::KeyReused, text));
        }
        if !volume.clients.is_empty() {
            let text = format!(
                "clone '{}' is exported to {}; take the export away first",
                volume.name,
                volume.clients.join(", ")
            );
            return Err(DriverError::new(Reason::Exported, text));
        }
        check_no_snapshots(array, volume, parent).await?;
    }
    for volume in found {
        match array.client.change(Method::DELETE, &format!("/volumes/{}", volume.id), None, "delete a clone").await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(job)) => return Ok(pending(&job)),
            Err(error) if error.reason == Reason::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Progress::Ready(()))
}

/// The array removes a volume's snapshots with it. Those that a clone carried from its source may go; others are somebody's.
async fn check_no_snapshots(array: &Reference, clone: &wire::Volume, parent: &Parent) -> Result<(), DriverError> {
    let mut made_since = array.client.snapshots(&clone.id).await?;
    made_since.retain(|snapshot| snapshot.created_at >= clone.created_at);
    if made_since.is_empty() {
        return Ok(());
    }
    // A clock that stands still lets a carried one look as if made since.
    let of_source = array.client.snapshots(&parent.volume_id).await?;
    made_since.retain(|snapshot| !of_source.iter().any(|other| other.name == snapshot.name));
    if made_since.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = made_since.iter().map(|snapshot| snapshot.name.as_str()).collect();
    let text = format!(
        "clone '{}' has snapshots, which would go with it; remove these first: {}",
        clone.name,
        names.join(", ")
    );
    Err(DriverError::new(Reason::HasDependents, text))
}
