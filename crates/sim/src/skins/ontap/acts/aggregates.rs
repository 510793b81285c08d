//! The one aggregate.

use super::super::{Release, call::Call, dispatch::Route, query::Kind, refusal::Refusal, reply::Reply};
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] =
    &[(Release::V9_8, "GET", "storage/aggregates", list), (Release::V9_8, "GET", "storage/aggregates/{}", get)];

const AGGREGATE: Kind = Kind {
    href: "/api/storage/aggregates/{uuid}",
    key: &["uuid"],
    shown: &["uuid", "name"],
    expensive: &["space.footprint"],
    fields: "name uuid state node{name,uuid} home_node{name,uuid} space{block_storage{size,available,used},footprint} \
             block_storage cloud_storage create_time volume-count snaplock_type data_encryption metric statistics",
};

fn shown(call: &Call) -> Result<Value, Refusal> {
    let (face, settings) = (&call.face, call.face.settings());
    let volumes = face.array()?.volumes()?;
    let used: u64 = volumes.iter().map(|volume| volume.used_bytes).sum();
    let used = if settings.aggregate_full { settings.aggregate_bytes } else { used };
    let node = json!({"name": "node1", "uuid": face.id_of("node1")});
    Ok(json!({
        "name": "aggr1",
        "uuid": face.id_of("aggr1"),
        "state": "online",
        "node": node,
        "home_node": node,
        "volume-count": volumes.len(),
        "snaplock_type": "non_snaplock",
        "space": {"block_storage": {
            "size": settings.aggregate_bytes,
            "used": used,
            "available": settings.aggregate_bytes.saturating_sub(used),
        }},
    }))
}

fn list(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    Ok(Reply::List(&AGGREGATE, vec![shown(call)?]))
}

fn get(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    if call.id(ids[0])? != call.face.id_of("aggr1") {
        return Err(Refusal::absent());
    }
    Ok(Reply::One(&AGGREGATE, shown(call)?))
}
