//! DetachDatastore of a VMFS (safety.md S19): every host unmounts it, then every host detaches its devices, then each is
//! seen `off`. Only then may the array unmap them: a device that vanishes under a mounted file system hangs its host.
//!
//! Crash states, for each host: 1. mounted: unmount. 2. unmounted: detach what is not `off`. 3. `off`, or the device is not
//! seen: done. No host detaches while another still mounts. A host that does not answer: the others are done, then the
//! call fails with its name.

use super::{
    course::{Again, Course},
    detach_datastore::refuse_in_use,
    host_systems::{self, HostSystems},
    vmfs_stores::{self, VmfsStore},
};
use crate::{
    soap::MoRef,
    topology::{
        host_storage::{self, Device, Seen},
        pb,
        places::Places,
    },
    vcenter::{Client, Error, Refusal, host_storage_system::StorageCall},
};
use std::collections::{BTreeMap, BTreeSet};
use strata_model::ErrorKind;

/// What is to be let go.
struct Wish<'r> {
    uuid: &'r str,
    devices: Vec<String>,
    /// Hosts that the caller knows the devices to be mapped to.
    mapped: Vec<MoRef>,
}

/// Hosts that must let go: those that answer, and why the others do not.
#[derive(Default)]
struct Hosts {
    all: Vec<MoRef>,
    answering: Vec<HostSystems>,
    silent: BTreeMap<String, Error>,
}

/// The act for a VMFS.
///
/// # Errors
/// A bad request, something that uses the datastore, devices that belong to something else, or a host that does not answer.
pub async fn run(
    client: &Client,
    request: &pb::DetachDatastoreRequest,
    vmfs: &pb::VmfsBacking,
) -> Result<pb::DetachDatastoreResponse, Error> {
    let names = vmfs.extents.iter().map(|extent| extent.canonical_name.as_str());
    let wish = Wish {
        uuid: &vmfs.uuid,
        devices: vmfs_stores::devices("vmfs.extents", names)?,
        mapped: request.host_morefs.iter().map(|moref| MoRef::new("HostSystem", moref.as_str())).collect(),
    };
    let mut course = Course::resume(client, &request.resume);
    let places = Places::read(client).await?;
    if let Some(unknown) = wish.mapped.iter().find(|host| places.get(host).is_none()) {
        return Err(host_systems::not_found(client, &unknown.value));
    }
    let stores = wish.find(client, &places)?;
    for store in &stores {
        refuse_in_use(client, store.object).await?;
    }
    // Every host of the vCenter is looked at: one that nobody told us of may see the devices too.
    let everywhere: BTreeSet<MoRef> = places.of_kind("HostSystem").map(|host| host.object.clone()).collect();
    let everywhere: Vec<MoRef> = everywhere.into_iter().collect();
    let seen = host_storage::seen(client, &everywhere, &wish.devices).await?;
    let hosts = wish.hosts(client, &places, &stores, &seen);
    let unmounted = unmount(client, &stores, &hosts.answering).await?;
    if !settled(client, &wish, &hosts, &mut course, State::Unmounted).await? {
        return Ok(later(&course, unmounted));
    }
    detach(client, &hosts.answering, &seen).await?;
    if !settled(client, &wish, &hosts, &mut course, State::Detached).await? {
        return Ok(later(&course, unmounted));
    }
    let seen = host_storage::seen(client, &everywhere, &wish.devices).await?;
    let devices = host_storage::lines(&Places::read(client).await?, &seen);
    refuse_attached(&hosts, &devices)?;
    match hosts.silent.into_values().next() {
        None => Ok(pb::DetachDatastoreResponse { hosts: unmounted, pending: None, devices }),
        Some(error) => Err(with_hosts_done(error, &hosts.answering)),
    }
}

fn later(course: &Course<'_>, hosts: Vec<String>) -> pb::DetachDatastoreResponse {
    pb::DetachDatastoreResponse { hosts, pending: Some(course.pending(None)), devices: Vec::new() }
}

impl Wish<'_> {
    fn find<'p>(&self, client: &Client, places: &'p Places) -> Result<Vec<VmfsStore<'p>>, Refusal> {
        vmfs_stores::on(client, places, &self.devices, self.uuid)
    }

    fn hosts(&self, client: &Client, places: &Places, stores: &[VmfsStore<'_>], seen: &Seen) -> Hosts {
        let mounting = stores.iter().flat_map(|store| &store.shown.mounts).filter(|mount| mount.mounted);
        let mut all: BTreeSet<MoRef> =
            mounting.map(|mount| MoRef::new("HostSystem", mount.host_moref.as_str())).collect();
        all.extend(seen.keys().cloned());
        all.extend(self.mapped.iter().cloned());
        let mut hosts = Hosts { all: all.into_iter().collect(), ..Hosts::default() };
        for host in &hosts.all {
            match host_systems::one(client, places, host) {
                Ok(systems) => hosts.answering.push(systems),
                Err(error) => {
                    hosts.silent.insert(places.name(host), error);
                }
            }
        }
        hosts
    }
}

/// Unmounts it on every host that mounts it; gives the names of those that did.
async fn unmount(client: &Client, stores: &[VmfsStore<'_>], hosts: &[HostSystems]) -> Result<Vec<String>, Error> {
    let mount_of = |host: &HostSystems| {
        stores
            .iter()
            .find(|store| store.shown.mounts.iter().any(|mount| mount.host_moref == host.host.value && mount.mounted))
    };
    host_systems::each(hosts, |host| async move {
        let Some(store) = mount_of(host) else { return Ok(false) };
        let object = format!("datastore {} on host {}", store.shown.display_name, host.name);
        let call = StorageCall::UnmountVmfsVolume(&store.vmfs.uuid);
        done_or_in_use(client.storage_call(&host.storage, call, &object).await, &object, &host.name)
    })
    .await
}

/// Detaches every device that is not `off` yet.
async fn detach(client: &Client, hosts: &[HostSystems], seen: &Seen) -> Result<(), Error> {
    let attached = |host: &HostSystems| {
        seen.get(&host.host).into_iter().flatten().filter(|device| !device.is_detached()).cloned().collect::<Vec<_>>()
    };
    host_systems::each(hosts, |host| async move {
        let devices: Vec<Device> = attached(host);
        for device in &devices {
            let object = format!("device {} on host {}", device.canonical_name, host.name);
            let call = StorageCall::DetachScsiLun(&device.uuid);
            done_or_in_use(client.storage_call(&host.storage, call, &object).await, &object, &host.name)?;
        }
        Ok(!devices.is_empty())
    })
    .await
    .map(drop)
}

/// InvalidState and NotFound say that it was done before; whether it was is looked at afterwards.
fn done_or_in_use(answer: Result<(), Error>, object: &str, host: &str) -> Result<bool, Error> {
    match answer {
        Ok(()) => Ok(true),
        Err(error) if error.is_fault("InvalidState") || error.is_fault("NotFound") => Ok(false),
        Err(error) if error.is_fault("ResourceInUse") => {
            let by = error.fault().map(|fault| fault.describe()).unwrap_or_default();
            let text = format!(
                "{object} is in use: {by}; end what uses it (a VM, an image, the host's scratch or core dump, HA \
                 heartbeats), and repeat"
            );
            Err(Refusal::new(ErrorKind::Busy, "DATASTORE_BUSY_ON_HOST", text).and("host", host).into())
        }
        Err(error) => Err(error),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unmounted,
    Detached,
}

/// Until vCenter shows the state on every host that answers. False where this call's time is up first.
async fn settled(
    client: &Client,
    wish: &Wish<'_>,
    hosts: &Hosts,
    course: &mut Course<'_>,
    state: State,
) -> Result<bool, Error> {
    loop {
        let places = Places::read(client).await?;
        let left = match state {
            State::Unmounted => still_mounted(&wish.find(client, &places)?),
            State::Detached => still_attached(&places, &host_storage::seen(client, &hosts.all, &wish.devices).await?),
        };
        let left: Vec<String> =
            left.into_iter().filter(|(host, _)| !hosts.silent.contains_key(host)).map(|(_, text)| text).collect();
        if left.is_empty() {
            return Ok(true);
        }
        match course.again().await {
            Again::Look => {}
            Again::Later => return Ok(false),
            Again::Never => {
                let text = format!(
                    "vCenter {} still shows {}; nothing may be unmapped before this has ended; look at these hosts, then repeat",
                    client.name(),
                    left.join(", ")
                );
                return Err(Refusal::new(ErrorKind::Unavailable, "HOST_HOLDS_DEVICE", text).into());
            }
        }
    }
}

/// Host and words for each mount. One that is not reachable is left to the detachment, which fails where it is used.
fn still_mounted(stores: &[VmfsStore<'_>]) -> Vec<(String, String)> {
    let mut left = Vec::new();
    for store in stores {
        let mounts = store.shown.mounts.iter().filter(|mount| mount.mounted && mount.accessible);
        left.extend(mounts.map(|mount| {
            (mount.host.clone(), format!("datastore {} mounted on host {}", store.shown.display_name, mount.host))
        }));
    }
    left
}

fn still_attached(places: &Places, seen: &Seen) -> Vec<(String, String)> {
    let lines = host_storage::lines(places, seen).into_iter().filter(|line| !line.detached);
    lines
        .map(|line| {
            let states = line.operational_states.join(", ");
            let text = format!("device {} in state '{states}' on host {}", line.canonical_name, line.host);
            (line.host, text)
        })
        .collect()
}

/// A host that began to see a device while the others let go.
fn refuse_attached(hosts: &Hosts, devices: &[pb::HostDevice]) -> Result<(), Refusal> {
    let attached = devices.iter().find(|device| !device.detached && !hosts.silent.contains_key(&device.host));
    let Some(device) = attached else { return Ok(()) };
    let text = format!("host {} came to see device {} meanwhile; repeat the call", device.host, device.canonical_name);
    Err(Refusal::new(ErrorKind::Busy, "HOST_HOLDS_DEVICE", text).and("host", device.host.clone()))
}

/// Tells the caller, who must not unmap yet, which hosts need not be asked again.
fn with_hosts_done(error: Error, done: &[HostSystems]) -> Error {
    match error {
        Error::Refused(refusal) => {
            let names: Vec<&str> = done.iter().map(|host| host.name.as_str()).collect();
            Error::Refused(refusal.and("hosts_done", names.join(",")))
        }
        other => other,
    }
}
