//! The links from a VM down to its arrays, each with the evidence for it.

use super::{PlacedLun, VmLayout, array_name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A link between two objects, as the catalog stores it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Relation {
    /// The upper object, by resource name.
    pub from: String,
    /// What the link means: `has disk`, `lies on`, `mounted by`, `is volume`, `is on LUN`, `lies in volume`,
    /// `mapped to`, `is on array`.
    pub kind: String,
    /// The lower object.
    pub to: String,
    /// How it was established.
    pub evidence: String,
}

fn link(from: &str, kind: &str, to: &str, evidence: impl Into<String>) -> Relation {
    Relation { from: from.to_owned(), kind: kind.to_owned(), to: to.to_owned(), evidence: evidence.into() }
}

pub(super) fn of(layout: &VmLayout) -> Vec<Relation> {
    let mut links = Vec::new();
    for placed in &layout.disks {
        let disk = format!("{}/disks/{}", layout.vm.name, placed.disk.key);
        let how = format!("{}, file {}", placed.disk.label, placed.path);
        links.push(link(&layout.vm.name, "has disk", &disk, how));
        if !placed.disk.datastore.is_empty() {
            links.push(link(&disk, "lies on", &placed.disk.datastore, format!("backing file {}", placed.path)));
        }
    }
    for placed in layout.datastores.values() {
        let datastore = &placed.datastore;
        for mount in &datastore.mounts {
            let host = format!("{}/hosts/{}", vcenter_part(&datastore.name), mount.host_moref);
            let state = if mount.accessible { "accessible" } else { "not accessible" };
            links.push(link(
                &datastore.name,
                "mounted by",
                &host,
                format!("{}, {}, {state}", mount.host, mount.access_mode),
            ));
        }
        for part in &placed.luns {
            links.extend(of_lun(layout, &datastore.name, part));
        }
        if let Some(volume) = placed.volume.as_ref().filter(|_| placed.luns.is_empty()) {
            links.push(link(&datastore.name, "is volume", &volume.name, placed.evidence.clone()));
            if let Ok(array) = array_name(&volume.name) {
                links.push(link(&volume.name, "is on array", &array, format!("volume uuid {}", volume.uuid)));
            }
        }
    }
    links.sort();
    links.dedup();
    links
}

fn lun_name(part: &PlacedLun) -> String {
    let shown = if part.lun.path.is_empty() { &part.lun.canonical_name } else { &part.lun.path };
    format!("{}/luns/{}", part.volume.name, strata_model::names::encode(shown))
}

/// From a VMFS by one of its LUNs to the volume and its array, and to whom the array shows the LUN.
fn of_lun(layout: &VmLayout, datastore: &str, part: &PlacedLun) -> Vec<Relation> {
    let (lun, volume) = (&part.lun, &part.volume);
    let name = lun_name(part);
    let mut links = vec![
        link(datastore, "is on LUN", &name, part.evidence.clone()),
        link(&name, "lies in volume", &volume.name, format!("LUN uuid {}, volume uuid {}", lun.uuid, volume.uuid)),
    ];
    if let Ok(array) = array_name(&volume.name) {
        links.push(link(&volume.name, "is on array", &array, format!("volume uuid {}", volume.uuid)));
    }
    for initiator in &lun.initiators {
        let adapter = layout.hosts.iter().find_map(|host| {
            let here = host.adapters.iter().find(|adapter| adapter.initiator.eq_ignore_ascii_case(initiator));
            here.map(|adapter| (host, adapter))
        });
        links.push(match adapter {
            Some((host, adapter)) => {
                link(&name, "mapped to", &host.name, format!("initiator {initiator} is {} of it", adapter.device))
            }
            None => {
                let text = "the array maps it, and no host of this vCenter has this initiator";
                link(&name, "mapped to", &format!("initiators/{initiator}"), text)
            }
        });
    }
    links
}

/// The names for people of every object in the links, by resource name.
pub(super) fn display_names(layout: &VmLayout) -> BTreeMap<String, String> {
    let mut names = BTreeMap::from([(layout.vm.name.clone(), layout.vm.display_name.clone())]);
    for placed in &layout.disks {
        names.insert(format!("{}/disks/{}", layout.vm.name, placed.disk.key), placed.disk.label.clone());
    }
    for placed in layout.datastores.values() {
        let datastore = &placed.datastore;
        names.insert(datastore.name.clone(), datastore.display_name.clone());
        for mount in &datastore.mounts {
            names.insert(format!("{}/hosts/{}", vcenter_part(&datastore.name), mount.host_moref), mount.host.clone());
        }
        for volume in placed.volumes() {
            names.insert(volume.name.clone(), volume.display_name.clone());
        }
        for part in &placed.luns {
            names.insert(lun_name(part), part.lun.canonical_name.clone());
        }
    }
    names
}

fn vcenter_part(name: &str) -> &str {
    name.split("/datastores/").next().unwrap_or(name)
}
