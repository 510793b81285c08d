//! Single VMs, topologies and datastores.

use crate::{
    cache::read_now,
    topology::{datastore, pb, places::Places, read},
    vcenter::{Client, Error, Refusal},
    vcenters::Vcenters,
};
use strata_model::names;

/// Topologies that one call may ask for.
const BATCH_MAX: usize = 100;

/// One VM, from memory unless asked otherwise; one that is not held is looked for in vCenter.
///
/// # Errors
/// A bad name, no such VM, or vCenter does not answer.
pub async fn vm(vcenters: &Vcenters, request: pb::GetVmRequest) -> Result<pb::Vm, Error> {
    let (client, uuid) = vcenters.with_child("name", &request.name, "vms")?;
    if let Some(cache) = vcenters.loaded(&client).filter(|_| !request.fresh) {
        let freshness = cache.freshness();
        let standing = client.standing().await;
        let found = cache.held().vm(&uuid, &standing);
        if let Some(vm) = found {
            return Ok(pb::Vm { freshness: Some(freshness), ..vm });
        }
        // It may be newer than what is held.
    }
    let vm = read::read_vm(&client, &uuid).await?.vm;
    Ok(pb::Vm { freshness: Some(read_now(&client)), ..vm })
}

/// One topology.
///
/// # Errors
/// As [`vm`].
pub async fn topology(vcenters: &Vcenters, request: pb::GetVmTopologyRequest) -> Result<pb::VmTopology, Error> {
    let (client, uuid) = vcenters.with_child("name", &request.name, "vms")?;
    let found = read::topologies(&client, &[uuid], request.skip_browse).await?;
    found.into_iter().next().ok_or_else(|| client.incomplete("GetVmTopology", "VM"))
}

/// Several topologies of one vCenter.
///
/// # Errors
/// As [`vm`], or the request names too many VMs or more than one vCenter.
pub async fn topologies(
    vcenters: &Vcenters,
    request: pb::BatchGetVmTopologiesRequest,
) -> Result<pb::BatchGetVmTopologiesResponse, Error> {
    if request.names.len() > BATCH_MAX {
        let text = format!("{} names are too many; ask for at most {BATCH_MAX} at once", request.names.len());
        return Err(Refusal::invalid("names", text).into());
    }
    let mut client: Option<std::sync::Arc<Client>> = None;
    let mut uuids = Vec::with_capacity(request.names.len());
    for name in &request.names {
        let (of, uuid) = vcenters.with_child("names", name, "vms")?;
        if client.as_ref().is_some_and(|first| first.name() != of.name()) {
            let text = format!("{name} is of another vCenter than the names before it; ask for each vCenter by itself");
            return Err(Refusal::invalid("names", text).into());
        }
        client = Some(of);
        uuids.push(uuid);
    }
    let topologies = match client {
        Some(client) => read::topologies(&client, &uuids, request.skip_browse).await?,
        None => Vec::new(),
    };
    Ok(pb::BatchGetVmTopologiesResponse { topologies })
}

/// One datastore.
///
/// # Errors
/// A bad name, no such datastore, or vCenter does not answer.
pub async fn datastore(vcenters: &Vcenters, request: pb::GetDatastoreRequest) -> Result<pb::Datastore, Error> {
    let (client, moref) = vcenters.with_child("name", &request.name, "datastores")?;
    let places = Places::read(&client).await?;
    let found = places.of_kind("Datastore").find(|store| store.object.value == moref);
    found.map(|store| datastore::datastore(client.name(), store, &places)).ok_or_else(|| {
        let text =
            format!("vCenter {} has no datastore {moref}; list datastores to see which there are", client.name());
        Refusal::not_found("DATASTORE_NOT_FOUND", text).and("datastore", names::encode(&moref)).into()
    })
}
