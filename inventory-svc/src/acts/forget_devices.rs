//! ForgetDevices: after the array unmapped devices, hosts look again and forget that they had been detached (safety.md S19);
//! otherwise a device that comes back under the same name would stay `off`.
//!
//! Crash states, for each host: 1. it has not looked since: rescan. 2. it remembers the detachment: DeleteScsiLunState.
//! 3. it remembers the unmounting: DeleteVmfsVolumeState. 4. it lists neither: done.

use super::{
    course::Course,
    host_systems::{self, HostSystems},
    rescan_hosts, vmfs_stores,
};
use crate::{
    soap::MoRef,
    topology::{datastore, host_storage, pb, places::Places},
    vcenter::{Client, Error, Refusal, host_storage_system::StorageCall},
    vcenters::Vcenters,
};

/// The act.
///
/// # Errors
/// A bad request, a device that a host still uses, or a host that does not answer.
pub async fn run(vcenters: Vcenters, request: pb::ForgetDevicesRequest) -> Result<pb::ForgetDevicesResponse, Error> {
    let client = vcenters.by_name("vcenter", &request.vcenter)?;
    let devices = vmfs_stores::devices("devices", request.devices.iter().map(String::as_str))?;
    let mut course = Course::resume(&client, &request.resume);
    let later =
        |course: &Course<'_>| pb::ForgetDevicesResponse { pending: Some(course.pending(None)), ..Default::default() };
    let places = Places::read(&client).await?;
    let is_known = |moref: &&String| places.get(&MoRef::new("HostSystem", moref.as_str())).is_some();
    let mut hosts = Vec::new();
    let mut silent: Option<Error> = None;
    for moref in request.host_morefs.iter().filter(is_known) {
        match host_systems::one(&client, &places, &MoRef::new("HostSystem", moref.as_str())) {
            Ok(host) => hosts.push(host),
            Err(error) => drop(silent.get_or_insert(error)),
        }
    }
    refuse_in_use(&client, &places, &hosts, &devices).await?;
    if !rescan_hosts::for_devices(&client, &hosts, &devices, &mut course).await?
        || !rescan_hosts::for_vmfs(&client, &hosts, &mut course).await?
    {
        return Ok(later(&course));
    }
    host_systems::each(&hosts, |host| forget(&client, host, &devices, &request.vmfs_uuid)).await?;
    let hosts_done = hosts.iter().map(|host| host.name.clone()).collect();
    silent.map_or(Ok(pb::ForgetDevicesResponse { pending: None, hosts_done }), Err)
}

/// Forgetting a device that is in use would take away what keeps it `off`.
async fn refuse_in_use(
    client: &Client,
    places: &Places,
    hosts: &[HostSystems],
    devices: &[String],
) -> Result<(), Error> {
    let morefs: Vec<MoRef> = hosts.iter().map(|host| host.host.clone()).collect();
    for (host, seen) in host_storage::seen(client, &morefs, devices).await? {
        if let Some(device) = seen.iter().find(|device| device.is_in_use()) {
            let name = places.name(&host);
            let text = format!(
                "host {name} still uses device {} (state '{}'); detach the datastore on it and let the array unmap it first",
                device.canonical_name,
                device.states.join(", ")
            );
            return Err(Refusal::conflict("DEVICE_IN_USE", text).and("host", name).into());
        }
    }
    Ok(())
}

/// vCenter answers HostConfigFault whatever goes wrong, also where there is nothing to forget: then the host tells by what it
/// still lists.
async fn forget(client: &Client, host: &HostSystems, devices: &[String], vmfs_uuid: &str) -> Result<bool, Error> {
    let mut refused: Option<Error> = None;
    let states = devices.iter().map(|device| StorageCall::DeleteScsiLunState(device));
    let volume = (!vmfs_uuid.is_empty()).then_some(StorageCall::DeleteVmfsVolumeState(vmfs_uuid));
    for call in states.chain(volume) {
        let object = format!("{call:?} of host {}", host.name);
        match client.storage_call(&host.storage, call, &object).await {
            Err(error) if error.is_fault("NotFound") || error.is_fault("HostConfigFault") => {
                refused.get_or_insert(error);
            }
            other => other?,
        }
    }
    // Otherwise a datastore without a host stays listed until vCenter looks by itself.
    let object = format!("storage of host {}", host.name);
    client.storage_call(&host.storage, StorageCall::RefreshStorageSystem, &object).await?;
    match refused {
        Some(error) if still_lists(client, host, devices, vmfs_uuid).await? => Err(error),
        _ => Ok(true),
    }
}

async fn still_lists(client: &Client, host: &HostSystems, devices: &[String], vmfs_uuid: &str) -> Result<bool, Error> {
    let seen = host_storage::seen(client, std::slice::from_ref(&host.host), devices).await?;
    let places = Places::read(client).await?;
    let stores = places.of_kind("Datastore").map(|store| datastore::datastore(client.name(), store, &places));
    let of_volume = |store: &pb::Datastore| {
        vmfs_stores::vmfs(store).is_some_and(|vmfs| vmfs_stores::same_uuid(&vmfs.uuid, vmfs_uuid))
    };
    let mut mounts = stores.filter(of_volume).flat_map(|store| store.mounts);
    Ok(!seen.is_empty() || mounts.any(|mount| mount.host_moref == host.host.value))
}
