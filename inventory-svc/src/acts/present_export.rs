//! PresentVolume of an export: mounts it as a datastore on hosts. CreateNasDatastore is not idempotent: each host is looked
//! at before, and again after a refusal.
//!
//! Crash states, for each host: 1. not mounted: mount. 2. mounted under this name from this export: done. 3. the name is
//! taken by another export, or the export is mounted under another name: refused.

use super::{host_systems, present_volume};
use crate::{
    soap::MoRef,
    topology::{datastore, pb, places::Places},
    vcenter::{Client, Error, Refusal, host_datastore_system::NasMount, property_collector::ObjectProperties},
};
use std::time::Duration;
use strata_model::ErrorKind;

/// How often, and at what interval, vCenter is asked whether it sees what its hosts mounted.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// The act for an export.
///
/// # Errors
/// A bad request, a host that cannot mount, or a name or export that is in use otherwise.
pub async fn run(
    client: &Client,
    request: &pb::PresentVolumeRequest,
    nfs: &pb::NfsBacking,
) -> Result<pb::PresentVolumeResponse, Error> {
    check(nfs)?;
    let mut places = Places::read(client).await?;
    let mut asked = 0;
    for host_moref in &request.host_morefs {
        let host = MoRef::new("HostSystem", host_moref.clone());
        if is_mounted(client, &places, &host, request, nfs)? {
            continue;
        }
        mount(client, &places, &host, request, nfs).await?;
        asked += 1;
    }
    let mut looks = 0;
    loop {
        if asked > 0 || looks > 0 {
            places = Places::read(client).await?;
        }
        let hosts = || request.host_morefs.iter().map(|moref| MoRef::new("HostSystem", moref.clone()));
        let mut missing = Vec::new();
        for host in hosts() {
            if !is_mounted(client, &places, &host, request, nfs)? {
                missing.push(places.name(&host));
            }
        }
        if missing.is_empty()
            && let Some(found) = hosts().next().and_then(|host| find(&places, &host, &request.datastore_name))
        {
            return present_volume::place(client, request, found).await;
        }
        looks += 1;
        if looks > LOOKS {
            let text = format!(
                "datastore {} was mounted, but vCenter {} does not show it on {}; repeat the call",
                request.datastore_name,
                client.name(),
                missing.join(", ")
            );
            return Err(Refusal::new(ErrorKind::Unavailable, "MOUNT_NOT_SEEN", text).into());
        }
        client.clock().sleep(BETWEEN_LOOKS).await;
    }
}

fn check(nfs: &pb::NfsBacking) -> Result<(), Error> {
    if nfs.host.is_empty() || !nfs.path.starts_with('/') {
        return Err(Refusal::invalid("nfs", "nfs needs a host and a path that begins with '/'").into());
    }
    if !matches!(nfs.version.as_str(), "" | "NFS" | "NFS41") {
        return Err(Refusal::invalid("nfs.version", format!("'{}' is neither NFS nor NFS41", nfs.version)).into());
    }
    Ok(())
}

/// The datastore of this name in the host's datacenter.
fn find<'p>(places: &'p Places, host: &MoRef, name: &str) -> Option<&'p ObjectProperties> {
    let datacenter = places.datacenter(host)?;
    places.datastore_named(name, Some(&datacenter.moref))
}

fn is_mounted(
    client: &Client,
    places: &Places,
    host: &MoRef,
    request: &pb::PresentVolumeRequest,
    nfs: &pb::NfsBacking,
) -> Result<bool, Error> {
    if places.get(host).is_none() {
        return Err(host_systems::not_found(client, &host.value));
    }
    let Some(store) = find(places, host, &request.datastore_name) else { return Ok(false) };
    let shown = datastore::datastore(client.name(), store, places);
    if !is_backed_by(&shown, nfs) {
        let text = format!(
            "the name {} is taken by a datastore on {}; choose another name",
            request.datastore_name,
            present_volume::describe(&shown)
        );
        return Err(Refusal::conflict("DATASTORE_NAME_TAKEN", text).and("datastore", shown.name).into());
    }
    Ok(shown.mounts.iter().any(|mount| mount.host_moref == host.value && mount.accessible))
}

async fn mount(
    client: &Client,
    places: &Places,
    host: &MoRef,
    request: &pb::PresentVolumeRequest,
    nfs: &pb::NfsBacking,
) -> Result<(), Error> {
    let system = places.get(host).and_then(|host| host.moref("configManager.datastoreSystem"));
    let system = system.ok_or_else(|| {
        let text = format!("host {} does not tell its datastore system; is it connected?", places.name(host));
        Refusal::new(ErrorKind::Unavailable, "HOST_UNAVAILABLE", text).and("host", host.value.clone())
    })?;
    let mount = NasMount {
        host: &nfs.host,
        path: &nfs.path,
        name: &request.datastore_name,
        nfs41: nfs.version == "NFS41",
        hosts: &nfs.hosts,
    };
    match client.create_nas_datastore(&system, &mount).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_fault("AlreadyExists") || error.is_fault("DuplicateName") => {
            let now = Places::read(client).await?;
            if is_mounted(client, &now, host, request, nfs)? {
                return Ok(());
            }
            let text = format!(
                "host {} refuses to mount {}:{} as {}: the name or the export is in use there already; look at its datastores",
                places.name(host),
                nfs.host,
                nfs.path,
                request.datastore_name
            );
            Err(Refusal::conflict("MOUNT_CONFLICT", text).and("host", host.value.clone()).into())
        }
        Err(error) => Err(error),
    }
}

/// Whether a datastore lies on this export, text for text: another spelling of the same server makes another datastore.
pub fn is_backed_by(store: &pb::Datastore, nfs: &pb::NfsBacking) -> bool {
    let Some(pb::datastore_backing::Kind::Nfs(found)) =
        store.backing.as_ref().and_then(|backing| backing.kind.as_ref())
    else {
        return false;
    };
    let is_41 = |backing: &pb::NfsBacking| backing.version == "NFS41";
    found.host == nfs.host && found.path == nfs.path && is_41(found) == is_41(nfs)
}
