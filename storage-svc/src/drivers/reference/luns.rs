//! LUNs as the array tells them: live, in a snapshot, and who is shown them.

use super::{
    Reference,
    client::paged,
    look,
    wire::{self, Group, Groups, Luns},
};
use crate::driver::{DriverError, Lun, Reason, Resolution};
use std::collections::BTreeMap;
use strata_model::{
    ids::{ArraySnapshotId, VolumeId},
    names::encode,
};
use uuid::Uuid;

/// All LUNs that fit the query, every page.
async fn list(array: &Reference, query: &str) -> Result<Vec<wire::Lun>, DriverError> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page: Luns = array.client.get(&paged("/luns", query, cursor.as_deref(), None), "list its LUNs").await?;
        all.extend(page.luns);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// The live LUNs of a volume, by name.
pub(super) async fn of_volume(array: &Reference, volume: &str) -> Result<Vec<wire::Lun>, DriverError> {
    let mut found = list(array, &format!("volume_id={}", encode(volume))).await?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The LUNs that a snapshot holds, with the ids that the live ones had.
pub(super) async fn of_snapshot(
    array: &Reference,
    volume: &VolumeId,
    snapshot: &ArraySnapshotId,
) -> Result<Vec<wire::Lun>, DriverError> {
    if Uuid::parse_str(volume.as_str()).is_err() || Uuid::parse_str(snapshot.as_str()).is_err() {
        let text = format!("there is no snapshot '{snapshot}' of volume '{volume}'; list the volume's snapshots");
        return Err(DriverError::new(Reason::NotFound, text));
    }
    let path = format!("/volumes/{volume}/snapshots/{snapshot}/luns");
    let found: Luns = array.client.get(&path, "list a snapshot's LUNs").await?;
    Ok(found.luns)
}

/// Each named LUN among those of a volume or snapshot, in the order asked.
pub(super) fn named<'l>(
    luns: &'l [wire::Lun],
    names: &[String],
    place: &str,
) -> Result<Vec<&'l wire::Lun>, DriverError> {
    let find = |name: &String| {
        luns.iter().find(|lun| lun.name == *name).ok_or_else(|| {
            DriverError::new(Reason::NotFound, format!("there is no LUN '{name}' in {place}; list what is there"))
        })
    };
    names.iter().map(find).collect()
}

/// All initiator groups, by id.
pub(super) async fn groups(array: &Reference) -> Result<BTreeMap<String, Group>, DriverError> {
    let (mut all, mut cursor) = (BTreeMap::new(), None::<String>);
    loop {
        let path = paged("/initiator-groups", "", cursor.as_deref(), None);
        let page: Groups = array.client.get(&path, "list its initiator groups").await?;
        all.extend(page.groups.into_iter().map(|group| (group.id.clone(), group)));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// As storage.v1 has it.
pub(super) fn to_lun(lun: &wire::Lun, groups: &BTreeMap<String, Group>) -> Lun {
    let mapped = lun.maps.iter().filter_map(|map| groups.get(&map.group_id));
    let mut initiators: Vec<String> = mapped.flat_map(|group| group.initiators.iter().cloned()).collect();
    initiators.sort();
    initiators.dedup();
    Lun {
        path: lun.name.clone(),
        uuid: lun.id.clone(),
        canonical_name: Some(lun.canonical_name.clone()).filter(|name| !name.is_empty()),
        size_bytes: lun.size_bytes,
        initiators,
    }
}

/// The volume behind a device, by the name that hosts make of the LUN's serial.
pub(super) async fn resolve(array: &Reference, canonical_name: &str) -> Result<Resolution, DriverError> {
    let name = canonical_name.to_ascii_lowercase();
    let found = list(array, &format!("canonical_name={}", encode(&name))).await?;
    let Some(lun) = found.into_iter().next() else {
        return Ok(Resolution::Absent { reason: String::new() });
    };
    let groups = groups(array).await?;
    let volume = look::volume(array, &VolumeId(lun.volume_id.clone())).await?;
    let siblings = of_volume(array, &lun.volume_id).await?;
    Ok(Resolution::Found {
        volume: look::to_volume(&array.system().await?, volume),
        path_in_volume: String::new(),
        evidence: format!("{name} is LUN '{}' with serial {}", lun.name, lun.serial),
        siblings: siblings.iter().filter(|other| other.id != lun.id).map(|other| to_lun(other, &groups)).collect(),
        lun: Some(to_lun(&lun, &groups)),
    })
}
