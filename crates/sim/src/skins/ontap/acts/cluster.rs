//! The cluster, its nodes and its licences.

use super::super::{
    Release,
    call::Call,
    dispatch::Route,
    query::{Kind, select},
    refusal::Refusal,
    reply::Reply,
};
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    (Release::V9_8, "GET", "cluster", cluster),
    (Release::V9_8, "GET", "cluster/nodes", nodes),
    (Release::V9_8, "GET", "cluster/nodes/{}", node),
    (Release::V9_8, "GET", "cluster/licensing/licenses", licences),
];

const CLUSTER: Kind = Kind {
    href: "/api/cluster",
    key: &["uuid"],
    shown: &[],
    expensive: &[],
    fields: "name uuid contact location timezone version{full,generation,major,minor,patch} nodes \
             management_interfaces dns_domains name_servers ntp_servers san_optimized disaggregated metric statistics",
};
const NODE: Kind = Kind {
    href: "/api/cluster/nodes/{uuid}",
    key: &["uuid"],
    shown: &["uuid", "name"],
    expensive: &[],
    fields: "name uuid model serial_number state version{full,generation,major,minor,patch} uptime location membership \
             ha controller metric statistics",
};
const LICENCE: Kind = Kind {
    href: "/api/cluster/licensing/licenses/{name}",
    key: &["name"],
    shown: &["name"],
    expensive: &[],
    fields: "name scope state description entitlement keys licenses{owner,installed,active}",
};

fn version(release: Release) -> Value {
    json!({
        "full": format!("NetApp Release {release}: Thu Jan 01 00:00:00 UTC 2026"),
        "generation": release.0,
        "major": release.1,
        "minor": release.2,
    })
}

fn cluster(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    let record = json!({
        "name": call.face.array,
        "uuid": call.face.id_of("cluster"),
        "version": version(call.face.release()),
        "timezone": {"name": "Etc/UTC"},
    });
    // Neither a list nor an object with an id: without fields it shows all.
    Ok(Reply::Done(select(&CLUSTER, &record, call.params.get("fields"), &[], true)?))
}

fn the_node(call: &Call) -> Value {
    json!({
        "name": "node1",
        "uuid": call.face.id_of("node1"),
        "model": "SIMBOX",
        "state": "up",
        "membership": "available",
        "version": version(call.face.release()),
    })
}

fn nodes(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    Ok(Reply::List(&NODE, vec![the_node(call)]))
}

fn node(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    if call.id(ids[0])? != call.face.id_of("node1") {
        return Err(Refusal::absent());
    }
    Ok(Reply::One(&NODE, the_node(call)))
}

fn licences(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    let settings = call.face.settings();
    let held = [("nfs", true), ("iscsi", true), ("fcp", true), ("flexclone", settings.flexclone)];
    let held = held.into_iter().chain([("snaprestore", settings.snaprestore)]).filter(|(_, held)| *held);
    let shown = |name: &str| json!({"name": name, "scope": "cluster", "state": "compliant"});
    Ok(Reply::List(&LICENCE, held.map(|(name, _)| shown(name)).collect()))
}
