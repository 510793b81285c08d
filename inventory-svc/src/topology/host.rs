//! Hosts.

use super::{
    pb,
    places::{Places, unescape},
};
use crate::vcenter::property_collector::ObjectProperties;
use strata_model::names;

/// A host as the contract shows it; `storage` is the same host with [`super::adapters::ADAPTERS`].
pub fn host(vcenter: &str, host: &ObjectProperties, storage: Option<&ObjectProperties>, places: &Places) -> pb::Host {
    let compute = host.moref("parent");
    let pool =
        compute.as_ref().and_then(|compute| places.get(compute)).and_then(|compute| compute.moref("resourcePool"));
    let cluster = compute.filter(|compute| compute.kind == "ClusterComputeResource");
    let mut addresses: Vec<String> = host
        .items("config.network.vnic")
        .iter()
        .filter_map(|adapter| adapter.text_at("spec.ip.ipAddress"))
        .map(str::to_owned)
        .collect();
    addresses.sort();
    addresses.dedup();
    pb::Host {
        name: names::join(&[("vcenters", vcenter), ("hosts", &host.object.value)]),
        display_name: unescape(host.text("name")),
        moref: host.object.value.clone(),
        connection_state: host.text("runtime.connectionState").to_owned(),
        in_maintenance: host.is_true("runtime.inMaintenanceMode"),
        cluster: cluster.map(|cluster| places.name(&cluster)).unwrap_or_default(),
        addresses,
        root_pool_moref: pool.map(|pool| pool.value).unwrap_or_default(),
        adapters: storage.map(super::adapters::adapters).unwrap_or_default(),
    }
}
