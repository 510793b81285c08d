//! Everything on the array that carries a mark which fits where it stands; copies on replicas and clones do not count (S2).

use super::{
    Ontap,
    comment::Comment,
    file_marks, luns,
    snapshots::{self, comment_of},
    volumes,
    wire::{self, time},
};
use crate::driver::{DriverError, Owned, OwnedKind, Page, PageRequest, Reason};
use strata_model::{ids::VolumeId, mark::Mark};

/// Fields that a snapshot's ownership is read from.
const ALL_SNAPSHOTS: &str = "/storage/volumes/*/snapshots?name=strata_*&fields=*";
const ALL_LUNS: &str = "/storage/luns?comment=strata1*&fields=uuid,name,comment,create_time,location.volume,svm";

pub(super) async fn page(
    array: &Ontap,
    installation: Option<&str>,
    page: &PageRequest,
) -> Result<Page<Owned>, DriverError> {
    let learned = array.learned().await?;
    let mut writable = volumes::list(array, "").await?;
    writable.retain(|volume| volumes::is_read_write(&learned, volume));
    let mut owned: Vec<Owned> = writable.iter().filter_map(of_clone).collect();
    owned.extend(of_snapshots(array, &writable).await?);
    owned.extend(of_luns(array, &writable).await?);
    // Files are where hosts mount.
    for volume in writable.iter().filter(|volume| volume.nas.path.is_some()) {
        for entry in file_marks::index(array, &volume.uuid).await? {
            // The array keeps times of directories, and files of a clone may be older than it.
            owned.extend(entry.directories.iter().map(|directory| Owned {
                kind: OwnedKind::FileClone,
                volume: VolumeId(volume.uuid.clone()),
                native_name: directory.clone(),
                native_id: directory.clone(),
                mark: entry.mark.clone(),
                create_time: time(&volume.create_time),
            }));
        }
    }
    owned.retain(|object| installation.is_none_or(|wanted| wanted == object.mark.installation));
    let token = |object: &Owned| format!("{} {:?} {}", object.volume, object.kind, object.native_id);
    owned.sort_by_key(token);
    Ok(Page::cut(owned, page, token))
}

fn object(kind: OwnedKind, volume: &str, (name, id): (&str, &str), mark: Mark, create_time: &str) -> Owned {
    Owned {
        kind,
        volume: VolumeId(volume.to_owned()),
        native_name: name.to_owned(),
        native_id: id.to_owned(),
        mark,
        create_time: time(create_time),
    }
}

fn of_clone(volume: &wire::Volume) -> Option<Owned> {
    let comment = Comment::read(&volume.comment)?;
    let ours = volume.clone.is_flexclone && comment.is_for(&volume.clone.parent_volume.uuid);
    let names = (volume.name.as_str(), volume.uuid.as_str());
    ours.then(|| object(OwnedKind::VolumeClone, &volume.uuid, names, comment.mark, &volume.create_time))
}

/// Of all volumes in one question; one by one where the release or the role does not allow that.
async fn of_snapshots(array: &Ontap, writable: &[wire::Volume]) -> Result<Vec<Owned>, DriverError> {
    let all: Vec<wire::Snapshot> = match array.client.list(ALL_SNAPSHOTS, "list all snapshots").await {
        Err(error)
            if matches!(
                error.reason,
                Reason::NotFound | Reason::NotSupported | Reason::InvalidRequest | Reason::RightMissing
            ) =>
        {
            let mut all = Vec::new();
            for volume in writable {
                all.extend(snapshots::list(array, &volume.uuid, "name=strata_*").await?);
            }
            all
        }
        other => other?,
    };
    let of = |snapshot: &wire::Snapshot| {
        let here = writable.iter().any(|volume| volume.uuid == snapshot.volume.uuid);
        let comment = comment_of(snapshot).filter(|_| here)?;
        let names = (snapshot.name.as_str(), snapshot.uuid.as_str());
        Some(object(OwnedKind::Snapshot, &snapshot.volume.uuid, names, comment.mark, &snapshot.create_time))
    };
    Ok(all.iter().filter_map(of).collect())
}

async fn of_luns(array: &Ontap, writable: &[wire::Volume]) -> Result<Vec<Owned>, DriverError> {
    let all: Vec<wire::Lun> = match array.client.list(ALL_LUNS, "list cloned LUNs").await {
        // A login for NFS alone makes none.
        Err(error) if matches!(error.reason, Reason::RightMissing | Reason::NotSupported) => Vec::new(),
        other => other?,
    };
    let of = |lun: &wire::Lun| {
        let volume = &lun.location.volume.uuid;
        let here = writable.iter().any(|it| it.uuid == *volume);
        let comment = Comment::read(&lun.comment).filter(|comment| here && comment.is_for(volume))?;
        Some(object(OwnedKind::LunClone, volume, (luns::path(lun), &lun.uuid), comment.mark, &lun.create_time))
    };
    Ok(all.iter().filter_map(of).collect())
}
