//! Makes datastores of the copies of VMFS, and lets hosts go of them (safety.md S19). A copy is known by its devices and
//! never by its label; what it is called and where it lies was planned (S18).

use super::{array_clone::ClonedLun, mapped_hosts, quiesce::to_output, wait};
use crate::{
    catalog::{AttachedVmfs, CloneIntent},
    deps::Deps,
    error::{GatewayError, Result},
    layout::vmfs,
    ports::Progress as Answer,
};
use std::collections::BTreeMap;
use strata_proto::strata::inventory::v1::{
    DetachDatastoreRequest, ForgetDevicesRequest, PresentVolumeRequest, VmfsBacking, VmfsCopy, VmfsExtent,
    detach_datastore_request::Backing, present_volume_request::Source,
};
use strata_saga::Progress;

/// What is known of each VMFS of the intent without having seen it: its devices, as far as the array named them.
pub fn known(intent: &CloneIntent, luns: &BTreeMap<String, Vec<ClonedLun>>) -> Vec<AttachedVmfs> {
    let device = |(volume, path): &(String, String)| {
        let found = luns.get(volume)?.iter().find(|lun| lun.source_path == *path)?;
        Some(found.canonical_name.clone()).filter(|name| !name.is_empty())
    };
    let store = |planned: &crate::catalog::CloneVmfs| AttachedVmfs {
        datastore: planned.datastore.clone(),
        devices: planned.extents.iter().filter_map(device).collect(),
        ..AttachedVmfs::default()
    };
    intent.vmfs.iter().map(store).collect()
}

/// Makes datastores of them; the output is one entry a VMFS, in the order of the intent.
pub async fn run(
    deps: &Deps,
    intent: &CloneIntent,
    mapped: &BTreeMap<String, Vec<ClonedLun>>,
    resume: Option<String>,
) -> Result<Progress> {
    let mut attached = Vec::new();
    for (index, (planned, store)) in intent.vmfs.iter().zip(known(intent, mapped)).enumerate() {
        if store.devices.len() != planned.extents.len() {
            let text = format!("the array did not name all devices of the copy of [{}]", planned.source);
            return Err(GatewayError::unexpected(text));
        }
        let copy = VmfsCopy { source_uuid: planned.source_uuid.clone(), devices: store.devices.clone() };
        let request = PresentVolumeRequest {
            vcenter: intent.vcenter.clone(),
            datastore_name: planned.datastore.clone(),
            source: Some(Source::Vmfs(copy)),
            host_morefs: intent.lun_hosts.iter().map(|host| host.moref.clone()).collect(),
            folder_moref: intent.datastore_folder_moref.clone(),
            resume: wait::resume_of(resume.as_deref(), index),
        };
        let answer = match deps.ports.inventory.present_volume(request).await? {
            Answer::Ready(answer) => answer,
            Answer::Pending(still) => return Ok(wait::pending_at(index, still)),
        };
        let shown = answer
            .datastore
            .ok_or_else(|| GatewayError::unexpected("inventory-svc answered a datastore without telling which"))?;
        let uuid = vmfs(&shown).map(|vmfs| vmfs.uuid.clone()).unwrap_or_default();
        if uuid.is_empty() || uuid == planned.source_uuid {
            let message = format!(
                "[{}] has the signature of [{}], of which it is a copy; it is not used",
                shown.display_name, planned.source
            );
            return Err(GatewayError::conflict("COPY_NOT_RESIGNATURED", message).with("datastore", &shown.name));
        }
        attached.push(AttachedVmfs { datastore_name: shown.name, datastore: shown.display_name, uuid, ..store });
    }
    to_output(&attached)
}

/// The same with the signatures that copies got, where no answer told them: by their devices, as long as vCenter shows them.
/// Hosts that unmounted a file system remember it by its signature, and must forget it.
pub async fn recognise(deps: &Deps, intent: &CloneIntent, stores: &[AttachedVmfs]) -> Result<Vec<AttachedVmfs>> {
    let mut known = stores.to_vec();
    if known.iter().all(|store| !store.uuid.is_empty() || store.devices.is_empty()) {
        return Ok(known);
    }
    let prefix = format!("{}/", intent.vcenter);
    let (datastores, _) = deps.ports.inventory.all_datastores().await?;
    for (store, planned) in known.iter_mut().zip(&intent.vmfs).filter(|(store, _)| store.uuid.is_empty()) {
        let is_it = |found: &&VmfsBacking| {
            let devices = found.extents.iter().map(|extent| &extent.canonical_name);
            found.uuid != planned.source_uuid && !store.devices.is_empty() && devices.eq(&store.devices)
        };
        let here = datastores.iter().filter(|datastore| datastore.name.starts_with(&prefix));
        if let Some(found) = here.filter_map(vmfs).find(is_it) {
            store.uuid.clone_from(&found.uuid);
        }
    }
    Ok(known)
}

fn backing(store: &AttachedVmfs) -> VmfsBacking {
    let extent = |name: &String| VmfsExtent { canonical_name: name.clone(), partition: 0 };
    VmfsBacking { uuid: store.uuid.clone(), extents: store.devices.iter().map(extent).collect(), label: String::new() }
}

/// Every host that the array maps them to now, or that sees them, unmounts and detaches them, and is seen to have done so.
/// A host that does not answer fails it with its name: it is never taken for one that let go.
pub async fn let_go(
    deps: &Deps,
    intent: &CloneIntent,
    stores: &[AttachedVmfs],
    resume: Option<String>,
) -> Result<Progress> {
    for (index, store) in stores.iter().enumerate().filter(|(_, store)| !store.devices.is_empty()) {
        let host_morefs = mapped_hosts::of(deps, intent, &store.devices).await?;
        let request = DetachDatastoreRequest {
            vcenter: intent.vcenter.clone(),
            datastore_name: store.datastore.clone(),
            backing: Some(Backing::Vmfs(backing(store))),
            host_morefs,
            resume: wait::resume_of(resume.as_deref(), index),
        };
        if let Answer::Pending(still) = deps.ports.inventory.detach_datastore(request).await? {
            return Ok(wait::pending_at(index, still));
        }
    }
    Ok(Progress::done())
}

/// Hosts forget the devices, after the array unmapped them: one that came back under the same name would stay off.
pub async fn forget(
    deps: &Deps,
    intent: &CloneIntent,
    stores: &[AttachedVmfs],
    resume: Option<String>,
) -> Result<Progress> {
    for (index, store) in stores.iter().enumerate().filter(|(_, store)| !store.devices.is_empty()) {
        let request = ForgetDevicesRequest {
            vcenter: intent.vcenter.clone(),
            devices: store.devices.clone(),
            vmfs_uuid: store.uuid.clone(),
            host_morefs: intent.lun_hosts.iter().map(|host| host.moref.clone()).collect(),
            resume: wait::resume_of(resume.as_deref(), index),
        };
        if let Answer::Pending(still) = deps.ports.inventory.forget_devices(request).await? {
            return Ok(wait::pending_at(index, still));
        }
    }
    Ok(Progress::done())
}
