//! Who else lives on the volumes of a VM (safety.md S6): on its datastores, and on other datastores of the same volumes.

use super::{PlacedDatastore, canonical_name, devices_of, volume_path};
use crate::{error::Result, ports::Ports};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use strata_model::DatastorePath;
use strata_proto::strata::{
    inventory::v1::{self as inv, TenantKind},
    storage::v1 as sto,
};

/// Something that shares a volume with a VM.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Neighbour {
    /// `vm`, `template`, `unregistered vm`, `image`, `content library`, `first class disk`, `lun`, `other`.
    pub kind: String,
    /// `vcenters/{vcenter}/vms/{instance_uuid}` for a VM or template.
    pub vm: String,
    /// Its name or path.
    pub display_name: String,
    /// The datastore's name.
    pub datastore: String,
    /// `arrays/{array}/volumes/{volume}`.
    pub volume: String,
    /// The volume's name on its array; empty in old records.
    #[serde(default)]
    pub volume_display_name: String,
}

/// Finds them all, sorted.
pub(super) async fn find(
    ports: &Ports,
    topology: &inv::VmTopology,
    datastores: &BTreeMap<String, PlacedDatastore>,
    unreachable: &mut Vec<String>,
) -> Result<Vec<Neighbour>> {
    let mut found: BTreeSet<Neighbour> = beside(topology, datastores).collect();
    let elsewhere = on_siblings(ports, topology, datastores, unreachable).await?;
    // Not registered in this vCenter, but in another one that has the same volume mounted.
    let registered: BTreeSet<(String, String)> =
        elsewhere.iter().filter_map(|(neighbour, file)| Some((neighbour.volume.clone(), file.clone()?))).collect();
    found.retain(|neighbour| {
        let file = (neighbour.kind == kind_name(TenantKind::UnregisteredVm))
            .then(|| file_in_volume(&neighbour.display_name, datastores.get(&neighbour.datastore)?))
            .flatten();
        !file.is_some_and(|file| registered.contains(&(neighbour.volume.clone(), file)))
    });
    found.extend(elsewhere.into_iter().map(|(neighbour, _)| neighbour));
    let names: BTreeMap<&str, &str> = datastores
        .values()
        .flat_map(PlacedDatastore::volumes)
        .map(|volume| (volume.name.as_str(), volume.display_name.as_str()))
        .collect();
    let named = |neighbour: Neighbour| {
        let volume_display_name = names.get(neighbour.volume.as_str()).copied().unwrap_or_default().to_owned();
        Neighbour { volume_display_name, ..neighbour }
    };
    Ok(found.into_iter().map(named).collect())
}

/// Those on the VM's own datastores, as inventory-svc found them.
fn beside<'a>(
    topology: &'a inv::VmTopology,
    datastores: &'a BTreeMap<String, PlacedDatastore>,
) -> impl Iterator<Item = Neighbour> + 'a {
    topology.tenants.iter().filter_map(|tenant| {
        let placed = datastores.values().find(|placed| placed.datastore.name == tenant.datastore)?;
        Some(Neighbour {
            kind: kind_name(tenant.kind()).to_owned(),
            vm: tenant.vm.clone(),
            display_name: tenant.display_name.clone(),
            datastore: placed.datastore.display_name.clone(),
            volume: placed.volume.as_ref()?.name.clone(),
            volume_display_name: String::new(),
        })
    })
}

/// Path within the volume of a file of a datastore.
fn file_in_volume(path: &str, placed: &PlacedDatastore) -> Option<String> {
    let path: DatastorePath = path.parse().ok()?;
    Some(volume_path(&placed.path_in_volume, &path.path))
}

/// VMs on other datastores (of any vCenter) that lie on the same volumes: a volume can hold several exports.
/// With each its .vmx within the volume, where it lies there.
async fn on_siblings(
    ports: &Ports,
    topology: &inv::VmTopology,
    datastores: &BTreeMap<String, PlacedDatastore>,
    unreachable: &mut Vec<String>,
) -> Result<Vec<(Neighbour, Option<String>)>> {
    let own: BTreeSet<&str> = topology.datastores.iter().map(|datastore| datastore.name.as_str()).collect();
    let volumes: BTreeSet<&str> =
        datastores.values().flat_map(PlacedDatastore::volumes).map(|volume| volume.name.as_str()).collect();
    let (all, lost) = ports.inventory.all_datastores().await?;
    note(unreachable, lost);
    let devices = |datastore: &inv::Datastore| devices_of(datastore).unwrap_or_default();
    let luns = bare_luns(datastores, &all.iter().flat_map(devices).collect::<Vec<_>>());
    let others: Vec<(inv::Datastore, sto::Device)> = all
        .into_iter()
        .filter(|datastore| !own.contains(datastore.name.as_str()))
        .flat_map(|datastore| {
            devices(&datastore).into_iter().map(|device| (datastore.clone(), device)).collect::<Vec<_>>()
        })
        .collect();
    if others.is_empty() || volumes.is_empty() {
        return Ok(luns);
    }
    let mut siblings: Vec<Sibling> = Vec::new();
    for part in others.chunks(1000) {
        let answer = ports.storage.resolve_devices(part.iter().map(|(_, device)| device.clone()).collect()).await?;
        note(unreachable, answer.unreachable);
        for ((datastore, _), resolution) in part.iter().zip(answer.resolutions) {
            if let Some(volume) = resolution.volume.filter(|volume| volumes.contains(volume.name.as_str())) {
                let root = resolution.path_in_volume;
                siblings.push(Sibling { datastore: datastore.clone(), volume: volume.name, root });
            }
        }
    }
    if siblings.is_empty() {
        return Ok(luns);
    }
    let (vms, lost) = ports.inventory.all_vms("vcenters/-", "").await?;
    note(unreachable, lost);
    let mut found = vms_on(&siblings, &vms, topology);
    found.extend(luns);
    Ok(found)
}

/// LUNs of the same volumes on which no vCenter that answered has a datastore: raw devices of VMs, and other people's.
fn bare_luns(
    datastores: &BTreeMap<String, PlacedDatastore>,
    known: &[sto::Device],
) -> Vec<(Neighbour, Option<String>)> {
    let known: BTreeSet<&str> = known.iter().filter_map(canonical_name).collect();
    let mut found = BTreeSet::new();
    for (placed, lun) in datastores
        .values()
        .flat_map(|store| &store.luns)
        .flat_map(|placed| placed.siblings.iter().map(move |it| (placed, it)))
    {
        let name = lun.canonical_name.as_str();
        if !name.is_empty() && known.contains(name) {
            continue;
        }
        let shown = if name.is_empty() { &lun.path } else { name };
        let mapped = match lun.initiators.len() {
            0 => "mapped to nobody".to_owned(),
            _ => format!("mapped to {}", lun.initiators.join(", ")),
        };
        found.insert(Neighbour {
            kind: "lun".to_owned(),
            vm: String::new(),
            display_name: format!("LUN {} ({shown}), {mapped}", lun.path),
            datastore: String::new(),
            volume: placed.volume.name.clone(),
            volume_display_name: String::new(),
        });
    }
    found.into_iter().map(|neighbour| (neighbour, None)).collect()
}

/// Another datastore on a volume of the VM.
struct Sibling {
    datastore: inv::Datastore,
    volume: String,
    /// Its root within the volume.
    root: String,
}

fn vms_on(siblings: &[Sibling], vms: &[inv::Vm], topology: &inv::VmTopology) -> Vec<(Neighbour, Option<String>)> {
    let own_name = topology.vm.as_ref().map(|vm| vm.name.clone()).unwrap_or_default();
    let mut found = Vec::new();
    for Sibling { datastore, volume, root } in siblings {
        let vcenter = datastore.name.split("/datastores/").next().unwrap_or_default();
        let here = vms.iter().filter(|vm| {
            vm.name != own_name
                && vm.name.starts_with(&format!("{vcenter}/"))
                && vm.datastores.contains(&datastore.display_name)
        });
        found.extend(here.map(|vm| {
            let neighbour = Neighbour {
                kind: if vm.template { "template" } else { "vm" }.to_owned(),
                vm: vm.name.clone(),
                display_name: vm.display_name.clone(),
                datastore: datastore.display_name.clone(),
                volume: volume.clone(),
                volume_display_name: String::new(),
            };
            let vmx: Option<DatastorePath> = vm.vmx_path.parse().ok();
            let here = vmx.filter(|path| path.datastore == datastore.display_name);
            (neighbour, here.map(|path| volume_path(root, &path.path)))
        }));
    }
    found
}

fn note(unreachable: &mut Vec<String>, names: Vec<String>) {
    for name in names {
        if !unreachable.contains(&name) {
            unreachable.push(name);
        }
    }
}

fn kind_name(kind: TenantKind) -> &'static str {
    match kind {
        TenantKind::Vm => "vm",
        TenantKind::Template => "template",
        TenantKind::UnregisteredVm => "unregistered vm",
        TenantKind::Image => "image",
        TenantKind::ContentLibrary => "content library",
        TenantKind::FirstClassDisk => "first class disk",
        TenantKind::Other | TenantKind::Unspecified => "other",
    }
}
