//! PresentVolume of the copy of a VMFS: hosts look for its devices, vCenter gives it a signature of its own, every host
//! mounts it, it gets its name. The copy is known by its devices alone.
//!
//! Crash states: 1. hosts do not see the devices: they rescan, each once. 2. the copy is unresolved: one host gives it a
//! signature, which nobody can take back; a task whose id was lost is seen among the hosts' running tasks. 3. it has one:
//! a datastore on exactly these devices exists, whatever its name. 4. not every host mounts it: they search for VMFS. 5. it
//! has not its name, or is not in its folder.

use super::{
    course::{Again, Course},
    host_systems::{self, HostSystems},
    present_volume, rename_datastore, rescan_hosts, resignature,
    vmfs_stores::{self, VmfsStore, same_uuid},
};
use crate::{
    soap::MoRef,
    topology::{host_storage, pb, places::Places},
    vcenter::{Client, Error, Refusal, host_storage_system::StorageCall},
};
use std::collections::BTreeSet;
use strata_model::ErrorKind;

/// The copy, and what is to become of it.
pub(super) struct Wish<'r> {
    pub(super) source_uuid: &'r str,
    pub(super) devices: Vec<String>,
    pub(super) hosts: Vec<HostSystems>,
}

/// The act for the copy of a VMFS.
///
/// # Errors
/// A bad request, a host that does not answer or does not see the devices, a copy that cannot be told from another, or a
/// name that is taken.
pub async fn run(
    client: &Client,
    request: &pb::PresentVolumeRequest,
    copy: &pb::VmfsCopy,
) -> Result<pb::PresentVolumeResponse, Error> {
    if copy.source_uuid.is_empty() {
        return Err(Refusal::invalid("vmfs.source_uuid", "vmfs.source_uuid must name the VMFS that was cloned").into());
    }
    let devices = vmfs_stores::devices("vmfs.devices", copy.devices.iter().map(String::as_str))?;
    let mut course = Course::resume(client, &request.resume);
    let later =
        |course: &Course<'_>| pb::PresentVolumeResponse { datastore: None, pending: Some(course.pending(None)) };
    let places = Places::read(client).await?;
    let hosts = host_systems::all(client, &places, &request.host_morefs)?;
    let datacenter = one_datacenter(&places, &hosts)?;
    let wish = Wish { source_uuid: &copy.source_uuid, devices, hosts };
    let found = wish.find(client, &places)?;
    let own: Vec<&MoRef> = found.iter().map(|store| &store.object.object).collect();
    rename_datastore::refuse_taken(client, &places, datacenter.as_ref(), &request.datastore_name, &own)?;
    if found.is_empty()
        && !(see_devices(client, &wish, &mut course).await? && resignature::give(client, &wish, &mut course).await?)
    {
        return Ok(later(&course));
    }
    let Some(places) = mounted_everywhere(client, &wish, &mut course).await? else { return Ok(later(&course)) };
    let found = wish.find(client, &places)?;
    let store = found
        .iter()
        .find(|store| places.datacenter(&store.object.object).map(|at| at.moref) == datacenter)
        .ok_or_else(|| client.incomplete("RetrievePropertiesEx", "datastore of the copy"))?;
    rename_datastore::ensure_name(client, &places, store.object, &request.datastore_name).await?;
    present_volume::place(client, request, store.object).await
}

impl Wish<'_> {
    /// The datastore of the copy, once it has a signature.
    ///
    /// # Errors
    /// The devices carry the original itself, or belong to something else.
    pub(super) fn find<'p>(&self, client: &Client, places: &'p Places) -> Result<Vec<VmfsStore<'p>>, Refusal> {
        let found = vmfs_stores::on(client, places, &self.devices, "")?;
        if let Some(original) = found.iter().find(|store| same_uuid(&store.vmfs.uuid, self.source_uuid)) {
            let text = format!(
                "datastore {} lies on {} and carries the signature of the original: these are no copies, or somebody \
                 mounted a copy by force; it is left alone",
                original.shown.display_name,
                self.devices.join(", ")
            );
            return Err(Refusal::conflict("VMFS_IS_SOURCE", text).and("datastore", original.shown.name.clone()));
        }
        Ok(found)
    }
}

/// A datastore is an object of one datacenter.
fn one_datacenter(places: &Places, hosts: &[HostSystems]) -> Result<Option<MoRef>, Refusal> {
    let all: BTreeSet<Option<MoRef>> =
        hosts.iter().map(|host| places.datacenter(&host.host).map(|found| found.moref)).collect();
    let mut all = all.into_iter();
    match (all.next(), all.next()) {
        (one, None) => Ok(one.flatten()),
        _ => Err(Refusal::invalid("host_morefs", "host_morefs must be hosts of one datacenter")),
    }
}

/// Until every host sees every device. False where this call's time is up first.
async fn see_devices(client: &Client, wish: &Wish<'_>, course: &mut Course<'_>) -> Result<bool, Error> {
    if !course.done.task.is_empty() {
        return Ok(true);
    }
    let source = source_devices(client, wish).await?;
    loop {
        let morefs: Vec<MoRef> = wish.hosts.iter().map(|host| host.host.clone()).collect();
        let seen = host_storage::seen(client, &morefs, &wish.devices).await?;
        let count = |host: &HostSystems| seen.get(&host.host).map_or(0, Vec::len);
        let blind: Vec<HostSystems> =
            wish.hosts.iter().filter(|host| count(host) < wish.devices.len()).cloned().collect();
        if blind.is_empty() {
            return Ok(true);
        }
        if blind.iter().any(|host| !course.done.rescanned.contains(&host.host.value)) {
            if !rescan_hosts::for_devices(client, &blind, &source, course).await? {
                return Ok(false);
            }
            continue;
        }
        match course.again().await {
            Again::Look => {}
            Again::Later => return Ok(false),
            Again::Never => return Err(not_seen(&blind, &wish.devices)),
        }
    }
}

/// Devices of the original, whose adapters lead to its copy too.
async fn source_devices(client: &Client, wish: &Wish<'_>) -> Result<Vec<String>, Error> {
    let places = Places::read(client).await?;
    let stores = places.of_kind("Datastore");
    let shown = stores.map(|store| crate::topology::datastore::datastore(client.name(), store, &places));
    let of_source = shown.filter_map(|store| vmfs_stores::vmfs(&store).cloned());
    let mut extents = of_source.filter(|vmfs| same_uuid(&vmfs.uuid, wish.source_uuid)).flat_map(|vmfs| vmfs.extents);
    Ok(extents.by_ref().map(|extent| extent.canonical_name).collect())
}

fn not_seen(hosts: &[HostSystems], devices: &[String]) -> Error {
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    let names = names.join(", ");
    let text = format!(
        "host {names} does not see all of {} after a rescan; look at the array's mapping, the paths and the host's limit of \
         devices, then repeat",
        devices.join(", ")
    );
    Refusal::new(ErrorKind::Unavailable, "DEVICE_NOT_SEEN", text).and("host", names).into()
}

/// Until vCenter shows the copy mounted on every host; what it shows then. `None` where this call's time is up first.
async fn mounted_everywhere(
    client: &Client,
    wish: &Wish<'_>,
    course: &mut Course<'_>,
) -> Result<Option<Places>, Error> {
    loop {
        let places = Places::read(client).await?;
        let stores = wish.find(client, &places)?;
        let mounts = || stores.iter().flat_map(|store| &store.shown.mounts);
        let is_done = |host: &HostSystems| mounts().any(|at| at.host_moref == host.host.value && at.accessible);
        let missing: Vec<HostSystems> = wish.hosts.iter().filter(|host| !is_done(host)).cloned().collect();
        if missing.is_empty() && !stores.is_empty() {
            return Ok(Some(places));
        }
        let unsearched: Vec<HostSystems> =
            missing.iter().filter(|host| !course.done.searched.contains(&host.host.value)).cloned().collect();
        if !unsearched.is_empty() {
            if !rescan_hosts::for_vmfs(client, &unsearched, course).await? {
                return Ok(None);
            }
            continue;
        }
        for host in &missing {
            // Listed and not mounted: somebody unmounted it, and no rescan changes that.
            let unmounted = mounts().any(|at| at.host_moref == host.host.value && !at.mounted);
            if let (true, Some(store)) = (unmounted, stores.first()) {
                mount(client, host, &store.vmfs.uuid).await?;
            }
        }
        match course.again().await {
            Again::Look => {}
            Again::Later => return Ok(None),
            Again::Never => return Err(not_mounted(client, &missing, &wish.devices)),
        }
    }
}

/// Mounts a VMFS on a host, where it is not.
///
/// # Errors
/// The host cannot.
pub(super) async fn mount(client: &Client, host: &HostSystems, uuid: &str) -> Result<(), Error> {
    let object = format!("VMFS {uuid} on host {}", host.name);
    match client.storage_call(&host.storage, StorageCall::MountVmfsVolume(uuid), &object).await {
        // Mounted by now, or not seen yet: the next look tells.
        Err(error) if error.is_fault("InvalidState") || error.is_fault("NotFound") => Ok(()),
        Err(error) if error.is_fault("VmfsAlreadyMounted") => Ok(()),
        other => other,
    }
}

/// That hosts do not mount a VMFS.
pub(super) fn not_mounted(client: &Client, hosts: &[HostSystems], devices: &[String]) -> Error {
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    let names = names.join(", ");
    let text = format!(
        "vCenter {} does not show the VMFS on {} mounted on host {names}; look at the host's paths to the devices, then repeat",
        client.name(),
        devices.join(", ")
    );
    Refusal::new(ErrorKind::Unavailable, "MOUNT_NOT_SEEN", text).and("host", names).into()
}
