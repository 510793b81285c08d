//! What the cluster tells: volumes, devices, what is ours, what is missing.

use super::{
    Ceph,
    client::right,
    clones,
    images::{self, Spec},
    mark::Name,
    wire::{Image, Parent},
};
use crate::driver::{
    Device, DriverError, Lun, MissingRight, Owned, OwnedKind, Page, PageRequest, Preflight, Reason, Resolution, Volume,
};
use strata_model::ids::VolumeId;

/// An image's id as a volume; the pools are known once anything was asked.
pub(super) fn id_of(array: &Ceph, image: &Image) -> Result<VolumeId, DriverError> {
    array.volume_id(image).ok_or_else(|| {
        let text = format!("image '{}' lies in a pool that is not configured", Spec::of(image));
        DriverError::new(Reason::NotFound, text)
    })
}

/// The parent's image; `None` where it lies in no configured pool.
pub(super) async fn parent(array: &Ceph, parent: &Parent) -> Result<Option<Image>, DriverError> {
    if !array.pools.contains(&parent.pool_name) || !parent.pool_namespace.is_empty() {
        return Ok(None);
    }
    images::by_name(array, &Spec { pool: parent.pool_name.clone(), name: parent.image_name.clone() }).await
}

pub(super) async fn to_volume(array: &Ceph, image: &Image) -> Result<Volume, DriverError> {
    let clone_of = match &image.parent {
        Some(from) => parent(array, from).await?.and_then(|image| array.volume_id(&image)),
        None => None,
    };
    Ok(Volume {
        id: id_of(array, image)?,
        display_name: image.name.clone(),
        uuid: image.id.clone(),
        size_bytes: image.size,
        free_bytes: None,
        read_write: image.primary != Some(false),
        clone_of,
        nfs: None,
    })
}

/// The image as the one LUN of its volume.
pub(super) fn to_lun(array: &Ceph, image: &Image) -> Lun {
    let spec = Spec::of(image).to_string();
    let shown = array.luns.iter().find(|lun| lun.image == spec);
    let mut initiators = shown.map(|lun| lun.initiators.clone()).unwrap_or_default();
    initiators.sort();
    Lun {
        path: String::new(),
        uuid: image.id.clone(),
        canonical_name: shown.map(|lun| lun.canonical_name.clone()),
        size_bytes: image.size,
        initiators,
    }
}

async fn all(array: &Ceph) -> Result<Vec<Image>, DriverError> {
    array.system().await?;
    let mut all = Vec::new();
    for pool in &array.pools {
        all.extend(images::in_pool(array, pool, "").await?.images);
    }
    Ok(all)
}

pub(super) async fn volumes(array: &Ceph, page: &PageRequest) -> Result<Page<Volume>, DriverError> {
    let mut all = all(array).await?;
    let token = |image: &Image| format!("{} {}", image.pool_name, image.id);
    all.sort_by_key(token);
    let Page { items, next } = Page::cut(all, page, token);
    let mut volumes = Vec::with_capacity(items.len());
    for image in &items {
        volumes.push(to_volume(array, image).await?);
    }
    Ok(Page { items: volumes, next })
}

/// By the configured names alone: the driver asks no gateway.
pub(super) async fn resolve(array: &Ceph, device: &Device) -> Result<Resolution, DriverError> {
    let absent = |reason: String| Ok(Resolution::Absent { reason });
    let Device::Canonical(name) = device else {
        return absent(String::new());
    };
    let Some(lun) = array.luns.iter().find(|lun| lun.canonical_name.eq_ignore_ascii_case(name)) else {
        return absent(String::new());
    };
    let Some((pool, image)) = lun.image.split_once('/') else {
        return absent(String::new());
    };
    array.system().await?;
    let spec = Spec { pool: pool.to_owned(), name: image.to_owned() };
    let Some(image) = images::by_name(array, &spec).await? else {
        return absent(format!("'{name}' is configured as image '{spec}', and there is no such image"));
    };
    Ok(Resolution::Found {
        volume: to_volume(array, &image).await?,
        path_in_volume: String::new(),
        evidence: format!("{} is image {spec} by the configuration of {}", lun.canonical_name, array.client.name()),
        lun: Some(to_lun(array, &image)),
        siblings: Vec::new(),
    })
}

pub(super) async fn owned(
    array: &Ceph,
    installation: Option<&str>,
    page: &PageRequest,
) -> Result<Page<Owned>, DriverError> {
    let mut owned = Vec::new();
    for image in all(array).await? {
        let id = id_of(array, &image)?;
        if let Some(name) = clones::read_ours(array, &image).await? {
            owned.push(Owned {
                kind: OwnedKind::VolumeClone,
                volume: id.clone(),
                native_name: image.name.clone(),
                native_id: image.id.clone(),
                mark: name.mark,
                create_time: image.timestamp,
            });
        }
        for snapshot in &image.snapshots {
            if let Some(name) = Name::read(&snapshot.name).filter(|name| name.image == image.id && name.cut().is_some())
            {
                owned.push(Owned {
                    kind: OwnedKind::Snapshot,
                    volume: id.clone(),
                    native_name: snapshot.name.clone(),
                    native_id: snapshot.id.to_string(),
                    mark: name.mark,
                    create_time: snapshot.timestamp,
                });
            }
        }
    }
    owned.retain(|object| installation.is_none_or(|wanted| wanted == object.mark.installation));
    let token = |object: &Owned| format!("{} {:?} {:0>20}", object.volume, object.kind, object.native_id);
    owned.sort_by_key(token);
    Ok(Page::cut(owned, page, token))
}

/// The rights that our calls need, and for what.
const NEEDED: [(&str, &str); 6] = [
    (right::MONITOR, "everything"),
    (right::POOL, "everything"),
    (right::READ, "everything"),
    (right::CREATE, "snapshot and clone"),
    (right::UPDATE, "clone and revert"),
    (right::DELETE, "removing snapshots and clones"),
];

pub(super) async fn preflight(array: &Ceph) -> Result<Preflight, DriverError> {
    let held = array.client.rights().await?;
    let has = |wanted: &str| {
        let (scope, verb) = wanted.split_once(' ').unwrap_or((wanted, ""));
        held.get(scope).is_some_and(|verbs| verbs.iter().any(|held| held == verb))
    };
    let missing =
        NEEDED.into_iter().filter(|(privilege, _)| !has(privilege)).map(|(privilege, feature)| MissingRight {
            privilege: privilege.to_owned(),
            object: format!("user '{}' of {}", array.client.user(), array.client.name()),
            feature: feature.to_owned(),
        });
    let mut remarks = vec![
        "clones cannot be shown to hosts: that is a gateway's work, and the driver knows none".to_owned(),
        "the cluster does not tell who has an image open: a restore in place trusts the initiators of the configuration"
            .to_owned(),
    ];
    if array.luns.is_empty() {
        remarks.push("no image is configured as a device (array.ceph.lun): no datastore will be found here".to_owned());
    }
    Ok(Preflight { missing: missing.collect(), remarks })
}
