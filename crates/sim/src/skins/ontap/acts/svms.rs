//! SVMs.

use super::super::{Release, call::Call, dispatch::Route, query::Kind, refusal::Refusal, reply::Reply};
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] =
    &[(Release::V9_8, "GET", "svm/svms", list), (Release::V9_8, "GET", "svm/svms/{}", get)];

const SVM: Kind = Kind {
    href: "/api/svm/svms/{uuid}",
    key: &["uuid"],
    shown: &["uuid", "name"],
    expensive: &["ip_interfaces"],
    fields: "name uuid state subtype comment language ipspace{name,uuid} nfs{allowed,enabled} iscsi{allowed,enabled} \
             fcp{allowed,enabled} nvme{allowed,enabled} cifs s3 aggregates{name,uuid} ip_interfaces{name,uuid,ip} \
             snapshot_policy max_volumes number_of_volumes_in_recovery_queue total_volume_size_in_recovery_queue",
};

fn shown(call: &Call) -> Result<Vec<Value>, Refusal> {
    let face = &call.face;
    let addresses = face.array()?.info()?.spec.nfs_addresses;
    let svms = face.settings().svms.into_iter().filter(|svm| call.sees(svm));
    let record = |svm: String| {
        let queued = face.with(|state| {
            state.volumes.values().filter(|facts| facts.svm == svm && facts.queued_until.is_some()).count()
        });
        let interfaces: Vec<Value> = addresses.iter().map(|address| json!({"ip": {"address": address}})).collect();
        json!({
            "name": svm,
            "uuid": face.id_of(&format!("svm {svm}")),
            "state": "running",
            "subtype": "default",
            "language": "c.utf_8",
            "ipspace": {"name": "Default"},
            "nfs": {"allowed": true, "enabled": true},
            "iscsi": {"allowed": true, "enabled": true},
            "fcp": {"allowed": true, "enabled": true},
            "aggregates": [{"name": "aggr1", "uuid": face.id_of("aggr1")}],
            "ip_interfaces": interfaces,
            "number_of_volumes_in_recovery_queue": queued,
        })
    };
    Ok(svms.map(record).collect())
}

fn list(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    Ok(Reply::List(&SVM, shown(call)?))
}

fn get(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let id = json!(call.id(ids[0])?);
    let found = shown(call)?.into_iter().find(|record| record["uuid"] == id);
    found.map(|record| Reply::One(&SVM, record)).ok_or_else(Refusal::absent)
}
