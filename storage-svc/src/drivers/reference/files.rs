//! Files within volumes and snapshots.

use super::{
    Reference,
    client::Change,
    wire::{self, File},
};
use crate::{
    driver::{DriverError, READ_BYTES_MAX, Reason},
    rel_path::RelPath,
};
use http::Method;
use serde_json::json;
use strata_model::{
    ids::{ArraySnapshotId, VolumeId},
    names::encode,
};
use uuid::Uuid;

fn query(path: &str, snapshot: Option<&str>) -> String {
    let snapshot = snapshot.map(|id| format!("&snapshot_id={}", encode(id))).unwrap_or_default();
    format!("path={}{snapshot}", encode(path))
}

/// A file or directory, live or in a snapshot; `None` where it is not there.
pub(super) async fn find(
    array: &Reference,
    volume: &str,
    snapshot: Option<&str>,
    path: &str,
) -> Result<Option<File>, DriverError> {
    let path = format!("/volumes/{volume}/files?{}", query(path, snapshot));
    array.client.find(&path, "show a file").await
}

/// Refuses a path of a snapshot request that is not in the live volume.
pub(super) async fn check_exists(array: &Reference, volume: &wire::Volume, path: &str) -> Result<(), DriverError> {
    let path = RelPath::parse(path)?;
    match find(array, &volume.id, None, path.as_str()).await? {
        Some(_) => Ok(()),
        None => Err(absent(path.as_str(), &format!("volume '{}'", volume.name))),
    }
}

/// The snapshot of this volume, or NotFound.
pub(super) async fn snapshot(
    array: &Reference,
    volume: &VolumeId,
    id: &ArraySnapshotId,
) -> Result<wire::Snapshot, DriverError> {
    let found = if Uuid::parse_str(id.as_str()).is_ok() && Uuid::parse_str(volume.as_str()).is_ok() {
        array.client.find(&format!("/volumes/{volume}/snapshots/{id}"), "show a snapshot").await?
    } else {
        None
    };
    found.ok_or_else(|| {
        let text = format!("there is no snapshot '{id}' of volume '{volume}'; list the volume's snapshots");
        DriverError::new(Reason::NotFound, text)
    })
}

/// A file of a snapshot, or NotFound.
pub(super) async fn in_snapshot(array: &Reference, from: &wire::Snapshot, path: &str) -> Result<File, DriverError> {
    let found = find(array, &from.volume_id, Some(&from.id), path).await?;
    found.ok_or_else(|| absent(path, &format!("snapshot '{}'", from.name)))
}

fn absent(path: &str, place: &str) -> DriverError {
    DriverError::new(Reason::NotFound, format!("'{path}' is not in {place}"))
}

/// All bytes of a small file of a snapshot.
pub(super) async fn read(
    array: &Reference,
    volume: &VolumeId,
    id: &ArraySnapshotId,
    path: &str,
) -> Result<Vec<u8>, DriverError> {
    let path = RelPath::parse(path)?;
    let snapshot = snapshot(array, volume, id).await?;
    let file = in_snapshot(array, &snapshot, path.as_str()).await?;
    if file.is_dir || file.size_bytes > READ_BYTES_MAX {
        return Err(DriverError::new(
            Reason::InvalidRequest,
            format!(
                "'{}' in snapshot '{}' is a directory or has more than {READ_BYTES_MAX} bytes; clone it instead",
                path.as_str(),
                snapshot.name
            ),
        ));
    }
    if file.size_bytes == 0 {
        return Ok(Vec::new());
    }
    let query = query(path.as_str(), Some(&snapshot.id));
    let path = format!("/volumes/{volume}/files/content?{query}&offset=0&length={}", file.size_bytes);
    Ok(array.client.bytes(&path, "read a file").await?.to_vec())
}

/// Makes a directory and those above it; fine where it exists.
pub(super) async fn make_directory(array: &Reference, volume: &str, path: &str) -> Result<Change, DriverError> {
    let body = json!({"path": path});
    let at = format!("/volumes/{volume}/files/directories");
    array.client.change(Method::POST, &at, Some(body), "make a directory").await
}

/// Clones a file of a snapshot; TargetExists instead of overwriting.
pub(super) async fn clone(
    array: &Reference,
    from: &wire::Snapshot,
    from_path: &str,
    to_path: &str,
) -> Result<Change, DriverError> {
    let body = json!({"snapshot_id": from.id, "from": from_path, "to": to_path, "overwrite": false});
    let at = format!("/volumes/{}/files/clone", from.volume_id);
    array.client.change(Method::POST, &at, Some(body), "clone a file").await
}

/// Removes a file, or a directory with all it holds; fine where it is absent.
pub(super) async fn remove(array: &Reference, volume: &str, path: &str) -> Result<Change, DriverError> {
    let at = format!("/volumes/{volume}/files?{}", query(path, None));
    match array.client.change(Method::DELETE, &at, None, "delete a directory").await {
        Err(error) if error.reason == Reason::NotFound => Ok(Change::Done),
        other => other,
    }
}
