//! The face through its router, without a socket; and by NetApp's own client, with one.

mod foreign;
mod jobs;
mod lists;
mod nfs;
mod trouble;

use super::{Account, Ontap, Scope, Settings};
use crate::{
    clock::HandClock,
    serve,
    world::{
        World,
        storage::{Array, NewVolume},
        tree::FileTree as _,
    },
};
use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use std::{io, sync::Arc, time::Duration};
use uuid::Uuid;

const ARRAY: &str = "filer1";

/// An answer, taken apart.
#[derive(Debug)]
struct Answer {
    status: u16,
    body: Value,
    headers: HeaderMap,
}

impl Answer {
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or("none")
    }
}

/// One array with a volume `vol1` at `/vol1` for everybody, which holds `vm/disk` ("old") and a snapshot `s1` of that;
/// live is "new". Jobs are done at once and told so at the first look.
struct Lab {
    clock: Arc<HandClock>,
    world: Arc<World>,
    ontap: Ontap,
    router: Router,
    volume: Uuid,
    snapshot: Uuid,
}

impl Lab {
    fn new() -> Self {
        Self::with(Settings { polls_running: 0, locked_delete_ms: 0, ..Settings::default() })
    }

    fn with(settings: Settings) -> Self {
        let clock = HandClock::shared();
        let world = World::new(clock.clone());
        world.add_array(super::spec(ARRAY, "10.0.0.1")).unwrap();
        let array = world.array(ARRAY).unwrap();
        let new =
            NewVolume { name: "vol1".into(), comment: String::new(), export_path: "/vol1".into(), size_bytes: 1 << 30 };
        let volume = array.create_volume(new).unwrap().id;
        array.set_export(volume, ["*".to_owned()].into()).unwrap();
        let tree = array.tree(volume).unwrap();
        tree.create_dir_all("vm").unwrap();
        tree.write("vm/disk", 0, b"old").unwrap();
        let snapshot = array.create_snapshot(volume, "s1", "").unwrap().id;
        tree.write("vm/disk", 0, b"new").unwrap();
        let ontap = Ontap::new(&world, ARRAY, settings).unwrap();
        let router = ontap.router();
        Lab { clock, world, ontap, router, volume, snapshot }
    }

    fn array(&self) -> Array<'_> {
        self.world.array(ARRAY).unwrap()
    }

    fn read(&self, path: &str) -> String {
        String::from_utf8(self.array().tree(self.volume).unwrap().read(path, 0, 99).unwrap()).unwrap()
    }

    /// `{v}` and `{s}` stand for the volume and its snapshot.
    fn filled(&self, text: &str) -> String {
        text.replace("{v}", &self.volume.to_string()).replace("{s}", &self.snapshot.to_string())
    }

    async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Answer> {
        let mut request = Request::builder().method(method).uri(self.filled(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = serve::call(self.router.clone(), request.body(Bytes::from(self.filled(body))).unwrap()).await?;
        let (parts, body) = response.into_parts();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        Ok(Answer { status: parts.status.as_u16(), body, headers: parts.headers })
    }

    /// As the administrator; paths start after `/api`.
    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        // admin:simulated
        let headers = [("authorization", "Basic YWRtaW46c2ltdWxhdGVk")];
        self.raw(method, &format!("/api{path}"), &headers, &body).await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// A change, and what its job came to: `success`, or the code.
    async fn done(&self, method: &str, path: &str, body: Value) -> String {
        let answer = self.ask(method, path, body).await;
        if answer.status != 202 {
            return if answer.status < 300 { "success".to_owned() } else { answer.code().to_owned() };
        }
        let job =
            answer.body["job"]["_links"]["self"]["href"].as_str().unwrap().strip_prefix("/api").unwrap().to_owned();
        for _ in 0..20 {
            let job = self.get(&job).await;
            match job["state"].as_str().unwrap() {
                "success" => return "success".to_owned(),
                "failure" => return job["error"]["code"].as_str().unwrap().to_owned(),
                _ => self.clock.advance(Duration::from_secs(1)),
            }
        }
        panic!("the job does not end");
    }

    async fn names(&self, path: &str) -> Vec<String> {
        let list = self.get(path).await;
        list["records"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn clone_of_vol1(name: &str) -> Value {
    json!({
        "name": name, "svm.name": "svm1", "nas.path": format!("/{name}"), "nas.export_policy.name": "everyone",
        "clone": {"is_flexclone": true, "parent_volume": {"uuid": "{v}"}, "parent_snapshot": {"uuid": "{s}"}},
    })
}

fn account(user: &str, scope: Scope) -> Account {
    Account::new(user, "simulated", scope)
}
