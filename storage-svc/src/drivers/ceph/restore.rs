//! Rolling an image back in place. The cluster keeps newer snapshots, and keeps the image's name, id and devices.

use super::{
    Ceph,
    client::{Call, Change, TaskState, pending, right},
    images::{self, Spec},
    look,
    snapshots::{by_id, check_writable},
};
use crate::driver::{DriverError, Progress, Reason, RestoreRequest};
use http::Method;
use serde_json::json;
use strata_model::names::encode;

/// A roll-back leaves nothing by which it could be found afterwards: one whose task is forgotten is done again, which is the
/// same as long as nobody was told that it is done.
pub(super) async fn restore(array: &Ceph, want: &RestoreRequest) -> Result<Progress<()>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    if let Some(resume) = want.resume.as_deref() {
        match array.client.task(resume).await? {
            TaskState::Running => return Ok(pending(resume)),
            TaskState::Done => return Ok(Progress::Ready(())),
            TaskState::Failed(error) => return Err(in_use(&Spec::of(&images::get(array, &want.volume).await?), error)),
            TaskState::Unknown => {}
        }
    }
    let image = images::get(array, &want.volume).await?;
    if let Some(expected) = want.expected_uuid.as_ref().filter(|expected| **expected != image.id) {
        let text = format!("volume '{}' was expected to be {expected}; take a new look at what it is now", want.volume);
        return Err(DriverError::new(Reason::VolumeReplaced, text));
    }
    check_writable(&image)?;
    let snapshot = by_id(&image, &want.snapshot)?;
    if snapshot.namespace != 0 {
        let text = format!("snapshot '{}' is not one of a user", snapshot.name);
        return Err(DriverError::new(Reason::NotFound, text));
    }
    want.check_released(&[look::to_lun(array, &image)])?;
    let path = Spec::of(&image).path(&format!("/snap/{}/rollback", encode(&snapshot.name)));
    match array.client.change(Call::change(Method::POST, &path, json!({}), "roll an image back", right::UPDATE)).await {
        Ok(Change::Done) => Ok(Progress::Ready(())),
        Ok(Change::Queued(task)) => Ok(pending(&task)),
        Err(error) => Err(in_use(&Spec::of(&image), error)),
    }
}

/// The cluster's own word against writing under a client: the exclusive lock is held, told as "read-only".
fn in_use(spec: &Spec, error: DriverError) -> DriverError {
    if error.reason != Reason::ReadOnly {
        return error;
    }
    let text = format!(
        "image '{spec}' cannot be rolled back: a client holds its lock (see rbd lock ls {spec}), or it is mirrored to here; unmap \
         it there, and after a crash of that client wait half a minute"
    );
    DriverError::new(Reason::InUse, text).because(error)
}
