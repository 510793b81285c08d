//! The datastores that a restore point was cut in, as they are now.

use crate::{
    catalog::{Member, RestorePoint},
    deps::Deps,
    error::{GatewayError, Result},
    layout::shown_name,
};
use std::collections::BTreeMap;
use strata_model::ErrorKind;
use strata_proto::strata::inventory::v1 as inv;

/// The datastores of the point as they are now, by name. For clones of files each must still be the pinned volume (S5).
pub(super) async fn source_datastores(
    deps: &Deps,
    vcenter: &str,
    point: &RestorePoint,
) -> Result<BTreeMap<String, inv::Datastore>> {
    let (all, _) = deps.ports.inventory.all_datastores().await?;
    let mut found = BTreeMap::new();
    for member in &point.intent.members {
        let datastore = pinned(&all, vcenter, member)?;
        let device = crate::layout::device_of(datastore).map_err(|why| {
            GatewayError::unsupported("DATASTORE_UNSUPPORTED", format!("[{}]: {why}", member.datastore))
        })?;
        let answer = deps.ports.storage.resolve_devices(vec![device]).await?;
        let resolution = answer.resolutions.into_iter().next().unwrap_or_default();
        match resolution.volume {
            Some(volume) if volume.name == member.volume && volume.uuid == member.volume_uuid => {
                refuse_moved_root(member, &resolution.path_in_volume)?;
            }
            Some(volume) => {
                let message = format!(
                    "[{}] was {} (uuid {}) and is {} (uuid {}) now; the restore point is of another volume",
                    member.datastore, member.volume, member.volume_uuid, volume.name, volume.uuid
                );
                return Err(GatewayError::conflict("VOLUME_CHANGED", message).with("datastore", &member.datastore));
            }
            None => return Err(absent(deps, member, &answer.unreachable).await),
        }
        found.insert(member.datastore.clone(), datastore.clone());
    }
    Ok(found)
}

/// No array has the volume; where one does not answer it may be there, and why it does not is what helps.
async fn absent(deps: &Deps, member: &Member, unreachable: &[String]) -> GatewayError {
    let Some(array) = unreachable.first() else { return GatewayError::not_found("volume", &member.volume) };
    let why = deps.ports.storage.get_array(array).await.map_or_else(|error| error.message, |array| array.state_reason);
    let message = format!("{array} does not answer, and [{}] is on no array that does: {why}", member.datastore);
    GatewayError::new(ErrorKind::Unavailable, "ARRAY_UNREACHABLE", message).with("array", array)
}

/// The datastore of a member: the pinned one, or, for a record that pinned none, the only one of its name.
fn pinned<'d>(all: &'d [inv::Datastore], vcenter: &str, member: &Member) -> Result<&'d inv::Datastore> {
    if !member.datastore_name.is_empty() {
        let found = all.iter().find(|datastore| datastore.name == member.datastore_name);
        // vCenter gives another id when a datastore is mounted anew; its name and volume then tell.
        if let Some(found) = found.filter(|datastore| is_called(datastore, &member.datastore)) {
            return Ok(found);
        }
        if let Some(renamed) = found {
            let message = format!(
                "the datastore [{}] is called [{}] now, and the restore point's paths are of the old name",
                member.datastore, renamed.display_name
            );
            return Err(GatewayError::conflict("DATASTORE_RENAMED", message)
                .with("datastore", &renamed.name)
                .hint(format!("give it its name back: {}", member.datastore)));
        }
    }
    let prefix = format!("{vcenter}/");
    let named: Vec<&inv::Datastore> = all
        .iter()
        .filter(|datastore| datastore.name.starts_with(&prefix) && is_called(datastore, &member.datastore))
        .collect();
    match named.as_slice() {
        [only] => Ok(only),
        [] => Err(GatewayError::not_found("datastore", &member.datastore)),
        several => {
            let names: Vec<&str> = several.iter().map(|datastore| datastore.name.as_str()).collect();
            let message = format!(
                "{vcenter} has {} datastores named [{}], and the restore point does not say which it is of",
                several.len(),
                member.datastore
            );
            Err(GatewayError::conflict("DATASTORE_AMBIGUOUS", message)
                .with("datastores", names.join(","))
                .hint("rename the other one, or clone a newer restore point"))
        }
    }
}

/// By the name as it is written, or as vCenter escapes it in paths.
fn is_called(datastore: &inv::Datastore, name: &str) -> bool {
    datastore.display_name == name || datastore.display_name == shown_name(name)
}

/// Files are looked up in the snapshot below the datastore's root; another root would find others' files, or none.
fn refuse_moved_root(member: &Member, root_now: &str) -> Result<()> {
    if root_now.trim_matches('/') == member.path_in_volume.trim_matches('/') {
        return Ok(());
    }
    let message = format!(
        "[{}] was mounted from '/{}' of {} and is mounted from '/{}' now; the restore point's paths do not fit",
        member.datastore,
        member.path_in_volume.trim_matches('/'),
        member.volume,
        root_now.trim_matches('/')
    );
    Err(GatewayError::conflict("DATASTORE_ROOT_CHANGED", message).with("datastore", &member.datastore))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As an older version wrote it, without what was added since.
    fn member(datastore_name: &str, root: &str) -> Member {
        serde_json::from_value(serde_json::json!({
            "volume": "arrays/a/volumes/v",
            "volume_uuid": "u",
            "datastore": "ds",
            "datastore_name": datastore_name,
            "path_in_volume": root,
            "evidence": "",
            "paths": [],
        }))
        .unwrap()
    }

    #[test]
    fn the_datastore_is_the_pinned_one() {
        let store = |name: &str, display_name: &str| inv::Datastore {
            name: name.into(),
            display_name: display_name.into(),
            ..Default::default()
        };
        let two = [store("vcenters/1/datastores/a", "ds"), store("vcenters/1/datastores/b", "ds")];
        let far = [store("vcenters/1/datastores/a", "ds"), store("vcenters/12/datastores/b", "ds")];
        let renamed = [store("vcenters/1/datastores/a", "new")];
        for (all, pin, expected) in [
            (&two[..], "vcenters/1/datastores/b", Ok("vcenters/1/datastores/b")),
            (&two, "", Err("DATASTORE_AMBIGUOUS")),
            (&two, "vcenters/1/datastores/gone", Err("DATASTORE_AMBIGUOUS")),
            (&two[..1], "vcenters/1/datastores/gone", Ok("vcenters/1/datastores/a")),
            (&far, "", Ok("vcenters/1/datastores/a")),
            (&renamed, "vcenters/1/datastores/a", Err("DATASTORE_RENAMED")),
            (&renamed, "", Err("DATASTORE_NOT_FOUND")),
        ] {
            let found = pinned(all, "vcenters/1", &member(pin, ""));
            assert_eq!(
                found.as_ref().map(|store| store.name.as_str()).map_err(|error| error.reason.as_str()),
                expected
            );
        }
    }

    #[test]
    fn a_datastores_root_must_be_as_it_was() {
        for (was, now, fits) in [("", "", true), ("a/b", "/a/b/", true), ("a", "", false), ("", "a", false)] {
            assert_eq!(refuse_moved_root(&member("", was), now).is_ok(), fits, "{was} {now}");
        }
    }
}
