//! Qtrees: every volume has the one without a name, and the simulated ones no other.

use super::{
    super::{Release, call::Call, dispatch::Route, query::Kind, refusal::Refusal, reply::Reply},
    svm,
    volumes::junction,
    without_empty,
};
use serde_json::json;

pub(super) const ROUTES: &[Route] = &[(Release::V9_8, "GET", "storage/qtrees", list)];

const QTREE: Kind = Kind {
    href: "/api/storage/qtrees/{volume.uuid}/{id}",
    key: &["volume.uuid", "id"],
    shown: &["svm.uuid", "svm.name", "volume.uuid", "volume.name", "id", "name"],
    expensive: &[],
    fields: "_tags export_policy{id,name} ext_performance_monitoring group id metric name nas{path} path qos_policy \
        security_style statistics svm{name,uuid} unix_permissions user volume{name,uuid}",
};

fn list(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    let mut records = Vec::new();
    for volume in call.volumes()? {
        let facts = call.face.facts(&volume)?;
        let path = junction(&volume, &facts);
        let mut record = without_empty(json!({
            "id": 0,
            "svm": svm(&call.face, &facts.svm),
            "volume": {"name": volume.name, "uuid": volume.id},
            "security_style": facts.security_style,
            "path": path,
            "nas": {"path": path},
        }));
        record["name"] = json!("");
        records.push(record);
    }
    Ok(Reply::List(&QTREE, records))
}
