//! A volume, or one LUN of it, put back to a snapshot in place. The array asks no host, so it is asked here who may use it
//! (S21), and whether newer snapshots would go (S1).

use super::{
    Reference,
    client::{Change, pending},
    files, look, luns,
    wire::{self, JobState},
};
use crate::driver::{DriverError, Lun, Progress, Reason, RestoreRequest};
use http::Method;
use serde_json::json;

pub(super) async fn volume(array: &Reference, want: &RestoreRequest) -> Result<Progress<()>, DriverError> {
    if let Some(over) = over(array, want).await? {
        return Ok(over);
    }
    let volume = writable(array, want).await?;
    want.check_released(&mapped(array, &volume.id).await?)?;
    let snapshot = files::snapshot(array, &want.volume, &want.snapshot).await?;
    if !array.system().await?.capabilities.restore_keeps_newer_snapshots {
        let all = array.client.snapshots(&volume.id).await?;
        // Oldest first: what stands behind the source is newer.
        let newer: Vec<String> =
            all.into_iter().skip_while(|it| it.id != snapshot.id).skip(1).map(|snapshot| snapshot.name).collect();
        if !newer.is_empty() {
            let text = format!(
                "volume '{}' has newer snapshots, which the array would delete: {}; revert by clone, or remove them",
                volume.name,
                newer.join(", ")
            );
            return Err(DriverError::new(Reason::NewerSnapshots, text));
        }
    }
    let body = Some(json!({"snapshot_id": snapshot.id}));
    let path = format!("/volumes/{}/restore", volume.id);
    done(array.client.change(Method::POST, &path, body, "restore a volume").await?)
}

pub(super) async fn lun(array: &Reference, want: &RestoreRequest) -> Result<Progress<()>, DriverError> {
    if let Some(over) = over(array, want).await? {
        return Ok(over);
    }
    let volume = writable(array, want).await?;
    let held = luns::of_snapshot(array, &want.volume, &want.snapshot).await?;
    let names = [want.lun.clone()];
    let old = luns::named(&held, &names, &format!("snapshot '{}' of volume '{}'", want.snapshot, volume.name))?;
    let live = mapped(array, &volume.id).await?;
    let Some(live) = live.iter().find(|lun| old.iter().any(|old| old.id == lun.uuid)) else {
        let text = format!("LUN '{}' of volume '{}' is not the one that was snapshotted", want.lun, volume.name);
        return Err(DriverError::new(Reason::VolumeReplaced, text));
    };
    want.check_released(std::slice::from_ref(live))?;
    let body = Some(json!({"snapshot_id": want.snapshot.as_str()}));
    done(array.client.change(Method::POST, &format!("/luns/{}/restore", live.uuid), body, "restore a LUN").await?)
}

fn done(change: Change) -> Result<Progress<()>, DriverError> {
    Ok(match change {
        Change::Done => Progress::Ready(()),
        Change::Queued(job) => pending(&job),
    })
}

/// A job of an earlier call: waited for, and done where it is; it is not done twice.
async fn over(array: &Reference, want: &RestoreRequest) -> Result<Option<Progress<()>>, DriverError> {
    let state = array.client.job_state(want.resume.as_deref()).await?;
    Ok(match state {
        Some(JobState::Succeeded) => Some(Progress::Ready(())),
        _ => array.client.settle(want.resume.as_deref()).await?,
    })
}

async fn writable(array: &Reference, want: &RestoreRequest) -> Result<wire::Volume, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    if let Some(expected) = want.expected_uuid.as_ref().filter(|expected| **expected != want.volume.0) {
        let text = format!("volume '{}' was expected to be {expected}; nothing was restored", want.volume);
        return Err(DriverError::new(Reason::VolumeReplaced, text));
    }
    let volume = look::volume(array, &want.volume).await?;
    if volume.read_only {
        let text = format!("volume '{}' is a replica and read-only; restore its source", volume.name);
        return Err(DriverError::new(Reason::ReadOnly, text));
    }
    Ok(volume)
}

async fn mapped(array: &Reference, volume: &str) -> Result<Vec<Lun>, DriverError> {
    let groups = luns::groups(array).await?;
    Ok(luns::of_volume(array, volume).await?.iter().map(|lun| luns::to_lun(lun, &groups)).collect())
}
