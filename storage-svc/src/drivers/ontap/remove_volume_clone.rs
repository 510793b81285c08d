//! Removing clones of volumes: unmounted, then deleted past the recovery queue, where they would pin their snapshot for hours.
//! Only what carries our mark is touched.

use super::{
    Ontap,
    client::{Change, WAIT},
    export_nfs, export_policies,
    job::{pending, settle_removal},
    luns, snapshots,
    volume_clones::{by_key, check_ours, is_from},
    wire::{self, time},
};
use crate::driver::{CloneRemoval, DriverError, Progress, Reason};
use http::Method;
use serde_json::json;

pub(super) async fn remove(array: &Ontap, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    if let Some(waiting) = settle_removal(array, want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let found = by_key(array, &want.mark.key).await?;
    for volume in &found {
        check_ours(array, volume, &want.mark).await?;
        if !want.targets.is_empty() && !want.targets.iter().any(|target| is_from(volume, target)) {
            let text = format!("clone '{}' was made of another snapshot than asked; it is left alone", want.mark.key);
            return Err(DriverError::new(Reason::KeyReused, text));
        }
        check_not_exported(array, volume).await?;
        check_no_snapshots(array, volume).await?;
    }
    // Checked all before the first goes.
    for volume in &found {
        if volume.nas.path.is_some()
            && let Change::Queued(job) =
                export_nfs::change(array, volume, json!({"nas": {"path": ""}}), "unmount a clone").await?
        {
            return Ok(pending(&job));
        }
        match delete(array, volume).await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(job)) => return Ok(pending(&job)),
            Err(error) if error.reason == Reason::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    export_policies::remove_of_key(array, &want.mark.key).await?;
    Ok(Progress::Ready(()))
}

async fn check_not_exported(array: &Ontap, volume: &wire::Volume) -> Result<(), DriverError> {
    let clients = export_nfs::clients(array, volume).await?;
    if !clients.is_empty() {
        let text = format!("clone '{}' is exported to {}; take the export away first", volume.name, clients.join(", "));
        return Err(DriverError::new(Reason::Exported, text));
    }
    match luns::of_volume(array, &volume.uuid).await?.iter().find_map(|lun| Some((lun, lun.lun_maps.first()?))) {
        None => Ok(()),
        Some((lun, map)) => {
            let text = format!(
                "LUN '{}' of clone '{}' is mapped to igroup '{}'; take the export away first",
                luns::path(lun),
                volume.name,
                map.igroup.name
            );
            Err(DriverError::new(Reason::Exported, text))
        }
    }
}

/// Snapshots of the clone itself would go with it, whoever made them. Those that it came with are its source's.
async fn check_no_snapshots(array: &Ontap, volume: &wire::Volume) -> Result<(), DriverError> {
    let made = time(&volume.create_time);
    let all = snapshots::list(array, &volume.uuid, "").await?;
    let own = all.iter().filter(|it| it.name != volume.clone.parent_snapshot.name && time(&it.create_time) >= made);
    let names: Vec<&str> = own.map(|it| it.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let text = format!("clone '{}' has snapshots of its own; remove these first: {}", volume.name, names.join(", "));
    Err(DriverError::new(Reason::HasDependents, text))
}

/// An online volume is taken offline by the call itself; `force` bypasses the recovery queue, and no dependency.
async fn delete(array: &Ontap, volume: &wire::Volume) -> Result<Change, DriverError> {
    let path = format!("/storage/volumes/{}?force=true&{WAIT}", volume.uuid);
    match array.client.change(Method::DELETE, &path, None, "delete a clone").await {
        // A release that wants it offline first.
        Err(error) if error.vendor.as_ref().is_some_and(|vendor| vendor.0 == "917658") => {
            let offline =
                export_nfs::change(array, volume, json!({"state": "offline"}), "take a clone offline").await?;
            match offline {
                Change::Done => array.client.change(Method::DELETE, &path, None, "delete a clone").await,
                queued => Ok(queued),
            }
        }
        other => other,
    }
}
