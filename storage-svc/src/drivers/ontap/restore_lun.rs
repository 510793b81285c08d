//! A LUN overwritten with its state in a snapshot: a clone over it, which keeps its serial number, its maps and all snapshots.

use super::{
    Ontap,
    client::{Change, WAIT},
    job::{pending, settle_restore},
    lun_clones::in_snapshot,
    luns, snapshots, volumes,
};
use crate::{
    driver::{DriverError, Progress, RestoreRequest},
    rel_path::RelPath,
};
use http::Method;
use serde_json::json;

pub(super) async fn restore(array: &Ontap, want: &RestoreRequest) -> Result<Progress<()>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    let path = RelPath::parse(&want.lun)?;
    if let Some(told) = settle_restore(array, want.resume.as_deref()).await? {
        return Ok(told);
    }
    let volume = volumes::get(array, &want.volume).await?;
    volumes::check_uuid(&volume, want.expected_uuid.as_ref())?;
    volumes::check_read_write(array, &volume).await?;
    let snapshot = snapshots::get(array, &want.volume, &want.snapshot).await?;
    let all = luns::of_volume(array, &volume.uuid).await?;
    let lun = luns::at(&all, &volume.name, path.as_str())?.clone();
    let uuid = lun.uuid.clone();
    want.check_released(&luns::tell(array, vec![lun]).await?)?;
    let body = json!({"clone": {"source": {"name": in_snapshot(&volume, &snapshot, path.as_str())}}});
    let at = format!("/storage/luns/{uuid}?{WAIT}");
    match array.client.change(Method::PATCH, &at, Some(body), "restore a LUN").await? {
        Change::Done => Ok(Progress::Ready(())),
        Change::Queued(job) => Ok(pending(&job)),
    }
}
