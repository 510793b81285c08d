//! The face against its manual, through the router and without a socket.

mod block;
mod calls;
mod lists;
mod trouble;

use crate::{
    clock::HandClock,
    serve,
    world::{
        World,
        storage::{ArraySpec, NewVolume},
        tree::FileTree as _,
    },
};
use axum::Router;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use std::{io, sync::Arc};
use uuid::Uuid;

const ARRAY: &str = "nas1";

/// One array with one volume `vol1` that holds `vm/disk` ("old") and has a snapshot `s1` of it; live is "new".
struct Lab {
    clock: Arc<HandClock>,
    world: Arc<World>,
    router: Router,
    token: String,
    volume: Uuid,
    snapshot: Uuid,
}

impl Lab {
    async fn new() -> Self {
        let clock = HandClock::shared();
        let world = World::new(clock.clone());
        world.add_array(ArraySpec::new(ARRAY, "10.0.0.1")).unwrap();
        let array = world.array(ARRAY).unwrap();
        let volume = array.create_volume(volume("vol1")).unwrap().id;
        let tree = array.tree(volume).unwrap();
        tree.create_dir_all("vm").unwrap();
        tree.write("vm/disk", 0, b"old").unwrap();
        let snapshot = array.create_snapshot(volume, "s1", "").unwrap().id;
        tree.write("vm/disk", 0, b"new").unwrap();
        let router = super::router(Arc::clone(&world), ARRAY);
        let mut lab = Lab { clock, world, router, token: String::new(), volume, snapshot };
        lab.log_in().await;
        lab
    }

    async fn log_in(&mut self) {
        let login = json!({"user": "admin", "password": "simulated"});
        let (status, body) = self.ask("POST", "/sessions", Some(login)).await;
        assert_eq!(status, 201, "{body}");
        self.token = body["token"].as_str().unwrap().to_owned();
    }

    /// `{v}` and `{s}` stand for the volume and its snapshot.
    async fn raw(&self, method: &str, path: &str, body: Bytes) -> io::Result<(u16, Bytes)> {
        let path = path.replace("{v}", &self.volume.to_string()).replace("{s}", &self.snapshot.to_string());
        let request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .body(body)
            .unwrap();
        let response = serve::call(self.router.clone(), request).await?;
        Ok((response.status().as_u16(), response.into_body()))
    }

    async fn try_ask(&self, method: &str, path: &str, body: Option<Value>) -> io::Result<(u16, Value)> {
        let body = body.map(|b| b.to_string().replace("{v}", &self.volume.to_string()));
        let body = body.map(|b| b.replace("{s}", &self.snapshot.to_string())).unwrap_or_default();
        let (status, bytes) = self.raw(method, path, body.into()).await?;
        let value = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Ok((status, value))
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.try_ask(method, path, body).await.unwrap()
    }

    fn live(&self) -> Vec<u8> {
        self.world.array(ARRAY).unwrap().tree(self.volume).unwrap().read("vm/disk", 0, 9).unwrap()
    }

    fn snapshot_names(&self) -> Vec<String> {
        let snapshots = self.world.array(ARRAY).unwrap().snapshots(self.volume).unwrap();
        snapshots.into_iter().map(|s| s.name).collect()
    }
}

fn volume(name: &str) -> NewVolume {
    NewVolume { name: name.into(), comment: String::new(), export_path: format!("/{name}"), size_bytes: 1 << 30 }
}
