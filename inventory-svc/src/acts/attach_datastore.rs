//! AttachDatastore: after a restore in place hosts look again, take the devices back and mount the VMFS explicitly: what was
//! unmounted stays so over rescans and restarts.
//!
//! Crash states, for each host: 1. it has not looked since: rescan. 2. a device is `off`: AttachScsiLun. 3. the VMFS is not
//! mounted: MountVmfsVolume. 4. mounted: done.

use super::{
    course::{Again, Course},
    host_systems::{self, HostSystems},
    present_vmfs::{mount, not_mounted},
    rescan_hosts,
    vmfs_stores::{self, VmfsStore},
};
use crate::{
    soap::MoRef,
    topology::{
        host_storage::{self, Device},
        pb,
        places::Places,
    },
    vcenter::{Client, Error, Refusal, host_storage_system::StorageCall},
    vcenters::Vcenters,
};

/// The act.
///
/// # Errors
/// A bad request, a host that does not answer or does not see the devices, another file system on them, or a host that
/// cannot mount it.
pub async fn run(
    vcenters: Vcenters,
    request: pb::AttachDatastoreRequest,
) -> Result<pb::AttachDatastoreResponse, Error> {
    let client = vcenters.by_name("vcenter", &request.vcenter)?;
    let vmfs = request.vmfs.clone().filter(|vmfs| !vmfs.uuid.is_empty());
    let vmfs = vmfs.ok_or_else(|| Refusal::invalid("vmfs", "vmfs must name the file system by its uuid"))?;
    let names = vmfs.extents.iter().map(|extent| extent.canonical_name.as_str());
    let devices = vmfs_stores::devices("vmfs.extents", names)?;
    let mut course = Course::resume(&client, &request.resume);
    let later =
        |course: &Course<'_>| pb::AttachDatastoreResponse { pending: Some(course.pending(None)), datastore: None };
    let places = Places::read(&client).await?;
    let hosts = host_systems::all(&client, &places, &request.host_morefs)?;
    vmfs_stores::on(&client, &places, &devices, &vmfs.uuid)?;
    if !rescan_hosts::for_devices(&client, &hosts, &devices, &mut course).await? {
        return Ok(later(&course));
    }
    // After the look: a device that the array took away meanwhile and gave back cannot be attached before.
    attach(&client, &hosts, &devices).await?;
    if !rescan_hosts::for_vmfs(&client, &hosts, &mut course).await? {
        return Ok(later(&course));
    }
    loop {
        let places = Places::read(&client).await?;
        let stores = vmfs_stores::on(&client, &places, &devices, &vmfs.uuid)?;
        let missing: Vec<HostSystems> = hosts.iter().filter(|host| !is_mounted(&stores, host)).cloned().collect();
        if let (true, Some(store)) = (missing.is_empty(), stores.into_iter().next()) {
            return Ok(pb::AttachDatastoreResponse { pending: None, datastore: Some(store.shown) });
        }
        refuse_other(&client, &missing, &devices, &vmfs.uuid).await?;
        host_systems::each(&missing, |host| async { mount(&client, host, &vmfs.uuid).await.map(|()| true) }).await?;
        match course.again().await {
            Again::Look => {}
            Again::Later => return Ok(later(&course)),
            Again::Never => return Err(not_mounted(&client, &missing, &devices)),
        }
    }
}

fn is_mounted(stores: &[VmfsStore<'_>], host: &HostSystems) -> bool {
    let mut mounts = stores.iter().flat_map(|store| &store.shown.mounts);
    mounts.any(|mount| mount.host_moref == host.host.value && mount.accessible)
}

/// Takes back every device that is `off`.
async fn attach(client: &Client, hosts: &[HostSystems], devices: &[String]) -> Result<(), Error> {
    let morefs: Vec<MoRef> = hosts.iter().map(|host| host.host.clone()).collect();
    let seen = host_storage::seen(client, &morefs, devices).await?;
    let detached = |host: &HostSystems| -> Vec<Device> {
        seen.get(&host.host).into_iter().flatten().filter(|device| device.is_detached()).cloned().collect()
    };
    host_systems::each(hosts, |host| {
        let devices = detached(host);
        async move {
            for device in &devices {
                let object = format!("device {} on host {}", device.canonical_name, host.name);
                match client.storage_call(&host.storage, StorageCall::AttachScsiLun(&device.uuid), &object).await {
                    Err(error) if error.is_fault("InvalidState") || error.is_fault("NotFound") => {}
                    other => other?,
                }
            }
            Ok(!devices.is_empty())
        }
    })
    .await
    .map(drop)
}

/// A device that the host takes for a copy carries another signature, or sits where it did not before: it would never mount.
async fn refuse_other(client: &Client, hosts: &[HostSystems], devices: &[String], uuid: &str) -> Result<(), Error> {
    for host in hosts {
        let object = format!("unresolved VMFS of host {}", host.name);
        let unresolved = client.unresolved_vmfs(&host.datastores, &object).await?;
        let on_ours = |extent: &crate::vcenter::unresolved_vmfs::UnresolvedExtent| devices.contains(&extent.device);
        if let Some(other) = unresolved.iter().find(|volume| volume.extents.iter().any(on_ours)) {
            let text = format!(
                "host {} takes {} for a copy of VMFS {} and does not mount {uuid}: the array gave back something else, or the \
                 devices under other numbers; look at the array",
                host.name,
                devices.join(", "),
                other.vmfs_uuid
            );
            return Err(Refusal::conflict("VMFS_IS_ANOTHER", text).and("host", host.name.clone()).into());
        }
    }
    Ok(())
}
