//! Finds the datastore of a VMFS by its devices, never by a name or label (safety.md S5).

use crate::{
    topology::{datastore, pb, places::Places},
    vcenter::{Client, Refusal, property_collector::ObjectProperties},
};
use std::collections::BTreeSet;

/// A datastore on VMFS. One file system is a datastore in each datacenter whose hosts mount it.
#[derive(Debug)]
pub struct VmfsStore<'p> {
    /// As it was read.
    pub object: &'p ObjectProperties,
    /// As the contract shows it.
    pub shown: pb::Datastore,
    /// Its file system.
    pub vmfs: pb::VmfsBacking,
}

/// The datastores on exactly these devices; with `uuid` also those of this file system. None is no error.
///
/// # Errors
/// One lies on some of the devices and on others too, or on these with another uuid: the request does not describe what is
/// there.
pub fn on<'p>(
    client: &Client,
    places: &'p Places,
    devices: &[String],
    uuid: &str,
) -> Result<Vec<VmfsStore<'p>>, Refusal> {
    let wanted: BTreeSet<&str> = devices.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    for object in places.of_kind("Datastore") {
        let shown = datastore::datastore(client.name(), object, places);
        let Some(vmfs) = vmfs(&shown) else { continue };
        let extents: BTreeSet<&str> = vmfs.extents.iter().map(|extent| extent.canonical_name.as_str()).collect();
        let is_named = !uuid.is_empty() && same_uuid(&vmfs.uuid, uuid);
        if extents.is_disjoint(&wanted) && !is_named {
            continue;
        }
        let name = &shown.display_name;
        if extents != wanted {
            let text = format!(
                "datastore {name} lies on {}, and the request names {}; look at the datastore and at the array",
                listed(&extents),
                listed(&wanted)
            );
            return Err(Refusal::conflict("DEVICES_OF_OTHER_VMFS", text).and("datastore", shown.name));
        }
        if !uuid.is_empty() && !is_named {
            let text = format!(
                "{} carries the VMFS {} of datastore {name} and not {uuid}; it is left alone",
                listed(&wanted),
                vmfs.uuid
            );
            return Err(Refusal::conflict("VMFS_IS_ANOTHER", text).and("datastore", shown.name));
        }
        let vmfs = vmfs.clone();
        found.push(VmfsStore { object, shown, vmfs });
    }
    found.sort_by(|left, right| left.object.object.cmp(&right.object.object));
    Ok(found)
}

/// The VMFS of a datastore; `None` for one that lies on something else.
pub fn vmfs(store: &pb::Datastore) -> Option<&pb::VmfsBacking> {
    match store.backing.as_ref()?.kind.as_ref()? {
        pb::datastore_backing::Kind::Vmfs(vmfs) => Some(vmfs),
        _ => None,
    }
}

/// Whether two uuids are of one file system.
pub fn same_uuid(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

/// Devices of a request: at least one, each once.
///
/// # Errors
/// None, an empty one, or one twice.
pub fn devices<'d>(field: &'static str, devices: impl IntoIterator<Item = &'d str>) -> Result<Vec<String>, Refusal> {
    let all: Vec<String> = devices.into_iter().map(str::to_owned).collect();
    let unique: BTreeSet<&str> = all.iter().map(String::as_str).collect();
    if all.is_empty() || unique.contains("") || unique.len() != all.len() {
        return Err(Refusal::invalid(field, format!("{field} must name each device once, by its canonical name")));
    }
    Ok(all)
}

/// Names for people.
pub fn listed(names: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = names.iter().copied().collect();
    names.join(", ")
}
