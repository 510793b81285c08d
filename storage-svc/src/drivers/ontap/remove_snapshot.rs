//! Removing snapshots: ours alone, and only from the volumes that they were made of.

use super::{
    Ontap,
    client::{Change, WAIT},
    comment::Comment,
    groups,
    job::{pending, settle_removal},
    snapshots::{check_ours, dependents, find_by_key},
    volumes, wire,
};
use crate::driver::{DriverError, Progress, Reason, SnapshotRemoval};
use http::Method;

pub(super) async fn remove(array: &Ontap, want: &SnapshotRemoval) -> Result<Progress<()>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    if let Some(waiting) = settle_removal(array, want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let asked: Vec<&str> = want.volumes.iter().map(|volume| volume.as_str()).collect();
    let mut present = Vec::new();
    for id in &want.volumes {
        let Some(volume) = volumes::find(array, id).await? else { continue };
        let Some(snapshot) = find_by_key(array, &volume.uuid, &want.mark.key).await? else { continue };
        let comment = check_ours(array, &snapshot, &want.mark, &asked).await?;
        if !volumes::is_read_write(&array.learned().await?, &volume) {
            let text = format!("volume '{}' is a replica; its snapshots belong to the replication", volume.name);
            return Err(DriverError::new(Reason::NotOurs, text));
        }
        check_free(array, &snapshot).await?;
        present.push((snapshot, comment));
    }
    // Checked all before the first goes.
    for (snapshot, comment) in present {
        match delete_one(array, want, &snapshot, &comment).await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(job)) => return Ok(pending(&job)),
            Err(error) if error.reason == Reason::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    array.forget(&want.mark.key);
    Ok(Progress::Ready(()))
}

/// The array says so itself, but only by a job some ten seconds later, and without names.
async fn check_free(array: &Ontap, snapshot: &wire::Snapshot) -> Result<(), DriverError> {
    let clones = dependents(array, snapshot).await?;
    if clones.is_empty() {
        return Ok(());
    }
    let text = format!("snapshot '{}' is needed by clones; remove these first: {}", snapshot.name, clones.join(", "));
    Err(DriverError::new(Reason::HasDependents, text))
}

/// A part of a group's snapshot goes with the whole, which is never left partial.
async fn delete_one(
    array: &Ontap,
    want: &SnapshotRemoval,
    snapshot: &wire::Snapshot,
    comment: &Comment,
) -> Result<Change, DriverError> {
    if comment.one_point
        && let Some(change) = groups::remove_snapshot(array, &snapshot.volume.uuid, &want.mark).await?
    {
        return Ok(change);
    }
    delete(array, snapshot).await
}

pub(super) async fn delete(array: &Ontap, snapshot: &wire::Snapshot) -> Result<Change, DriverError> {
    let path = format!("/storage/volumes/{}/snapshots/{}?{WAIT}", snapshot.volume.uuid, snapshot.uuid);
    array.client.change(Method::DELETE, &path, None, "delete a snapshot").await
}
