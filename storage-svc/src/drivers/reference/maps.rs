//! How hosts reach cloned LUNs: one initiator group a clone, named from its key, holds the initiators of all its hosts, so
//! that each LUN has one number for all.

use super::{
    Reference,
    client::{Change, pending},
    look, lun_clones, luns, name_rules,
    volume_clones::check_ours,
    wire::{self, Group},
};
use crate::{
    driver::{DriverError, Export, ExportRequest, ExportedLun, HostInitiators, Progress, Reason},
    naming,
};
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;
use strata_model::{ids::VolumeId, mark::Mark};

/// The clone's LUNs: all of a cloned volume are ours; in the source's volume each is asked for its mark.
async fn ours(
    array: &Reference,
    volume: &wire::Volume,
    paths: &[String],
    mark: &Mark,
) -> Result<Vec<wire::Lun>, DriverError> {
    let mut found = luns::of_volume(array, &volume.id).await?;
    found.retain(|lun| paths.contains(&lun.name));
    if check_ours(volume, mark).is_err() {
        for lun in &found {
            lun_clones::check_ours(lun, mark)?;
        }
    }
    Ok(found)
}

/// The clone's group, and its name.
async fn group(array: &Reference, mark: &Mark, label: &str) -> Result<(String, Option<Group>), DriverError> {
    let rules = name_rules(&array.system().await?.capabilities);
    let found = luns::groups(array).await?.into_values();
    let found = found.into_iter().find(|group| naming::is_for_key(&rules, &group.name, &mark.key));
    Ok((naming::render(&rules, &mark.key, label), found))
}

pub(super) async fn ensure(
    array: &Reference,
    want: &ExportRequest,
    paths: &[String],
    hosts: &[HostInitiators],
) -> Result<Progress<Export>, DriverError> {
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let volume = look::volume(array, &want.volume).await?;
    let held = ours(array, &volume, paths, &want.mark).await?;
    let place = format!("volume '{}'", volume.name);
    luns::named(&held, paths, &place)?;
    let initiators: BTreeSet<String> =
        hosts.iter().flat_map(|host| &host.initiators).map(|name| name.to_ascii_lowercase()).collect();
    let (name, found) = group(array, &want.mark, &want.label).await?;
    let group = match found {
        Some(group) => group,
        None => {
            let body = json!({"name": name, "initiators": initiators});
            let what = "make an initiator group";
            match array.client.change(Method::POST, "/initiator-groups", Some(body), what).await {
                Ok(Change::Queued(job)) => return Ok(pending(&job)),
                Ok(Change::Done) => {}
                Err(error) if error.reason == Reason::TargetExists => {}
                Err(error) => return Err(error),
            }
            self::group(array, &want.mark, &want.label).await?.1.ok_or_else(|| {
                DriverError::new(Reason::Busy, format!("initiator group '{name}' comes and goes; try again"))
            })?
        }
    };
    if group.initiators.iter().cloned().collect::<BTreeSet<_>>() != initiators {
        let path = format!("/initiator-groups/{}/initiators", group.id);
        let body = Some(json!({"initiators": initiators}));
        if let Change::Queued(job) = array.client.change(Method::PUT, &path, body, "set an initiator group").await? {
            return Ok(pending(&job));
        }
    }
    for lun in &held {
        if let Some(other) = lun.maps.iter().find(|map| map.group_id != group.id) {
            let text = format!(
                "LUN '{}' is mapped to the initiator group {} that Strata did not make; take it from there first",
                lun.name, other.group_id
            );
            return Err(DriverError::new(Reason::InUse, text));
        }
        if lun.maps.is_empty() {
            let path = format!("/luns/{}/maps/{}", lun.id, group.id);
            match array.client.change(Method::PUT, &path, Some(json!({})), "map a LUN").await {
                Ok(Change::Queued(job)) => return Ok(pending(&job)),
                Ok(Change::Done) => {}
                Err(error) if error.reason == Reason::TargetExists => {}
                Err(error) => return Err(error),
            }
        }
    }
    shown(array, &volume.id, paths, &group.id, &place).await
}

/// The LUNs as hosts reach them now.
async fn shown(
    array: &Reference,
    volume: &str,
    paths: &[String],
    group: &str,
    place: &str,
) -> Result<Progress<Export>, DriverError> {
    let live = luns::of_volume(array, volume).await?;
    let mapped = luns::named(&live, paths, place)?;
    let exported = mapped.into_iter().map(|lun| {
        let map = lun.maps.iter().find(|map| map.group_id == group).ok_or_else(|| {
            let text = format!("LUN '{}' was mapped and is not shown so; try again", lun.name);
            DriverError::new(Reason::Busy, text)
        })?;
        Ok(ExportedLun { path: lun.name.clone(), canonical_name: lun.canonical_name.clone(), number: Some(map.number) })
    });
    Ok(Progress::Ready(Export::Luns(exported.collect::<Result<_, DriverError>>()?)))
}

/// From all hosts, whoever mapped them; then the group goes where nothing is left in it.
pub(super) async fn remove(
    array: &Reference,
    want: &ExportRequest,
    paths: &[String],
) -> Result<Progress<()>, DriverError> {
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    if let Some(volume) = look::find_volume(array, &VolumeId(want.volume.to_string())).await? {
        for lun in ours(array, &volume, paths, &want.mark).await? {
            for map in &lun.maps {
                let path = format!("/luns/{}/maps/{}", lun.id, map.group_id);
                match array.client.change(Method::DELETE, &path, None, "unmap a LUN").await {
                    Ok(Change::Queued(job)) => return Ok(pending(&job)),
                    Ok(Change::Done) => {}
                    Err(error) if error.reason == Reason::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    let (_, Some(group)) = group(array, &want.mark, &want.label).await? else {
        return Ok(Progress::Ready(()));
    };
    let path = format!("/initiator-groups/{}", group.id);
    match array.client.change(Method::DELETE, &path, None, "delete an initiator group").await {
        Ok(Change::Queued(job)) => Ok(pending(&job)),
        Ok(Change::Done) => Ok(Progress::Ready(())),
        // Other LUNs of the clone are still mapped to it; it goes with the last.
        Err(error) if matches!(error.reason, Reason::NotFound | Reason::Exported) => Ok(Progress::Ready(())),
        Err(error) => Err(error),
    }
}
