//! Where a clone stands in the inventory: folder, pool, host, and the hosts that mount its datastores.

use crate::{
    catalog::{Placement, RestorePoint},
    deps::Deps,
    error::{GatewayError, Result},
    layout::vcenter_of,
};
use std::collections::{BTreeMap, BTreeSet};
use strata_model::ErrorKind;
use strata_proto::strata::inventory::v1 as inv;

/// The source's, where it still exists; otherwise where it was.
pub(in crate::plan) fn placement(source: Option<&inv::Vm>, point: &RestorePoint) -> Placement {
    match source {
        Some(vm) => Placement {
            folder_moref: vm.folder_moref.clone(),
            pool_moref: vm.pool_moref.clone(),
            host_moref: vm.host_moref.clone(),
        },
        None => point.intent.placement.clone(),
    }
}

/// The source VM, where it still exists.
pub(in crate::plan) async fn current_source(deps: &Deps, point: &RestorePoint) -> Result<Option<inv::Vm>> {
    match deps.ports.inventory.get_vm(inv::GetVmRequest { name: point.intent.vm.clone(), fresh: true }).await {
        Ok(vm) => Ok(Some(vm)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A template has no pool: the root pool of its host's cluster serves.
pub(in crate::plan) async fn pool_for(deps: &Deps, pool: &str, point: &RestorePoint, host: &str) -> Result<String> {
    if !pool.is_empty() {
        return Ok(pool.to_owned());
    }
    let hosts = deps.ports.inventory.all_hosts(&vcenter_of(&point.intent.vm, "snapshot")?).await?;
    let found = hosts.into_iter().find(|candidate| candidate.moref == host || host.is_empty());
    found.map(|host| host.root_pool_moref).ok_or_else(|| GatewayError::not_found("host", host))
}

/// Connected hosts that mount the source's datastores, with the addresses they mount from.
pub(in crate::plan) async fn hosts_for(
    deps: &Deps,
    vcenter: &str,
    datastores: &BTreeMap<String, inv::Datastore>,
) -> Result<Vec<(String, Vec<String>)>> {
    let mounting: BTreeSet<&str> = datastores
        .values()
        .flat_map(|datastore| {
            datastore.mounts.iter().filter(|mount| mount.accessible).map(|mount| mount.host_moref.as_str())
        })
        .collect();
    let hosts: Vec<(String, Vec<String>)> = deps
        .ports
        .inventory
        .all_hosts(vcenter)
        .await?
        .into_iter()
        .filter(|host| mounting.contains(host.moref.as_str()) && host.connection_state == "connected")
        .map(|host| (host.moref, host.addresses))
        .collect();
    if hosts.is_empty() {
        let message = "no connected host mounts the source's datastores".to_owned();
        return Err(GatewayError::new(ErrorKind::Unavailable, "NO_HOST", message).with("vcenter", vcenter));
    }
    Ok(hosts)
}
