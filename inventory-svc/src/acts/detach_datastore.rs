//! DetachDatastore: unmounts an NFS datastore on every host that mounts it (safety.md S19).
//!
//! Crash states, for each host: 1. mounted, under whatever name: unmount. 2. not mounted: done. 3. the host does not answer: the others are
//! done, then the call fails with its name, so that nothing is unexported under it.

use super::present_volume::is_backed_by;
use crate::{
    soap::MoRef,
    topology::{
        datastore, pb,
        places::{Places, unescape},
    },
    vcenter::{
        Client, Error, Refusal,
        property_collector::ObjectProperties,
        property_spec::{Properties, Start, Step},
    },
    vcenters::Vcenters,
};
use pb::detach_datastore_request::Backing;
use strata_kit::status::report;
use strata_model::ErrorKind;

const NAME: Properties = Properties { kind: "VirtualMachine", paths: &["name"] };

/// The act.
///
/// # Errors
/// A bad request, a datastore in use, or a host that does not answer. Where no datastore lies on the export it is done.
pub async fn run(
    vcenters: Vcenters,
    request: pb::DetachDatastoreRequest,
) -> Result<pb::DetachDatastoreResponse, Error> {
    let client = vcenters.by_name("vcenter", &request.vcenter)?;
    let nfs = match &request.backing {
        Some(Backing::Nfs(nfs)) => nfs,
        Some(Backing::Vmfs(_)) => {
            let text = "a VMFS cannot be detached by this version of inventory-svc";
            return Err(Refusal::new(ErrorKind::Unsupported, "VMFS_NOT_SUPPORTED", text).into());
        }
        None => return Err(Refusal::invalid("backing", "backing must say what the datastore lies on").into()),
    };
    let places = Places::read(&client).await?;
    // By what it lies on and never by its name: somebody may have renamed it, and another may bear its name.
    let shown = |store: &ObjectProperties| datastore::datastore(client.name(), store, &places);
    let stores: Vec<&ObjectProperties> =
        places.of_kind("Datastore").filter(|store| is_backed_by(&shown(store), nfs)).collect();
    for store in &stores {
        refuse_in_use(&client, store).await?;
    }
    let mut hosts = Vec::new();
    let mut failed: Option<Error> = None;
    for store in stores {
        for mount in &shown(store).mounts {
            match unmount(&client, &places, store, &mount.host_moref).await {
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

/// Refuses before the first host lets go, since each host looks at its own VMs only.
async fn refuse_in_use(client: &Client, store: &ObjectProperties) -> Result<(), Error> {
    let steps = vec![Step::along("Datastore", "vm")];
    let start = Start { object: store.object.clone(), skip: true, steps };
    let name = unescape(store.text("name"));
    let users = client.retrieve(&[NAME], &[start], &format!("datastore {name}")).await?;
    if users.is_empty() {
        return Ok(());
    }
    let users: Vec<String> = users.iter().map(|vm| unescape(vm.text("name"))).collect();
    let text =
        format!("datastore {name} is in use by VM {}; unregister it, or detach its disk or image", users.join(", VM "));
    Err(Refusal::conflict("DATASTORE_IN_USE", text).and("datastore", store.object.value.clone()).into())
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
