//! How hosts reach LUNs of clones: an initiator group of our own, one a clone and volume, that holds exactly the given initiators.
//! Groups of others (those of ONTAP tools, of administrators) are never changed.

use super::{
    Ontap,
    client::literal,
    comment::{Comment, short},
    luns,
    names::LUNS,
    serial, volume_clones,
    wire::{self, Igroup},
};
use crate::{
    driver::{DriverError, ExportedLun, HostInitiators, Reason},
    naming,
};
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;
use strata_model::{mark::Mark, names::encode};

const IGROUPS: &str = "/protocols/san/igroups";
const MAPS: &str = "/protocols/san/lun-maps";

/// The LUNs of these paths that are there, all the caller's: in a cloned volume of this clone, or cloned in place with its mark.
pub(super) async fn check_ours(
    array: &Ontap,
    volume: &wire::Volume,
    mark: &Mark,
    paths: &[String],
) -> Result<Vec<(String, Option<wire::Lun>)>, DriverError> {
    let all = luns::of_volume(array, &volume.uuid).await?;
    let of = |path: &String| (path.clone(), all.iter().find(|lun| luns::path(lun) == path).cloned());
    let asked: Vec<_> = paths.iter().map(of).collect();
    let marked = |lun: &wire::Lun| {
        Comment::read(&lun.comment).is_some_and(|comment| comment.belongs_to(mark) && comment.is_for(&volume.uuid))
    };
    let unmarked = asked.iter().any(|(_, lun)| lun.as_ref().is_some_and(|lun| !marked(lun)));
    if unmarked {
        volume_clones::check_ours(array, volume, mark).await?;
    }
    Ok(asked)
}

pub(super) async fn ensure(
    array: &Ontap,
    volume: &wire::Volume,
    mark: &Mark,
    asked: Vec<(String, Option<wire::Lun>)>,
    hosts: &[HostInitiators],
) -> Result<Vec<ExportedLun>, DriverError> {
    let initiators = initiators(hosts)?;
    let name = igroup_name(mark, volume);
    for (path, lun) in &asked {
        let Some(lun) = lun else { return Err(absent(path, volume)) };
        if let Some(other) = lun.lun_maps.iter().find(|map| map.igroup.name != name) {
            let text = format!(
                "LUN '{}' is also mapped to igroup '{}', which is not ours; unmap it there",
                lun.name, other.igroup.name
            );
            return Err(DriverError::new(Reason::InUse, text));
        }
    }
    let igroup = ensure_igroup(array, volume, &name, &initiators).await?;
    for lun in asked.iter().filter_map(|(_, lun)| lun.as_ref()).filter(|lun| lun.lun_maps.is_empty()) {
        let body = json!({
            "svm": {"name": volume.svm.name},
            "lun": {"uuid": lun.uuid},
            "igroup": {"uuid": igroup.uuid},
        });
        match array.client.change(Method::POST, MAPS, Some(body), "map a LUN").await {
            Err(error) if error.reason != Reason::TargetExists => return Err(error),
            _ => {}
        }
    }
    let now = luns::of_volume(array, &volume.uuid).await?;
    asked.iter().map(|(path, _)| exported(&now, volume, &name, path)).collect()
}

fn exported(now: &[wire::Lun], volume: &wire::Volume, igroup: &str, path: &str) -> Result<ExportedLun, DriverError> {
    let lun = luns::at(now, &volume.name, path)?;
    let map = lun.lun_maps.iter().find(|map| map.igroup.name == igroup);
    match (map, serial::canonical_of(lun)) {
        (Some(map), Some(canonical_name)) => {
            let number = map.logical_unit_number.and_then(|number| u32::try_from(number).ok());
            Ok(ExportedLun { path: path.to_owned(), canonical_name, number })
        }
        _ => {
            let text =
                format!("LUN '{}' was mapped, and the array does not tell its map or its serial number", lun.name);
            Err(DriverError::new(Reason::Unexpected, text))
        }
    }
}

fn absent(path: &str, volume: &wire::Volume) -> DriverError {
    DriverError::new(Reason::NotFound, format!("there is no LUN '{path}' in clone '{}'", volume.name))
}

/// Unmaps the LUNs; the group goes with its last map.
pub(super) async fn remove(
    array: &Ontap,
    volume: &wire::Volume,
    mark: &Mark,
    asked: Vec<(String, Option<wire::Lun>)>,
) -> Result<(), DriverError> {
    let name = igroup_name(mark, volume);
    let mut theirs = None;
    for lun in asked.iter().filter_map(|(_, lun)| lun.as_ref()) {
        for map in &lun.lun_maps {
            if map.igroup.name != name {
                theirs = Some(format!("LUN '{}' is still mapped to igroup '{}'", lun.name, map.igroup.name));
                continue;
            }
            let at = format!("{MAPS}/{}/{}", lun.uuid, map.igroup.uuid);
            match array.client.change(Method::DELETE, &at, None, "unmap a LUN").await {
                Err(error) if error.reason != Reason::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    if let Some(igroup) = find_igroup(array, volume, &name).await?.filter(|it| it.lun_maps.is_empty()) {
        let at = format!("{IGROUPS}/{}", igroup.uuid);
        match array.client.change(Method::DELETE, &at, None, "delete an initiator group").await {
            Err(error) if !matches!(error.reason, Reason::NotFound | Reason::Exported) => return Err(error),
            _ => {}
        }
    }
    match theirs {
        None => Ok(()),
        Some(text) => Err(DriverError::new(Reason::InUse, format!("{text}, which is not ours; unmap it there"))),
    }
}

/// Known from the clone alone, whatever the label.
fn igroup_name(mark: &Mark, volume: &wire::Volume) -> String {
    naming::render(&LUNS, &mark.key, &short(&volume.uuid))
}

/// All names, in the form in which the array keeps them.
fn initiators(hosts: &[HostInitiators]) -> Result<BTreeSet<String>, DriverError> {
    let all: BTreeSet<String> =
        hosts.iter().flat_map(|host| &host.initiators).map(|it| it.trim().to_ascii_lowercase()).collect();
    let wrong = |text: String| Err(DriverError::new(Reason::InvalidRequest, text));
    if let Some(other) = all.iter().find(|it| !is_iscsi(it) && !is_wwpn(it)) {
        return wrong(format!("'{other}' is no iSCSI name (iqn., eui.) and no WWPN (20:01:…); LUNs go to those only"));
    }
    if all.is_empty() {
        return wrong("name at least one initiator; LUNs are never mapped to everybody".to_owned());
    }
    Ok(all)
}

fn is_iscsi(name: &str) -> bool {
    name.starts_with("iqn.") || name.starts_with("eui.")
}

fn is_wwpn(name: &str) -> bool {
    let pairs: Vec<&str> = name.split(':').collect();
    pairs.len() == 8 && pairs.iter().all(|pair| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The group of this name, refused where it is another's: it maps LUNs of other volumes, or is for other systems.
async fn find_igroup(array: &Ontap, volume: &wire::Volume, name: &str) -> Result<Option<Igroup>, DriverError> {
    let query = format!("svm.uuid={}&name={}", literal(&volume.svm.uuid), literal(name));
    let path = format!("{IGROUPS}?{query}&fields=uuid,name,os_type,initiators,lun_maps");
    let found: Vec<Igroup> = array.client.list(&path, "show an initiator group").await?;
    let Some(igroup) = found.into_iter().find(|igroup| igroup.name == name) else {
        return Ok(None);
    };
    let here = format!("/vol/{}/", volume.name);
    let foreign = igroup.lun_maps.iter().find(|map| !map.lun.name.is_empty() && !map.lun.name.starts_with(&here));
    if foreign.is_some() || !matches!(igroup.os_type.as_str(), "vmware" | "") {
        let text = format!("igroup '{name}' is not ours: it serves other LUNs or systems; rename it");
        return Err(DriverError::new(Reason::NotOurs, text));
    }
    Ok(Some(igroup))
}

async fn ensure_igroup(
    array: &Ontap,
    volume: &wire::Volume,
    name: &str,
    initiators: &BTreeSet<String>,
) -> Result<Igroup, DriverError> {
    if let Some(igroup) = find_igroup(array, volume, name).await? {
        return converge(array, igroup, initiators).await;
    }
    let protocol = match (initiators.iter().any(|it| is_iscsi(it)), initiators.iter().any(|it| is_wwpn(it))) {
        (true, false) => "iscsi",
        (false, true) => "fcp",
        _ => "mixed",
    };
    let body = json!({
        "svm": {"name": volume.svm.name},
        "name": name,
        "os_type": "vmware",
        "protocol": protocol,
        "initiators": initiators.iter().map(|it| json!({"name": it})).collect::<Vec<_>>(),
    });
    match array.client.change(Method::POST, IGROUPS, Some(body), "make an initiator group").await {
        Err(error) if error.reason != Reason::TargetExists => return Err(error),
        _ => {}
    }
    match find_igroup(array, volume, name).await? {
        Some(igroup) => converge(array, igroup, initiators).await,
        None => {
            let text = format!("igroup '{name}' comes and goes while it is made; try again");
            Err(DriverError::new(Reason::Busy, text))
        }
    }
}

/// Exactly these initiators; who must not reach the LUNs any more goes first.
async fn converge(array: &Ontap, igroup: Igroup, initiators: &BTreeSet<String>) -> Result<Igroup, DriverError> {
    let there: BTreeSet<String> = igroup.initiators.iter().map(|it| it.name.to_ascii_lowercase()).collect();
    let base = format!("{IGROUPS}/{}/initiators", igroup.uuid);
    for other in there.difference(initiators) {
        let at = format!("{base}/{}?allow_delete_while_mapped=true", encode(other));
        match array.client.change(Method::DELETE, &at, None, "remove an initiator from a group").await {
            Err(error) if error.reason != Reason::NotFound => return Err(error),
            _ => {}
        }
    }
    for missing in initiators.difference(&there) {
        let body = json!({"name": missing});
        match array.client.change(Method::POST, &base, Some(body), "add an initiator to a group").await {
            Err(error) if error.reason != Reason::TargetExists => return Err(error),
            _ => {}
        }
    }
    Ok(igroup)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initiators_of_all_forms() {
        let host = |names: &[&str]| {
            [HostInitiators { host: "esx-1".to_owned(), initiators: names.iter().map(|it| (*it).to_owned()).collect() }]
        };
        let good = host(&["IQN.1998-01.com.vmware:esx-1", "20:01:00:50:56:BB:70:72", "eui.0123456789abcdef"]);
        let found: Vec<String> = initiators(&good).unwrap().into_iter().collect();
        assert_eq!(found, ["20:01:00:50:56:bb:70:72", "eui.0123456789abcdef", "iqn.1998-01.com.vmware:esx-1"]);
        for bad in
            [&["nqn.2014-08.org.nvmexpress:uuid:1"][..], &["2001005056bb7072"], &["20:01:zz:50:56:bb:70:72"], &[]]
        {
            assert_eq!(initiators(&host(bad)).unwrap_err().reason, Reason::InvalidRequest, "{bad:?}");
        }
    }
}
