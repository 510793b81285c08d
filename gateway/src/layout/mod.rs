//! A VM laid onto the arrays: its disks on datastores, those on volumes, and who else lives there. Read anew from vCenter
//! and the arrays each time; nothing here is remembered.

mod disks;
mod files;
mod neighbours;
mod observation;
mod relations;

pub use disks::PlacedDisk;
pub use files::{chain_files, is_extent, volume_path};
pub use neighbours::Neighbour;
pub use observation::Observation;
pub use relations::Relation;

use crate::{
    error::{GatewayError, Result},
    ports::Ports,
};
use std::collections::{BTreeMap, BTreeSet};
use strata_model::{DatastorePath, ErrorKind};
use strata_proto::strata::{
    inventory::v1::{self as inv, datastore_backing},
    storage::v1 as sto,
};

/// A datastore and the volume behind it.
#[derive(Debug, Clone)]
pub struct PlacedDatastore {
    /// As vCenter shows it.
    pub datastore: inv::Datastore,
    /// The volume; `None` where no array was found.
    pub volume: Option<sto::Volume>,
    /// The datastore's root within the volume.
    pub path_in_volume: String,
    /// How the volume was found, or why it was not.
    pub evidence: String,
}

/// A VM with everything that lies under it and beside it.
#[derive(Debug, Clone)]
pub struct VmLayout {
    /// As vCenter shows it.
    pub topology: inv::VmTopology,
    /// `topology.vm`, which is always there.
    pub vm: inv::Vm,
    /// Its datastores, by display name.
    pub datastores: BTreeMap<String, PlacedDatastore>,
    /// Its disks, in the order of their keys.
    pub disks: Vec<PlacedDisk>,
    /// What shares its volumes.
    pub neighbours: Vec<Neighbour>,
    /// The arrays behind it, by `arrays/{array}`.
    pub arrays: BTreeMap<String, sto::Array>,
    /// vCenters and arrays that did not answer; what is missing may be there.
    pub unreachable: Vec<String>,
    /// Why arrays among them do not answer; asked only where a datastore is on none that does.
    pub silence: BTreeMap<String, String>,
}

/// How far to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The VM, its volumes and its neighbours, with a browse of the datastores.
    Full,
    /// The VM and its volumes only: for a second look (safety.md S13).
    Quick,
}

impl VmLayout {
    /// Reads it.
    ///
    /// # Errors
    /// NotFound where the VM is not there; Unavailable where vCenter or storage-svc do not answer.
    pub async fn read(ports: &Ports, vm_name: &str, depth: Depth) -> Result<Self> {
        let skip_browse = depth == Depth::Quick;
        let topology = ports
            .inventory
            .get_vm_topology(inv::GetVmTopologyRequest { name: vm_name.to_owned(), skip_browse })
            .await?;
        let vm = topology
            .vm
            .clone()
            .ok_or_else(|| GatewayError::unexpected(format!("a topology without VM for {vm_name}")))?;
        let (datastores, mut unreachable) = place(ports, &topology.datastores).await?;
        let arrays = arrays_of(ports, &datastores).await?;
        let disks = disks::place(&topology, &datastores, &arrays);
        let neighbours = match depth {
            Depth::Full => neighbours::find(ports, &topology, &datastores, &mut unreachable).await?,
            Depth::Quick => Vec::new(),
        };
        let silence = silence(ports, &datastores, &unreachable).await;
        Ok(Self { topology, vm, datastores, disks, neighbours, arrays, unreachable, silence })
    }

    /// The volume and the path within it of a file.
    ///
    /// # Errors
    /// The path is none, or its datastore lies on no known volume; the message says which.
    pub fn locate(&self, path: &str) -> Result<(&PlacedDatastore, String)> {
        let path: DatastorePath = path.parse().map_err(GatewayError::unexpected)?;
        let placed = self.datastore(&path.datastore).ok_or_else(|| {
            GatewayError::unexpected(format!("{path} is on no datastore of {}", self.vm.display_name))
        })?;
        Ok((placed, volume_path(&placed.path_in_volume, &path.path)))
    }

    /// A datastore by the name that stands in paths.
    pub fn datastore(&self, name: &str) -> Option<&PlacedDatastore> {
        by_path_name(&self.datastores, name)
    }

    /// The array of a volume name.
    pub fn array_of(&self, volume: &str) -> Result<&sto::Array> {
        let array = array_name(volume)?;
        self.arrays.get(&array).ok_or_else(|| GatewayError::not_found("array", &array))
    }

    /// The other VMs that use a shared file, by the names that people know.
    pub fn shared_with(&self, shared: &inv::SharedFile) -> Vec<String> {
        let others = shared.vms.iter().filter(|vm| **vm != self.vm.name);
        let named = |vm: &String| self.topology.tenants.iter().find(|tenant| tenant.vm == *vm);
        others.map(|vm| named(vm).map_or_else(|| vm.clone(), |tenant| tenant.display_name.clone())).collect()
    }

    /// Every link from the VM down to the arrays, with its evidence.
    pub fn relations(&self) -> Vec<Relation> {
        relations::of(self)
    }

    /// The names for people of every object in [`VmLayout::relations`], by resource name; an array has none but its own.
    pub fn display_names(&self) -> BTreeMap<String, String> {
        relations::display_names(self)
    }
}

/// What the arrays that do not answer say of it: a certificate that expired is not mended by waiting.
async fn silence(
    ports: &Ports,
    datastores: &BTreeMap<String, PlacedDatastore>,
    unreachable: &[String],
) -> BTreeMap<String, String> {
    let mut reasons = BTreeMap::new();
    if datastores.values().all(|placed| placed.volume.is_some()) {
        return reasons;
    }
    for name in unreachable.iter().filter(|name| name.starts_with("arrays/")) {
        let reason = ports.storage.get_array(name).await.map_or_else(|error| error.message, |array| array.state_reason);
        reasons.insert(name.clone(), reason);
    }
    reasons
}

/// A datastore by the name that stands in paths, where vCenter may write `%2f`, `%5c` and `%25`.
fn by_path_name<'a>(datastores: &'a BTreeMap<String, PlacedDatastore>, name: &str) -> Option<&'a PlacedDatastore> {
    datastores.get(name).or_else(|| datastores.get(&shown_name(name)))
}

/// The name that people gave, of one that stands in a path.
pub fn shown_name(name: &str) -> String {
    let slashes = name.replace("%2f", "/").replace("%2F", "/").replace("%5c", "\\").replace("%5C", "\\");
    slashes.replace("%25", "%")
}

/// `arrays/a` of `arrays/a/volumes/v`.
pub fn array_name(volume: &str) -> Result<String> {
    let parts = strata_model::names::split(volume, &["arrays", "volumes"]).map_err(GatewayError::unexpected)?;
    Ok(strata_model::names::join(&[("arrays", &parts[0])]))
}

/// `vcenters/v` of `vcenters/v/vms/u`.
///
/// # Errors
/// InvalidArgument that names `field`.
pub fn vcenter_of(vm_name: &str, field: &str) -> Result<String> {
    let parts = strata_model::names::split(vm_name, &["vcenters", "vms"])
        .map_err(|error| GatewayError::invalid(field, error))?;
    Ok(strata_model::names::join(&[("vcenters", &parts[0])]))
}

/// The device that hosts see under a datastore; `Err` says why Strata cannot use it.
pub(crate) fn device_of(datastore: &inv::Datastore) -> std::result::Result<sto::Device, String> {
    use datastore_backing::Kind;
    match datastore.backing.as_ref().and_then(|backing| backing.kind.as_ref()) {
        Some(Kind::Nfs(nfs)) => Ok(sto::Device {
            kind: Some(sto::device::Kind::Nfs(sto::NfsDevice { host: nfs.host.clone(), path: nfs.path.clone() })),
        }),
        Some(Kind::Vmfs(_)) => Err("VMFS on LUNs is not supported by this version of Strata".to_owned()),
        Some(Kind::Unsupported(what)) => Err(format!("{what} is not supported")),
        None => Err("vCenter does not say what it lies on".to_owned()),
    }
}

/// Finds the volume behind each datastore.
async fn place(
    ports: &Ports,
    datastores: &[inv::Datastore],
) -> Result<(BTreeMap<String, PlacedDatastore>, Vec<String>)> {
    let devices: Vec<_> = datastores.iter().map(device_of).collect();
    let asked: Vec<sto::Device> = devices.iter().filter_map(|device| device.clone().ok()).collect();
    let answer = match asked.is_empty() {
        true => sto::ResolveDevicesResponse::default(),
        false => ports.storage.resolve_devices(asked).await?,
    };
    let mut resolutions = answer.resolutions.into_iter();
    let mut placed = BTreeMap::new();
    for (datastore, device) in datastores.iter().zip(devices) {
        let (volume, path_in_volume, evidence) = match device {
            Err(reason) => (None, String::new(), reason),
            Ok(_) => match resolutions.next() {
                Some(found) if found.volume.is_some() => (found.volume, found.path_in_volume, found.evidence),
                Some(missed) => (None, String::new(), missed.reason),
                None => return Err(GatewayError::unexpected("storage-svc answered fewer devices than were asked")),
            },
        };
        let entry = PlacedDatastore { datastore: datastore.clone(), volume, path_in_volume, evidence };
        placed.insert(datastore.display_name.clone(), entry);
    }
    Ok((placed, answer.unreachable))
}

async fn arrays_of(
    ports: &Ports,
    datastores: &BTreeMap<String, PlacedDatastore>,
) -> Result<BTreeMap<String, sto::Array>> {
    let volumes = datastores.values().filter_map(|placed| placed.volume.as_ref());
    let names: BTreeSet<String> = volumes.map(|volume| array_name(&volume.name)).collect::<Result<_>>()?;
    let mut arrays = BTreeMap::new();
    for name in names {
        let array = ports.storage.get_array(&name).await?;
        if array.capabilities.is_none() {
            let message = format!("{name} does not say what it can do: {}", array.state_reason);
            return Err(GatewayError::new(ErrorKind::Unavailable, "ARRAY_UNREACHABLE", message).with("array", &name));
        }
        arrays.insert(name, array);
    }
    Ok(arrays)
}
