//! Snapshots: list and make. A set of volumes is one group of the array where it has groups; elsewhere one after the other, and
//! the array's own times tell the skew.

use super::{
    Reference,
    client::{Change, paged, pending},
    comment::{self, Comment},
    look, name_rules,
    wire::{self, Snapshots},
};
use crate::{
    driver::{DriverError, Page, PageRequest, Progress, Reason, Snapshot, SnapshotMember, SnapshotRequest},
    naming,
};
use http::Method;
use serde_json::json;
use std::time::Duration;
use strata_model::{
    ids::{ArraySnapshotId, VolumeId},
    mark::Mark,
};

pub(super) async fn list(array: &Reference, id: &VolumeId, page: &PageRequest) -> Result<Page<Snapshot>, DriverError> {
    let volume = look::volume(array, id).await?;
    let path = paged(&format!("/volumes/{id}/snapshots"), "", page.token.as_deref(), Some(page.size));
    let found: Snapshots = array.client.get(&path, "list a volume's snapshots").await?;
    let items = found.snapshots.into_iter().map(|snapshot| to_snapshot(vec![snapshot], volume.read_only)).collect();
    Ok(Page { items, next: found.next_cursor })
}

/// A volume's snapshot of a key, with whatever label and whoever made it.
pub(super) async fn find_by_key(
    array: &Reference,
    volume: &str,
    key: &str,
) -> Result<Option<wire::Snapshot>, DriverError> {
    let rules = name_rules(&array.system().await?.capabilities);
    let all = array.client.snapshots(volume).await?;
    Ok(all.into_iter().find(|snapshot| naming::is_for_key(&rules, &snapshot.name, key)))
}

/// Refuses a snapshot that is not the caller's, or was cut of other volumes.
pub(super) fn check_ours(snapshot: &wire::Snapshot, mark: &Mark, volumes: &[String]) -> Result<(), DriverError> {
    let comment = Comment::read(&snapshot.comment);
    let Some(comment) = comment.filter(|comment| comment.belongs_to(mark) && comment.is_for(&snapshot.volume_id))
    else {
        return Err(DriverError::new(
            Reason::NotOurs,
            format!(
                "snapshot '{}' of volume {} is not this installation's (its comment is '{}'); it is left alone, remove it by \
                 hand if it may go",
                snapshot.name, snapshot.volume_id, snapshot.comment
            ),
        ));
    };
    if !volumes.is_empty() && !comment.is_for_all(volumes.iter().map(String::as_str)) {
        return Err(DriverError::new(
            Reason::KeyReused,
            format!(
                "key '{}' names snapshot '{}', which was cut of other volumes; use another key",
                mark.key, snapshot.name
            ),
        ));
    }
    Ok(())
}

pub(super) async fn ensure(array: &Reference, want: &SnapshotRequest) -> Result<Progress<Snapshot>, DriverError> {
    want.check()?;
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let ids: Vec<String> = want.targets.iter().map(|target| target.volume.to_string()).collect();
    let mut sorted = ids.clone();
    sorted.sort();
    let source = sorted.join(",");
    check_volumes(array, want, &source).await?;
    // Each round sees what the last one made; a name that was taken meanwhile is looked at again once.
    for _ in 0..=ids.len() {
        let mut found = Vec::new();
        for id in &ids {
            let snapshot = find_by_key(array, id, &want.mark.key).await?;
            if let Some(snapshot) = &snapshot {
                check_ours(snapshot, &want.mark, &ids)?;
            }
            found.push(snapshot);
        }
        let missing: Vec<String> =
            ids.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(id, _)| id.clone()).collect();
        if missing.is_empty() {
            array.remember(&want.mark.key, source);
            return finish(array, want, found.into_iter().flatten().collect()).await.map(Progress::Ready);
        }
        match make(array, want, &ids, &missing).await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(job)) => {
                array.remember(&want.mark.key, source);
                return Ok(pending(&job));
            }
            Err(error) if error.reason == Reason::TargetExists => {}
            Err(error) => {
                withdraw(array, found.into_iter().flatten()).await;
                return Err(error);
            }
        }
    }
    Err(DriverError::new(
        Reason::Busy,
        format!("snapshot '{}' comes and goes while it is made; try again", want.mark.key),
    ))
}

async fn check_volumes(array: &Reference, want: &SnapshotRequest, source: &str) -> Result<(), DriverError> {
    for target in &want.targets {
        if let Some(expected) = target.expected_uuid.as_ref().filter(|expected| **expected != target.volume.0) {
            return Err(DriverError::new(
                Reason::VolumeReplaced,
                format!("volume '{}' was expected to be {expected}; take a new look at what it is now", target.volume),
            ));
        }
        let volume = look::volume(array, &target.volume).await?;
        if volume.read_only {
            let text = format!("volume '{}' is a replica and read-only; snapshot its source", volume.name);
            return Err(DriverError::new(Reason::ReadOnly, text));
        }
        for path in &target.paths {
            super::files::check_exists(array, &volume, path).await?;
        }
    }
    match array.remembered(&want.mark.key) {
        Some(known) if known != source => Err(DriverError::new(
            Reason::KeyReused,
            format!("key '{}' was used for other volumes; use another key", want.mark.key),
        )),
        _ => Ok(()),
    }
}

/// Makes what is missing: the whole group at once, or the next single one.
async fn make(
    array: &Reference,
    want: &SnapshotRequest,
    ids: &[String],
    missing: &[String],
) -> Result<Change, DriverError> {
    let system = array.system().await?;
    let can = super::capabilities(&system);
    let name = naming::render(&can.snapshot_names, &want.mark.key, &want.label);
    let comment = comment::write(&want.mark, ids.iter().map(String::as_str), can.note_bytes_max)?;
    let grouped = ids.len() > 1 && ids.len() <= can.group_volumes_max as usize;
    if grouped && missing.len() == ids.len() {
        let body = json!({"name": name, "comment": comment, "volume_ids": ids});
        return array.client.change(Method::POST, "/snapshot-groups", Some(body), "snapshot the volumes").await;
    }
    if ids.len() > 1 && want.skew_max.is_zero() && !want.vm_off {
        return Err(DriverError::new(
            Reason::SkewTooLarge,
            format!(
                "snapshot '{}' was not made: array {} cuts at most {} volumes at one point in time; allow skew, or power the \
                 VMs off",
                want.mark.key,
                array.client.name(),
                can.group_volumes_max
            ),
        ));
    }
    let Some(id) = missing.first() else {
        return Ok(Change::Done);
    };
    let body = json!({"name": name, "comment": comment});
    array.client.change(Method::POST, &format!("/volumes/{id}/snapshots"), Some(body), "snapshot a volume").await
}

/// Takes back what was made of a set that cannot be finished. Best effort: the caller's undo looks again.
async fn withdraw(array: &Reference, made: impl Iterator<Item = wire::Snapshot>) {
    for snapshot in made {
        let path = format!("/volumes/{}/snapshots/{}", snapshot.volume_id, snapshot.id);
        if let Err(error) = array.client.change(Method::DELETE, &path, None, "delete a snapshot").await {
            tracing::warn!(error = strata_kit::status::report(&error), name = snapshot.name, "left on the array");
        }
    }
}

async fn finish(array: &Reference, want: &SnapshotRequest, made: Vec<wire::Snapshot>) -> Result<Snapshot, DriverError> {
    let snapshot = to_snapshot(made.clone(), false);
    let skew = Duration::from_micros(snapshot.skew_us);
    if skew > want.skew_max && !want.vm_off {
        withdraw(array, made.into_iter()).await;
        array.forget(&want.mark.key);
        return Err(DriverError::new(
            Reason::SkewTooLarge,
            format!(
                "snapshot '{}' was taken back: its parts lay {} ms apart, and {} ms are allowed",
                want.mark.key,
                skew.as_millis(),
                want.skew_max.as_millis()
            ),
        ));
    }
    Ok(snapshot)
}

fn to_snapshot(parts: Vec<wire::Snapshot>, replica: bool) -> Snapshot {
    let times = || parts.iter().map(|part| part.created_at);
    let first = times().min().unwrap_or_default();
    let group = parts.first().and_then(|part| part.group_id.as_ref());
    let atomic = parts.len() == 1 || (group.is_some() && parts.iter().all(|part| part.group_id.as_ref() == group));
    let skew = times().max().unwrap_or_default().duration_since(first).as_micros();
    let mark = parts
        .first()
        .and_then(|part| Comment::read(&part.comment).filter(|comment| !replica && comment.is_for(&part.volume_id)));
    Snapshot {
        cut_time: first,
        skew_us: if atomic { 0 } else { u64::try_from(skew).unwrap_or_default() },
        mark: mark.map(|comment| comment.mark),
        comment: parts.first().map(|part| part.comment.clone()).unwrap_or_default(),
        members: parts
            .into_iter()
            .map(|part| SnapshotMember {
                volume_uuid: part.volume_id.clone(),
                volume: VolumeId(part.volume_id),
                id: ArraySnapshotId(part.id),
                native_name: part.name,
                used_bytes: None,
            })
            .collect(),
    }
}
