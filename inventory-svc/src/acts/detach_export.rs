//! DetachDatastore of an export: unmounts it on every host that mounts it (safety.md S19).
//!
//! Crash states, for each host: 1. mounted, under whatever name: unmount. 2. not mounted: done. 3. the host does not answer: the others are
//! done, then the call fails with its name, so that nothing is unexported under it.

use super::{detach_datastore, present_export::is_backed_by};
use crate::{
    soap::MoRef,
    topology::{datastore, pb, places::Places},
    vcenter::{Client, Error, Refusal, property_collector::ObjectProperties},
};
use strata_kit::status::report;
use strata_model::ErrorKind;

/// The act for an export.
///
/// # Errors
/// A datastore in use, or a host that does not answer. Where no datastore lies on the export it is done.
pub async fn run(client: &Client, nfs: &pb::NfsBacking) -> Result<pb::DetachDatastoreResponse, Error> {
    let places = Places::read(client).await?;
    // By what it lies on and never by its name: somebody may have renamed it, and another may bear its name.
    let shown = |store: &ObjectProperties| datastore::datastore(client.name(), store, &places);
    let stores: Vec<&ObjectProperties> =
        places.of_kind("Datastore").filter(|store| is_backed_by(&shown(store), nfs)).collect();
    for store in &stores {
        detach_datastore::refuse_in_use(client, store).await?;
    }
    let mut hosts = Vec::new();
    let mut failed: Option<Error> = None;
    for store in stores {
        for mount in &shown(store).mounts {
            match unmount(client, &places, store, &mount.host_moref).await {
                Ok(()) => hosts.push(mount.host.clone()),
                Err(error) => {
                    tracing::warn!(host = %mount.host, error = %report(&error), "a datastore was not unmounted");
                    failed.get_or_insert(error);
                }
            }
        }
    }
    failed.map_or(Ok(pb::DetachDatastoreResponse { hosts, ..Default::default() }), Err)
}

async fn unmount(client: &Client, places: &Places, store: &ObjectProperties, host_moref: &str) -> Result<(), Error> {
    let host = MoRef::new("HostSystem", host_moref);
    let object = format!("datastore {} on host {}", store.text("name"), places.name(&host));
    let found = places.get(&host);
    let connected = found.is_some_and(|host| host.text("runtime.connectionState") == "connected");
    let system = found.and_then(|host| host.moref("configManager.datastoreSystem")).filter(|_| connected);
    let Some(system) = system else {
        let text = format!("{object}: the host does not answer vCenter; bring it back or remove it, then repeat");
        return Err(Refusal::new(ErrorKind::Unavailable, "HOST_UNAVAILABLE", text).and("host", host_moref).into());
    };
    match client.remove_datastore(&system, &store.object, &object).await {
        Err(error) if error.is_fault("NotFound") || error.is_fault("ManagedObjectNotFound") => Ok(()),
        other => other,
    }
}
