//! What the array tells: volumes, devices, what is ours, what is missing.

use super::{
    Reference,
    client::paged,
    comment::Comment,
    file_marks, luns,
    wire::{self, Privileges, Volumes},
};
use crate::driver::{
    Device, DriverError, MissingRight, NfsPath, Owned, OwnedKind, Page, PageRequest, Preflight, Reason, Resolution,
    Volume,
};
use strata_model::{ids::VolumeId, names::encode};
use uuid::Uuid;

/// One volume as the array writes it.
pub(super) async fn volume(array: &Reference, id: &VolumeId) -> Result<wire::Volume, DriverError> {
    find_volume(array, id).await?.ok_or_else(|| {
        let text =
            format!("array {} has no volume '{id}'; list its volumes to see which there are", array.client.name());
        DriverError::new(Reason::NotFound, text)
    })
}

/// The same; `None` where there is none. Ids are UUIDs; anything else names nothing.
pub(super) async fn find_volume(array: &Reference, id: &VolumeId) -> Result<Option<wire::Volume>, DriverError> {
    if Uuid::parse_str(id.as_str()).is_err() {
        return Ok(None);
    }
    array.client.find(&format!("/volumes/{id}"), "show a volume").await
}

pub(super) fn to_volume(system: &wire::System, from: wire::Volume) -> Volume {
    let host = system.nfs_addresses.first().cloned();
    Volume {
        uuid: from.id.clone(),
        id: VolumeId(from.id),
        display_name: from.name,
        size_bytes: from.size_bytes,
        free_bytes: Some(from.size_bytes.saturating_sub(from.used_bytes)),
        read_write: !from.read_only,
        clone_of: from.parent.map(|parent| VolumeId(parent.volume_id)),
        // One for LUNs has no path.
        nfs: host.filter(|_| !from.export_path.is_empty()).map(|host| NfsPath { host, path: from.export_path }),
    }
}

/// A page of the array is a page of ours: its cursor is our token.
pub(super) async fn volumes(array: &Reference, page: &PageRequest) -> Result<Page<Volume>, DriverError> {
    let system = array.system().await?;
    let path = paged("/volumes", "", page.token.as_deref(), Some(page.size));
    let found: Volumes = array.client.get(&path, "list its volumes").await?;
    let items = found.volumes.into_iter().map(|volume| to_volume(&system, volume)).collect();
    Ok(Page { items, next: found.next_cursor })
}

/// By address and export path; a path below an export is looked for upwards.
pub(super) async fn resolve(array: &Reference, device: &Device) -> Result<Resolution, DriverError> {
    let nfs = match device {
        Device::Nfs(nfs) => nfs,
        Device::Canonical(name) => return luns::resolve(array, name).await,
    };
    let system = array.system().await?;
    if !system.nfs_addresses.iter().any(|address| NfsPath::is_same_host(address, &nfs.host)) {
        return Ok(Resolution::Absent { reason: String::new() });
    }
    let parts: Vec<&str> = nfs.path.split('/').filter(|part| !part.is_empty()).collect();
    if !parts.contains(&"..") {
        for length in (1..=parts.len()).rev() {
            let path = format!("/{}", parts[..length].join("/"));
            let found = array.client.volumes(&format!("export_path={}", encode(&path))).await?;
            if let Some(volume) = found.into_iter().next() {
                return Ok(Resolution::Found {
                    volume: to_volume(&system, volume),
                    path_in_volume: parts[length..].join("/"),
                    evidence: format!("NFS path {path} exported by {}", nfs.host),
                    lun: None,
                    siblings: Vec::new(),
                });
            }
        }
    }
    Ok(Resolution::Absent { reason: format!("array {} exports no volume at '{}'", array.client.name(), nfs.path) })
}

/// Everything with a mark that fits where it stands; copies on replicas and clones do not count (S2).
pub(super) async fn owned(
    array: &Reference,
    installation: Option<&str>,
    page: &PageRequest,
) -> Result<Page<Owned>, DriverError> {
    let mut owned = Vec::new();
    for volume in array.client.volumes("").await?.into_iter().filter(|volume| !volume.read_only) {
        let id = VolumeId(volume.id.clone());
        if let Some(parent) = &volume.parent
            && let Some(comment) = Comment::read(&volume.comment).filter(|comment| comment.is_for(&parent.volume_id))
        {
            owned.push(Owned {
                kind: OwnedKind::VolumeClone,
                volume: id.clone(),
                native_name: volume.name.clone(),
                native_id: volume.id.clone(),
                mark: comment.mark,
                create_time: volume.created_at,
            });
        }
        for snapshot in array.client.snapshots(&volume.id).await? {
            if let Some(comment) = Comment::read(&snapshot.comment).filter(|comment| comment.is_for(&volume.id)) {
                owned.push(Owned {
                    kind: OwnedKind::Snapshot,
                    volume: id.clone(),
                    native_name: snapshot.name,
                    native_id: snapshot.id,
                    mark: comment.mark,
                    create_time: snapshot.created_at,
                });
            }
        }
        for lun in luns::of_volume(array, &volume.id).await? {
            if let Some(comment) =
                Comment::read(&lun.comment).filter(|it| lun.origin.is_some() && it.is_for(&volume.id))
            {
                owned.push(Owned {
                    kind: OwnedKind::LunClone,
                    volume: id.clone(),
                    native_name: lun.name,
                    native_id: lun.id,
                    mark: comment.mark,
                    create_time: lun.created_at,
                });
            }
        }
        for entry in file_marks::index(array, &volume.id).await? {
            owned.extend(entry.directories.iter().map(|directory| Owned {
                kind: OwnedKind::FileClone,
                volume: id.clone(),
                native_name: directory.clone(),
                native_id: directory.clone(),
                mark: entry.mark.clone(),
                // The array keeps no times of directories.
                create_time: volume.created_at,
            }));
        }
    }
    owned.retain(|object| installation.is_none_or(|wanted| wanted == object.mark.installation));
    let token = |object: &Owned| format!("{} {:?} {}", object.volume, object.kind, object.native_id);
    owned.sort_by_key(token);
    Ok(Page::cut(owned, page, token))
}

/// The privileges that our calls need, and for what.
const NEEDED: [(&str, &str); 6] = [
    ("look", "everything"),
    ("snapshot.create", "snapshot"),
    ("snapshot.delete", "snapshot"),
    ("volume.clone", "clone by volume"),
    ("volume.delete", "clone by volume"),
    ("export.modify", "clone by volume"),
];

pub(super) async fn preflight(array: &Reference) -> Result<Preflight, DriverError> {
    let held: Privileges = array.client.get("/privileges", "tell our privileges").await?;
    let mut needed = NEEDED.to_vec();
    let mut remarks = Vec::new();
    match array.system().await {
        Ok(system) if system.capabilities.file_clones => needed.push(("file.modify", "clone and revert by file")),
        Ok(_) => remarks.push("the array cannot clone files: a revert needs a clone of the volume".to_owned()),
        Err(error) => remarks.push(format!("what the array can do could not be asked: {error}")),
    }
    if let Ok(system) = array.system().await {
        if system.capabilities.luns_per_volume_max > 0 {
            needed.push(("map.modify", "clone by LUN"));
        }
        if system.capabilities.lun_clones {
            needed.extend([
                ("lun.clone", "clone of single LUNs"),
                ("lun.delete", "clone of single LUNs"),
                ("lun.restore", "revert of a LUN in place"),
            ]);
        }
        if system.capabilities.volume_restore {
            needed.push(("volume.restore", "revert of a volume in place"));
        }
    }
    let missing = needed.into_iter().filter(|(privilege, _)| !held.privileges.iter().any(|has| has == privilege));
    let missing = missing.map(|(privilege, feature)| MissingRight {
        privilege: privilege.to_owned(),
        object: format!("login '{}' of {}", held.user, array.client.name()),
        feature: feature.to_owned(),
    });
    Ok(Preflight { missing: missing.collect(), remarks })
}
