//! Removing snapshots, image by image. A snapshot that has clones is never removed, although a cluster with clones of format 2
//! would do it: its dashboard could not show the image afterwards until the last clone is gone.

use super::{
    Ceph,
    client::{Call, Change, pending, right},
    clones,
    images::{self, Spec},
    look,
    snapshots::{check_ours, check_writable, find_by_key},
    wire::{Image, Snapshot},
};
use crate::driver::{DriverError, Progress, Reason, SnapshotRemoval};
use http::Method;
use serde_json::json;
use strata_model::names::encode;

pub(super) async fn remove(array: &Ceph, want: &SnapshotRemoval) -> Result<Progress<()>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let mut present = Vec::new();
    for id in &want.volumes {
        if let Some(image) = images::find(array, id).await?
            && let Some(snapshot) = find_by_key(&image, &want.mark.key).cloned()
        {
            check_ours(&image, &snapshot, &want.mark, &want.volumes)?;
            check_writable(&image)?;
            check_unused(array, &image, &snapshot).await?;
            present.push((image, snapshot));
        }
    }
    // Checked all before the first goes.
    for (image, snapshot) in present {
        let path = Spec::of(&image).path(&format!("/snap/{}", encode(&snapshot.name)));
        if snapshot.is_protected == Some(true) {
            unprotect(array, &image, &snapshot).await?;
        }
        let call =
            Call { body: None, ..Call::change(Method::DELETE, &path, json!({}), "delete a snapshot", right::DELETE) };
        match array.client.change(call).await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(task)) => return Ok(pending(&task)),
            Err(error) if error.reason == Reason::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    array.forget(&want.mark.key);
    Ok(Progress::Ready(()))
}

/// Refuses while there are clones, and names them.
async fn check_unused(array: &Ceph, image: &Image, snapshot: &Snapshot) -> Result<(), DriverError> {
    let mut clones = Vec::new();
    for child in &snapshot.children {
        let spec = Spec { pool: child.pool_name.clone(), name: child.image_name.clone() };
        let id = if array.pools.contains(&spec.pool) {
            images::by_name(array, &spec).await?.and_then(|image| look::id_of(array, &image).ok())
        } else {
            None
        };
        clones.push(id.map_or_else(|| spec.to_string(), |id| format!("{spec} ({id})")));
    }
    if clones.is_empty() {
        return Ok(());
    }
    let text = format!(
        "snapshot '{}' of image '{}' has clones; remove these first: {}",
        snapshot.name,
        Spec::of(image),
        clones.join(", ")
    );
    Err(DriverError::new(Reason::HasDependents, text))
}

/// Where clones need it, we protected the snapshot ourselves; elsewhere a person did, and meant it.
async fn unprotect(array: &Ceph, image: &Image, snapshot: &Snapshot) -> Result<(), DriverError> {
    if clones::need_protection(array).await? {
        return clones::protect(array, image, snapshot, false).await;
    }
    let spec = Spec::of(image);
    let text = format!(
        "snapshot '{}' of image '{spec}' is protected; if it may go, unprotect it: rbd snap unprotect {spec}@{}",
        snapshot.name, snapshot.name
    );
    Err(DriverError::new(Reason::HasDependents, text))
}
