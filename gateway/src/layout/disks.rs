//! Each disk of a VM: where it lies, and how good a snapshot of it can be.

use super::{PlacedDatastore, array_name, by_path_name};
use std::collections::BTreeMap;
use strata_model::{DatastorePath, Grade};
use strata_proto::strata::{
    inventory::v1::{self as inv, DiskKind},
    storage::v1 as sto,
};

/// A disk, its place, and what can be promised for it.
#[derive(Debug, Clone)]
pub struct PlacedDisk {
    /// As vCenter shows it.
    pub disk: inv::Disk,
    /// The file that is written now, `[ds] dir/name.vmdk`; for a raw device its name.
    pub path: String,
    /// `arrays/{array}/volumes/{volume}`; `None` where it cannot be snapshotted.
    pub volume: Option<String>,
    /// Best grade of a snapshot; `None` where there can be none.
    pub best_grade: Option<Grade>,
    /// Why it cannot be snapshotted, or why not better.
    pub reason: String,
}

/// Places every disk.
pub(super) fn place(
    topology: &inv::VmTopology,
    datastores: &BTreeMap<String, PlacedDatastore>,
    arrays: &BTreeMap<String, sto::Array>,
) -> Vec<PlacedDisk> {
    topology.disks.iter().map(|disk| place_one(topology, disk, datastores, arrays)).collect()
}

fn place_one(
    topology: &inv::VmTopology,
    disk: &inv::Disk,
    datastores: &BTreeMap<String, PlacedDatastore>,
    arrays: &BTreeMap<String, sto::Array>,
) -> PlacedDisk {
    let path = disk.chain.first().cloned().unwrap_or_else(|| disk.device_name.clone());
    match volume_of(disk, datastores, arrays) {
        Err(reason) => PlacedDisk { disk: disk.clone(), path, volume: None, best_grade: None, reason },
        Ok(volume) => {
            let (grade, reason) = best_grade(topology, disk, &path);
            PlacedDisk { disk: disk.clone(), path, volume: Some(volume), best_grade: Some(grade), reason }
        }
    }
}

/// The one volume that holds the whole chain, or why there is none.
fn volume_of(
    disk: &inv::Disk,
    datastores: &BTreeMap<String, PlacedDatastore>,
    arrays: &BTreeMap<String, sto::Array>,
) -> Result<String, String> {
    match disk.kind() {
        DiskKind::RdmVirtual | DiskKind::RdmPhysical => {
            return Err(format!("raw device {}: its data is not in this restore point", disk.device_name));
        }
        DiskKind::Object => return Err("vSAN and vVol objects are not supported".to_owned()),
        DiskKind::File | DiskKind::Unspecified => {}
    }
    let mut found: Option<String> = None;
    for file in &disk.chain {
        let path: DatastorePath = file.parse()?;
        let placed = by_path_name(datastores, &path.datastore)
            .ok_or_else(|| format!("datastore {} is not known", path.datastore))?;
        let volume =
            placed.volume.as_ref().ok_or_else(|| format!("datastore {}: {}", path.datastore, placed.evidence))?;
        for part in placed.volumes() {
            if !part.read_write {
                return Err(format!(
                    "volume {} is read-only: a replication destination is list-and-clone only",
                    part.display_name
                ));
            }
            let array = array_name(&part.name).map_err(|error| error.message)?;
            if !arrays.contains_key(&array) {
                return Err(format!("{array} is not configured"));
            }
        }
        match &found {
            Some(first) if *first != volume.name => {
                return Err("its chain of files lies on more than one volume".to_owned());
            }
            _ => found = Some(volume.name.clone()),
        }
    }
    found.ok_or_else(|| "vCenter names no file for it".to_owned())
}

/// What a snapshot of this disk can promise, and why not more (safety.md S7, S10 to S12).
fn best_grade(topology: &inv::VmTopology, disk: &inv::Disk, path: &str) -> (Grade, String) {
    let vm = topology.vm.clone().unwrap_or_default();
    if disk.shared || topology.shared_files.iter().any(|shared| shared.path == path) {
        return (Grade::Crash, "it is shared with other VMs".to_owned());
    }
    if disk.independent {
        return (Grade::Crash, "it is independent: VMware snapshots leave it out".to_owned());
    }
    match vm.power_state() {
        inv::PowerState::Off => (Grade::Vm, String::new()),
        _ if !vm.tools_running => (Grade::Crash, "VMware Tools do not run in the guest".to_owned()),
        _ if vm.application_freeze => (Grade::App, String::new()),
        _ => (Grade::Vm, String::new()),
    }
}
