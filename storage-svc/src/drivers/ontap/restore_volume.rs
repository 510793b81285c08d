//! A whole volume rolled back. ONTAP deletes all newer snapshots with it, so that it is refused while there is one (S1), and under
//! hosts that have not let go (S21).

use super::{
    Ontap,
    client::{Change, WAIT},
    job::{pending, settle},
    luns, snapshots, volumes,
    wire::{self, time},
};
use crate::driver::{DriverError, Progress, Reason, RestoreRequest};
use http::Method;
use serde_json::json;

pub(super) async fn restore(array: &Ontap, want: &RestoreRequest) -> Result<Progress<()>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    if let Some(waiting) = settle(array, want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let volume = volumes::get(array, &want.volume).await?;
    volumes::check_uuid(&volume, want.expected_uuid.as_ref())?;
    volumes::check_read_write(array, &volume).await?;
    let snapshot = snapshots::get(array, &want.volume, &want.snapshot).await?;
    check_newest(array, &volume, &snapshot).await?;
    if let Some(path) = &volume.nas.path {
        // Nobody can tell which hosts have it mounted by NFS, and the array does not look at their locks.
        let text = format!(
            "volume '{}' is mounted by NFS at '{path}', and hosts that use it cannot be counted; revert by file",
            volume.name
        );
        return Err(DriverError::new(Reason::InUse, text));
    }
    let all = luns::tell(array, luns::of_volume(array, &volume.uuid).await?).await?;
    want.check_released(&all)?;
    // Without it the LUNs come back under other numbers.
    let keep = if all.is_empty() { "" } else { "preserve_lun_ids=true&" };
    let path = format!("/storage/volumes/{}?{keep}{WAIT}", volume.uuid);
    let body = json!({"restore_to": {"snapshot": {"uuid": snapshot.uuid}}});
    match array.client.change(Method::PATCH, &path, Some(body), "restore a volume").await? {
        Change::Done => Ok(Progress::Ready(())),
        Change::Queued(job) => Ok(pending(&job)),
    }
}

/// Of two snapshots of one second nobody knows which is newer: it counts as newer.
async fn check_newest(array: &Ontap, volume: &wire::Volume, to: &wire::Snapshot) -> Result<(), DriverError> {
    let all = snapshots::list(array, &volume.uuid, "").await?;
    let newer = all.iter().filter(|it| it.uuid != to.uuid && time(&it.create_time) >= time(&to.create_time));
    let names: Vec<&str> = newer.map(|it| it.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let text = format!(
        "rolling volume '{}' back to '{}' would delete {} newer snapshots ({}); remove them first, or revert by file, LUN or clone",
        volume.name,
        to.name,
        names.len(),
        names.join(", ")
    );
    Err(DriverError::new(Reason::NewerSnapshots, text))
}
