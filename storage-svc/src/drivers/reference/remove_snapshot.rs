//! Removing snapshots, volume by volume.

use super::{
    Reference,
    client::{Change, pending},
    look,
    snapshots::{check_ours, find_by_key},
};
use crate::driver::{DriverError, Progress, Reason, SnapshotRemoval};
use http::Method;

pub(super) async fn remove(array: &Reference, want: &SnapshotRemoval) -> Result<Progress<()>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let asked: Vec<String> = want.volumes.iter().map(ToString::to_string).collect();
    let mut present = Vec::new();
    for id in &want.volumes {
        if let Some(volume) = look::find_volume(array, id).await?
            && let Some(snapshot) = find_by_key(array, &volume.id, &want.mark.key).await?
        {
            check_ours(&snapshot, &want.mark, &asked)?;
            if volume.read_only {
                let text = format!("volume '{}' is a replica; its snapshots belong to the replication", volume.name);
                return Err(DriverError::new(Reason::NotOurs, text));
            }
            present.push(snapshot);
        }
    }
    // Checked all before the first goes.
    for snapshot in present {
        let path = format!("/volumes/{}/snapshots/{}", snapshot.volume_id, snapshot.id);
        match array.client.change(Method::DELETE, &path, None, "delete a snapshot").await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(job)) => return Ok(pending(&job)),
            Err(error) if error.reason == Reason::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    array.forget(&want.mark.key);
    Ok(Progress::Ready(()))
}
