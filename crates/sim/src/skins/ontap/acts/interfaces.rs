//! Network interfaces: the addresses at which SVMs serve.

use super::{
    super::{Release, call::Call, dispatch::Route, query::Kind, refusal::Refusal, reply::Reply},
    svm,
};
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) const ROUTES: &[Route] =
    &[(Release::V9_8, "GET", "network/ip/interfaces", list), (Release::V9_8, "GET", "network/ip/interfaces/{}", get)];

const INTERFACE: Kind = Kind {
    href: "/api/network/ip/interfaces/{uuid}",
    key: &["uuid"],
    shown: &["uuid", "name", "ip.address"],
    expensive: &[],
    fields: "name uuid enabled state scope services service_policy{name,uuid} ip{address,netmask,family} svm{name,uuid} \
             ipspace{name,uuid} location{node{name,uuid},home_node{name,uuid},port,home_port,is_home,auto_revert,failover} \
             subnet vip ddns_enabled dns_zone probe_port rdma_protocols metric statistics",
};

fn shown(call: &Call) -> Result<Vec<Value>, Refusal> {
    let face = &call.face;
    let (info, settings) = (face.array()?.info()?, face.settings());
    let first = settings.svms.first().cloned().unwrap_or_default();
    if !call.sees(&first) {
        return Ok(Vec::new());
    }
    let node = json!({"name": "node1", "uuid": face.id_of("node1")});
    let record = |(n, address): (usize, &String)| {
        // The interface's identity follows from the array's and its place: nothing of the world has it.
        let uuid = Uuid::from_u128(info.uuid.as_u128() ^ (n as u128 + 1));
        let is_v6 = address.contains(':');
        json!({
            "uuid": uuid,
            "name": format!("{first}_data{}", n + 1),
            "ip": {"address": address, "netmask": if is_v6 { "64" } else { "24" }, "family": if is_v6 { "ipv6" } else { "ipv4" }},
            "svm": svm(face, &first),
            "scope": "svm",
            "services": ["data_core", "data_nfs", "data_iscsi", "management_https"],
            "service_policy": {"name": "default-data-files"},
            "enabled": true,
            "state": if settings.interfaces_down.contains(address) { "down" } else { "up" },
            "location": {"node": node, "home_node": node, "is_home": true},
        })
    };
    Ok(info.spec.nfs_addresses.iter().enumerate().map(record).collect())
}

fn list(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    Ok(Reply::List(&INTERFACE, shown(call)?))
}

fn get(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let id = json!(call.id(ids[0])?);
    let found = shown(call)?.into_iter().find(|record| record["uuid"] == id);
    found.map(|record| Reply::One(&INTERFACE, record)).ok_or_else(Refusal::absent)
}
