//! Snapshots: list and make. The dashboard has no groups: several images are cut one after the other, and the cluster's own
//! times, which are whole seconds, tell the skew.

use super::{
    Ceph,
    client::{Call, Change, pending, right},
    images::{self, Spec},
    look,
    mark::{self, Name},
    wire::{self, Image},
};
use crate::{
    driver::{
        DriverError, Page, PageRequest, Progress, Reason, Snapshot, SnapshotMember, SnapshotRequest, SnapshotTarget,
    },
    naming,
};
use http::Method;
use serde_json::json;
use std::time::Duration;
use strata_model::{
    ids::{ArraySnapshotId, VolumeId},
    mark::Mark,
    names::encode,
};

/// One image's part of a snapshot.
type Part = (Image, wire::Snapshot);

pub(super) async fn list(array: &Ceph, id: &VolumeId, page: &PageRequest) -> Result<Page<Snapshot>, DriverError> {
    let spec = Spec::of(&images::get(array, id).await?);
    let image =
        images::by_name_with_usage(array, &spec).await?.filter(|image| array.volume_id(image).as_ref() == Some(id));
    let Some(image) = image else {
        let text = format!("volume '{id}' was renamed or removed while its snapshots were listed; ask again");
        return Err(DriverError::new(Reason::Busy, text));
    };
    let mut snapshots: Vec<wire::Snapshot> = image.snapshots.iter().filter(|it| it.namespace == 0).cloned().collect();
    // Ids of a pool only grow.
    let token = |snapshot: &wire::Snapshot| format!("{:020}", snapshot.id);
    snapshots.sort_by_key(token);
    let Page { items, next } = Page::cut(snapshots, page, token);
    let items = items.into_iter().map(|snapshot| to_snapshot(array, &[(image.clone(), snapshot)]));
    Ok(Page { items: items.collect::<Result<_, _>>()?, next })
}

/// An image's snapshot of a key, with whatever label and whoever made it.
pub(super) fn find_by_key<'i>(image: &'i Image, key: &str) -> Option<&'i wire::Snapshot> {
    image.snapshots.iter().find(|snapshot| naming::is_for_key(&mark::RULES, &snapshot.name, key))
}

/// An image's snapshot by its id.
pub(super) fn by_id<'i>(image: &'i Image, id: &ArraySnapshotId) -> Result<&'i wire::Snapshot, DriverError> {
    let found = id.as_str().parse().ok().and_then(|id: u64| image.snapshots.iter().find(|snapshot| snapshot.id == id));
    found.ok_or_else(|| {
        let text =
            format!("image '{}' has no snapshot '{id}'; list its snapshots to see which there are", Spec::of(image));
        DriverError::new(Reason::NotFound, text)
    })
}

/// Refuses a snapshot that is not the caller's, or was cut of other volumes.
pub(super) fn check_ours(
    image: &Image,
    snapshot: &wire::Snapshot,
    mark: &Mark,
    volumes: &[VolumeId],
) -> Result<(), DriverError> {
    let name = Name::read(&snapshot.name).filter(|name| name.belongs_to(mark) && name.image == image.id);
    match name.as_ref().and_then(Name::cut) {
        None => Err(DriverError::new(
            Reason::NotOurs,
            format!(
                "snapshot '{}' of image '{}' is not this installation's, by its name; it is left alone, remove it by hand if it \
                 may go",
                snapshot.name,
                Spec::of(image)
            ),
        )),
        Some(cut) if cut != mark::cut_of(volumes) => Err(DriverError::new(
            Reason::KeyReused,
            format!(
                "key '{}' names snapshot '{}', which was cut of other volumes; use another key",
                mark.key, snapshot.name
            ),
        )),
        Some(_) => Ok(()),
    }
}

pub(super) async fn ensure(array: &Ceph, want: &SnapshotRequest) -> Result<Progress<Snapshot>, DriverError> {
    want.check()?;
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let ids: Vec<VolumeId> = want.targets.iter().map(|target| target.volume.clone()).collect();
    let source = mark::cut_of(&ids);
    match array.remembered(&want.mark.key) {
        Some(known) if known != source => {
            let text = format!("key '{}' was used for other volumes; use another key", want.mark.key);
            return Err(DriverError::new(Reason::KeyReused, text));
        }
        _ => {}
    }
    // Each round sees what the last one made; a name that was taken meanwhile is looked at again once.
    for _ in 0..=ids.len() {
        let (mut parts, mut missing) = (Vec::new(), None);
        for target in &want.targets {
            let image = images::get(array, &target.volume).await?;
            check_image(&image, target)?;
            match find_by_key(&image, &want.mark.key).cloned() {
                Some(snapshot) => {
                    check_ours(&image, &snapshot, &want.mark, &ids)?;
                    parts.push((image, snapshot));
                }
                None => missing = missing.or(Some(image)),
            }
        }
        let Some(image) = missing else {
            array.remember(&want.mark.key, source);
            return finish(array, want, &parts).await.map(Progress::Ready);
        };
        match make(array, want, &ids, &image).await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(task)) => {
                array.remember(&want.mark.key, source);
                return Ok(pending(&task));
            }
            // Somebody was faster: looked at again.
            Err(error) if error.reason == Reason::TargetExists => {}
            Err(error) => {
                withdraw(array, &parts).await;
                return Err(error);
            }
        }
    }
    let text = format!("snapshot '{}' comes and goes while it is made; try again", want.mark.key);
    Err(DriverError::new(Reason::Busy, text))
}

fn check_image(image: &Image, target: &SnapshotTarget) -> Result<(), DriverError> {
    if let Some(expected) = target.expected_uuid.as_ref().filter(|expected| **expected != image.id) {
        let text =
            format!("volume '{}' was expected to be {expected}; take a new look at what it is now", target.volume);
        return Err(DriverError::new(Reason::VolumeReplaced, text));
    }
    check_writable(image)
}

/// Refuses what is mirrored to here, and what is mirrored by snapshots: of such an image the dashboard does not show which
/// snapshots have clones, and we could remove one that is needed.
pub(super) fn check_writable(image: &Image) -> Result<(), DriverError> {
    let spec = Spec::of(image);
    if image.primary == Some(false) {
        let text = format!("image '{spec}' is a mirror and read-only; snapshot its source");
        return Err(DriverError::new(Reason::ReadOnly, text));
    }
    if image.mirror_mode.as_deref() == Some("snapshot") {
        let text = format!(
            "image '{spec}' is mirrored by snapshots, and the dashboard does not show which of its snapshots have clones; mirror \
             it by journal, or leave it out"
        );
        return Err(DriverError::new(Reason::NotSupported, text));
    }
    Ok(())
}

async fn make(array: &Ceph, want: &SnapshotRequest, ids: &[VolumeId], image: &Image) -> Result<Change, DriverError> {
    if ids.len() > 1 && want.skew_max.is_zero() && !want.vm_off {
        return Err(DriverError::new(
            Reason::SkewTooLarge,
            format!(
                "snapshot '{}' was not made: array {} cuts each image alone; allow skew, or power the VMs off",
                want.mark.key,
                array.client.name()
            ),
        ));
    }
    let name = mark::snapshot_name(&want.mark, &image.id, &mark::cut_of(ids), &want.label)?;
    // The last field is for images that are mirrored by snapshots, and without it the call fails.
    let body = json!({"snapshot_name": name, "mirrorImageSnapshot": false});
    let path = Spec::of(image).path("/snap");
    array.client.change(Call::change(Method::POST, &path, body, "snapshot an image", right::CREATE)).await
}

/// Takes back what was made of a set that cannot be finished. Best effort: the caller's undo looks again.
async fn withdraw(array: &Ceph, made: &[Part]) {
    for (image, snapshot) in made.iter().filter(|(_, snapshot)| snapshot.children.is_empty()) {
        let path = Spec::of(image).path(&format!("/snap/{}", encode(&snapshot.name)));
        let call =
            Call { body: None, ..Call::change(Method::DELETE, &path, json!({}), "delete a snapshot", right::DELETE) };
        if let Err(error) = array.client.change(call).await {
            tracing::warn!(error = strata_kit::status::report(&error), name = snapshot.name, "left on the array");
        }
    }
}

async fn finish(array: &Ceph, want: &SnapshotRequest, parts: &[Part]) -> Result<Snapshot, DriverError> {
    let mut snapshot = to_snapshot(array, parts)?;
    // What it costs depends on which call it was seen by; the list tells it.
    snapshot.members.iter_mut().for_each(|member| member.used_bytes = None);
    let skew = Duration::from_micros(snapshot.skew_us);
    if skew > want.skew_max && !want.vm_off {
        withdraw(array, parts).await;
        array.forget(&want.mark.key);
        return Err(DriverError::new(
            Reason::SkewTooLarge,
            format!(
                "snapshot '{}' was taken back: its parts lay up to {} s apart, and {} ms are allowed",
                want.mark.key,
                skew.as_secs(),
                want.skew_max.as_millis()
            ),
        ));
    }
    Ok(snapshot)
}

/// The skew of several parts is at most a second more than their times tell.
fn to_snapshot(array: &Ceph, parts: &[Part]) -> Result<Snapshot, DriverError> {
    let times = || parts.iter().map(|(_, snapshot)| snapshot.timestamp);
    let first = times().min().unwrap_or_default();
    let seconds = times().max().unwrap_or_default().duration_since(first).as_secs();
    let seconds = if parts.len() > 1 { u64::try_from(seconds).unwrap_or_default() + 1 } else { 0 };
    let ours = |(image, snapshot): &Part| {
        Name::read(&snapshot.name).filter(|name| name.image == image.id && name.cut().is_some())
    };
    let mark = parts.first().and_then(ours).map(|name| name.mark);
    let mut members = Vec::with_capacity(parts.len());
    for (image, snapshot) in parts {
        members.push(SnapshotMember {
            volume: look::id_of(array, image)?,
            volume_uuid: image.id.clone(),
            id: ArraySnapshotId(snapshot.id.to_string()),
            native_name: snapshot.name.clone(),
            used_bytes: snapshot.disk_usage,
        });
    }
    Ok(Snapshot {
        members,
        cut_time: first,
        skew_us: seconds * 1_000_000,
        // What a comment would hold.
        comment: mark.as_ref().map(ToString::to_string).unwrap_or_default(),
        mark,
    })
}
