//! An array that answers from a table, and remembers what it was asked.

use super::super::{Ontap, config::OntapConfig};
use crate::driver::ArrayDriver as _;
use bytes::Bytes;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use strata_kit::http::InProcess;

pub(super) const VOL1: &str = "7f1a2b3c-11aa-4bbb-8ccc-000000000001";
pub(super) const VOL2: &str = "8f1a2b3c-11aa-4bbb-8ccc-000000000002";
pub(super) const CLONE: &str = "0b9d9a57-6a4e-4d59-9f38-3d2f3f0b1a01";
pub(super) const SNAP1: &str = "5d1a1f1e-9a3f-4f0e-8a53-0d8a5f7f2b01";
pub(super) const SNAP2: &str = "5d1a1f1e-9a3f-4f0e-8a53-0d8a5f7f2b02";
pub(super) const JOB: &str = "c0000000-0000-4000-8000-000000000001";
pub(super) const IGROUP: &str = "bb000000-0000-4000-8000-000000000001";
pub(super) const LUN1: &str = "aa000000-0000-4000-8000-000000000001";

/// `POST /storage/volumes`: each answer once, the last one for ever.
type Route = (String, VecDeque<(u16, Value)>);

#[derive(Debug, Default)]
struct Table {
    routes: Vec<Route>,
    asked: Vec<Asked>,
    headers: Vec<(&'static str, &'static str)>,
}

/// One request: `METHOD /path?query`, headers by name, body.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) line: String,
    pub(super) svm: Option<String>,
    pub(super) authorization: Option<String>,
    pub(super) body: Value,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Fake(Arc<Mutex<Table>>);

impl Fake {
    /// An SVM with two volumes, each mounted, of this release.
    pub(super) fn new(release: (u32, u32)) -> Self {
        let fake = Self::default();
        let version = json!({"generation": 9, "major": release.0, "minor": release.1});
        fake.on("GET /cluster", 200, json!({"uuid": "cl", "name": "c1", "version": version}));
        fake.on("GET /svm/svms", 200, list(&[json!({"uuid": "sv", "name": "svm1", "subtype": "default"})]));
        fake.on("GET /application/consistency-groups", 200, list(&[]));
        let lif = json!({"ip": {"address": "10.0.0.5"}, "svm": svm(), "state": "up", "services": ["data_nfs"]});
        fake.on("GET /network/ip/interfaces", 200, list(&[lif]));
        let volumes = [volume(VOL1, "ds_1", "/ds_1"), volume(VOL2, "ds_2", "/ds_1/inner")];
        fake.on("GET /storage/volumes", 200, list(&volumes));
        for one in volumes {
            let path = format!("GET /storage/volumes/{}", one["uuid"].as_str().unwrap());
            fake.on(&path, 200, one);
            fake.on(&format!("{path}/snapshots"), 200, list(&[]));
        }
        fake.on("GET /storage/luns", 200, list(&[]));
        fake.on("GET /protocols/san/igroups", 200, list(&[]));
        fake
    }

    /// From now on.
    pub(super) fn on(&self, call: &str, status: u16, body: Value) {
        self.then(call, &[(status, body)]);
    }

    /// One after the other.
    pub(super) fn then(&self, call: &str, answers: &[(u16, Value)]) {
        let mut table = self.0.lock().unwrap();
        table.routes.retain(|(known, _)| known != call);
        table.routes.push((call.to_owned(), answers.iter().cloned().collect()));
    }

    /// Every answer has this header.
    pub(super) fn header(&self, name: &'static str, value: &'static str) {
        self.0.lock().unwrap().headers.push((name, value));
    }

    /// What was asked so far that begins so.
    pub(super) fn asked(&self, start: &str) -> Vec<Asked> {
        self.0.lock().unwrap().asked.iter().filter(|asked| asked.line.starts_with(start)).cloned().collect()
    }

    /// All that was to change something.
    pub(super) fn changes(&self) -> Vec<String> {
        let table = self.0.lock().unwrap();
        table.asked.iter().filter(|asked| !asked.line.starts_with("GET ")).map(|asked| asked.line.clone()).collect()
    }

    fn answer(&self, request: &http::Request<Bytes>) -> http::Response<Bytes> {
        let uri = request.uri();
        let path = uri.path().strip_prefix("/api").unwrap();
        let call = format!("{} {path}", request.method());
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let asked = Asked {
            line: uri.query().map_or_else(|| call.clone(), |query| format!("{call}?{query}")),
            svm: header("X-Dot-SVM-Name"),
            authorization: header("Authorization"),
            body: serde_json::from_slice(request.body()).unwrap_or_default(),
        };
        let mut table = self.0.lock().unwrap();
        let line = asked.line.clone();
        table.asked.push(asked);
        // The whole line counts more than the path alone.
        let at = table.routes.iter().position(|(known, _)| *known == line);
        let at = at.or_else(|| table.routes.iter().position(|(known, _)| *known == call));
        let (status, body) = match at.map(|at| &mut table.routes[at].1) {
            Some(answers) if answers.len() > 1 => answers.pop_front().unwrap(),
            Some(answers) => answers[0].clone(),
            None => (404, refusal("4", "entry doesn't exist")),
        };
        let bytes = match body {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let mut answer = http::Response::builder().status(status);
        for (name, value) in &table.headers {
            answer = answer.header(*name, *value);
        }
        answer.body(Bytes::from(bytes)).unwrap()
    }

    /// A driver of an SVM's account.
    pub(super) async fn driver(&self) -> Ontap {
        let driver = self.driver_with("user = 'strata'\npassword = 'simulated'");
        driver.identify().await.unwrap();
        driver
    }

    /// A driver that has asked nothing yet.
    pub(super) fn driver_with(&self, table: &str) -> Ontap {
        let config: OntapConfig = toml::from_str(&format!("url = 'https://svm1.example'\n{table}")).unwrap();
        assert_eq!(config.faults(), vec![]);
        let fake = self.clone();
        let http = InProcess::new(move |request| {
            let answer = fake.answer(&request);
            Box::pin(async move { Ok(answer) })
        });
        Ontap::new(&config, Arc::new(http))
    }
}

pub(super) fn list(records: &[Value]) -> Value {
    json!({"records": records, "num_records": records.len()})
}

pub(super) fn svm() -> Value {
    json!({"name": "svm1", "uuid": "sv"})
}

pub(super) fn refusal(code: &str, message: &str) -> Value {
    json!({"error": {"code": code, "message": message}})
}

pub(super) fn queued() -> (u16, Value) {
    (202, json!({"job": {"uuid": JOB, "_links": {"self": {"href": format!("/api/cluster/jobs/{JOB}")}}}}))
}

pub(super) fn volume(uuid: &str, name: &str, path: &str) -> Value {
    let mut volume = json!({
        "uuid": uuid, "name": name, "type": "rw", "state": "online", "style": "flexvol", "size": 1024, "svm": svm(),
        "space": {"available": 512}, "nas": {"export_policy": {"name": "esx"}}, "create_time": "2026-01-01T00:00:00Z",
    });
    if !path.is_empty() {
        volume["nas"]["path"] = json!(path);
    }
    volume
}

/// A clone of volume 1's snapshot 1, with this comment.
pub(super) fn clone(comment: &str) -> Value {
    let mut clone = volume(CLONE, "strata_c__1_web", "/strata_c__1_web");
    clone["comment"] = json!(comment);
    clone["nas"]["export_policy"] = json!({"name": "strata_c__1_web"});
    clone["clone"] = json!({"is_flexclone": true, "parent_volume": {"uuid": VOL1}, "parent_snapshot": {"uuid": SNAP1, "name": "s1"}});
    clone["create_time"] = json!("2026-01-02T00:00:00Z");
    clone
}

pub(super) fn snapshot(uuid: &str, name: &str, comment: &str, create_time: &str) -> Value {
    json!({"uuid": uuid, "name": name, "comment": comment, "create_time": create_time, "size": 7})
}

/// A LUN of volume 1 that is mapped to the group.
pub(super) fn lun(name: &str, serial: &str, mapped: bool) -> Value {
    let maps = json!([{"igroup": {"name": "esx", "uuid": IGROUP}, "logical_unit_number": 3}]);
    json!({
        "uuid": LUN1, "name": name, "serial_number": serial, "svm": svm(), "space": {"size": 4096},
        "location": {"volume": {"uuid": VOL1, "name": "ds_1"}}, "lun_maps": if mapped { maps } else { json!([]) },
    })
}
