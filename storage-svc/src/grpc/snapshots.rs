//! EnsureSnapshot, ListSnapshots, RemoveSnapshot.

use super::{
    convert,
    error::status,
    paging,
    validate::{Fields, find, optional},
};
use crate::{
    arrays::Arrays,
    driver::{SnapshotRemoval, SnapshotRequest, SnapshotTarget},
};
use std::time::Duration;
use strata_proto::strata::storage::v1::{self as pb, ensure_snapshot_response::Outcome};
use tonic::Status;

pub(super) async fn ensure(
    arrays: &Arrays,
    request: pb::EnsureSnapshotRequest,
) -> Result<pb::EnsureSnapshotResponse, Status> {
    let mut fields = Fields::default();
    let name = fields.array("array", &request.array);
    let mark = fields.mark(&request.key, request.mark);
    if request.targets.is_empty() {
        fields.wrong("targets", "name at least one volume");
    }
    let targets = request.targets.into_iter().enumerate().map(|(index, target)| SnapshotTarget {
        volume: fields.volume_on(&name, &format!("targets[{index}].volume"), &target.volume),
        paths: target.paths,
        expected_uuid: optional(target.expected_volume_uuid),
    });
    let want = SnapshotRequest {
        mark,
        label: request.label,
        targets: targets.collect(),
        skew_max: Duration::from_millis(request.skew_max_ms.into()),
        vm_off: request.vm_off,
        resume: optional(request.resume),
    };
    fields.finish()?;
    let array = find(arrays, &name)?;
    let made = array.driver.ensure_snapshot(&want).await.map_err(|error| status(array, error))?;
    let outcome = match convert::progress(made) {
        Ok(snapshot) => Outcome::Snapshot(convert::snapshot(&name, snapshot)),
        Err(pending) => Outcome::Pending(pending),
    };
    Ok(pb::EnsureSnapshotResponse { outcome: Some(outcome) })
}

pub(super) async fn list(
    arrays: &Arrays,
    request: pb::ListSnapshotsRequest,
) -> Result<pb::ListSnapshotsResponse, Status> {
    let mut fields = Fields::default();
    let (name, volume) = fields.volume("parent", &request.parent);
    fields.finish()?;
    let array = find(arrays, &name)?;
    let list = ["snapshots", &request.parent];
    let page = paging::request(&list, request.page_size, &request.page_token)?;
    let found = array.driver.snapshots(&volume, &page).await.map_err(|error| status(array, error))?;
    Ok(pb::ListSnapshotsResponse {
        snapshots: found.items.into_iter().map(|snapshot| convert::snapshot(&name, snapshot)).collect(),
        next_page_token: paging::token(&list, found.next),
    })
}

pub(super) async fn remove(
    arrays: &Arrays,
    request: pb::RemoveSnapshotRequest,
) -> Result<pb::RemoveSnapshotResponse, Status> {
    let mut fields = Fields::default();
    let name = fields.array("array", &request.array);
    let mark = fields.mark(&request.key, request.mark);
    let volumes = request.volumes.iter().enumerate();
    let volumes =
        volumes.map(|(index, volume)| fields.volume_on(&name, &format!("volumes[{index}]"), volume)).collect();
    fields.finish()?;
    let array = find(arrays, &name)?;
    let want = SnapshotRemoval { mark, label: request.label, volumes, resume: optional(request.resume) };
    let removed = array.driver.remove_snapshot(&want).await.map_err(|error| status(array, error))?;
    Ok(pb::RemoveSnapshotResponse { pending: convert::progress(removed).err() })
}
