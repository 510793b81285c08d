//! Making snapshots: of one volume; of several at one point in time by a consistency group that holds them; else one after the
//! other where the caller allows it. Crash states: (1) nothing; (2) a job; (3) some of the volumes; (4) a group's snapshot whose
//! parts do not bear the mark yet; (5) all. The repeat goes on from each.

use super::{
    Ontap,
    client::{Change, WAIT},
    comment::Comment,
    files::{self, Seen},
    groups,
    job::{pending, settle},
    names::SNAPSHOTS,
    snapshots::{check_ours, find_by_key, tell},
    volumes, wire,
};
use crate::{
    driver::{DriverError, Progress, Reason, Snapshot, SnapshotRequest},
    naming,
    rel_path::RelPath,
};
use http::Method;
use serde_json::json;
use std::time::Duration;

pub(super) async fn ensure(array: &Ontap, want: &SnapshotRequest) -> Result<Progress<Snapshot>, DriverError> {
    want.check()?;
    if let Some(waiting) = settle(array, want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let ids: Vec<&str> = want.targets.iter().map(|target| target.volume.as_str()).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    let source = sorted.join(",");
    check_volumes(array, want, &source).await?;
    // Each round sees what the last one made; a name that was taken meanwhile is looked at again once.
    for _ in 0..=ids.len() {
        let found = look(array, want, &ids).await?;
        let missing: Vec<&str> =
            ids.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(id, _)| *id).collect();
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
    let text = format!("snapshot '{}' comes and goes while it is made; try again", want.mark.key);
    Err(DriverError::new(Reason::Busy, text))
}

/// What is there of it, all of it ours.
async fn look(array: &Ontap, want: &SnapshotRequest, ids: &[&str]) -> Result<Vec<Option<wire::Snapshot>>, DriverError> {
    let mut found = Vec::new();
    for id in ids {
        let mut snapshot = find_by_key(array, id, &want.mark.key).await?;
        if let Some(snapshot) = &mut snapshot {
            let comment = check_ours(array, snapshot, &want.mark, ids).await?;
            if snapshot.comment.is_empty() {
                // (4): the group bears the mark.
                snapshot.comment = comment.write()?;
                groups::mark_part(array, snapshot).await?;
            }
        }
        found.push(snapshot);
    }
    Ok(found)
}

async fn check_volumes(array: &Ontap, want: &SnapshotRequest, source: &str) -> Result<(), DriverError> {
    for target in &want.targets {
        let paths: Vec<RelPath> = target.paths.iter().map(|path| RelPath::parse(path)).collect::<Result<_, _>>()?;
        if let Some(expected) = target.expected_uuid.as_ref().filter(|expected| **expected != target.volume.0) {
            let text =
                format!("volume '{}' was expected to be {expected}; take a new look at what it is now", target.volume);
            return Err(DriverError::new(Reason::VolumeReplaced, text));
        }
        let volume = volumes::get(array, &target.volume).await?;
        volumes::check_read_write(array, &volume).await?;
        // Where the volume holds LUNs, paths are those of a file system that the array does not know.
        for path in paths.iter().filter(|_| volume.nas.path.is_some()) {
            // What the array does not show is not held against the snapshot.
            if files::walk(array, &volume.uuid, "", path).await? == Seen::Absent {
                let text = format!("'{}' is not in volume '{}'", path.as_str(), volume.name);
                return Err(DriverError::new(Reason::NotFound, text));
            }
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

/// Makes what is missing: by the group at once, or the next single one.
async fn make(array: &Ontap, want: &SnapshotRequest, ids: &[&str], missing: &[&str]) -> Result<Change, DriverError> {
    let name = naming::render(&SNAPSHOTS, &want.mark.key, &want.label);
    let comment = Comment::new(&want.mark, ids.iter().copied());
    if ids.len() > 1 {
        if missing.len() == ids.len()
            && let Some(group) = groups::that_holds(array, ids).await?
        {
            return groups::snapshot(array, &group, &name, &comment.at_one_point().write()?).await;
        }
        if want.skew_max.is_zero() && !want.vm_off {
            let text = format!(
                "snapshot '{}' was not made: no consistency group of array {} holds exactly its {} volumes; make one for them \
                 (9.10.1 and later), allow skew, or power the VMs off",
                want.mark.key,
                array.client.name(),
                ids.len()
            );
            return Err(DriverError::new(Reason::SkewTooLarge, text));
        }
    }
    let Some(id) = missing.first() else {
        return Ok(Change::Done);
    };
    let body = json!({"name": name, "comment": comment.write()?});
    let path = format!("/storage/volumes/{id}/snapshots?{WAIT}");
    array.client.change(Method::POST, &path, Some(body), "snapshot a volume").await
}

/// Takes back what was made of a set that cannot be finished. Best effort: the caller's undo looks again.
async fn withdraw(array: &Ontap, made: impl Iterator<Item = wire::Snapshot>) {
    for snapshot in made {
        if let Err(error) = super::remove_snapshot::delete(array, &snapshot).await {
            tracing::warn!(error = strata_kit::status::report(&error), name = snapshot.name, "left on the array");
        }
    }
}

async fn finish(array: &Ontap, want: &SnapshotRequest, made: Vec<wire::Snapshot>) -> Result<Snapshot, DriverError> {
    let snapshot = tell(made.clone(), true);
    let skew = Duration::from_micros(snapshot.skew_us);
    if skew > want.skew_max && !want.vm_off {
        withdraw(array, made.into_iter()).await;
        array.forget(&want.mark.key);
        let text = format!(
            "snapshot '{}' was taken back: its parts lay up to {} ms apart, and {} ms are allowed",
            want.mark.key,
            skew.as_millis(),
            want.skew_max.as_millis()
        );
        return Err(DriverError::new(Reason::SkewTooLarge, text));
    }
    Ok(snapshot)
}
