//! A client that writes XML by hand and knows nothing of the face's code.

use crate::{
    clock::{HandClock, SimClock},
    serve,
    skins::vcenter::{router, xml},
    world::{
        MemTree, Space, World,
        compute::{DiskSpec, Vcenter, VmSpec, vm::Tools},
        tree::FileTree,
    },
};
use axum::Router;
use http::{Request, StatusCode};
use std::{sync::Arc, time::Duration};

pub struct Client {
    pub router: Router,
    pub vc: Arc<Vcenter>,
    pub world: Arc<World>,
    pub clock: Arc<HandClock>,
    pub cookie: String,
}

pub fn tree() -> Arc<dyn FileTree> {
    Arc::new(MemTree::new(Space::unlimited()))
}

impl Client {
    /// Two hosts, two NFS datastores, an export that nobody mounts, four VMs; logged in.
    pub async fn new() -> Self {
        Self::with(|b| b).await
    }

    pub async fn with(more: impl FnOnce(crate::world::compute::Builder) -> crate::world::compute::Builder) -> Self {
        let clock = HandClock::shared();
        let world = World::new(Arc::clone(&clock) as Arc<dyn SimClock>);
        for path in ["/ds1", "/ds2", "/clone"] {
            world.register_nfs("nas", path, tree());
        }
        let builder = Vcenter::builder(Arc::clone(&world), "vc01")
            .user("adm", "pw")
            .session_idle(Duration::from_secs(1800))
            .datacenter("DC0")
            .cluster("C0")
            .host("esx1")
            .host("esx2")
            .nfs_datastore("ds1", "nas", "/ds1")
            .nfs_datastore("ds2", "nas", "/ds2")
            .vm(VmSpec::named("web").on())
            .vm(VmSpec::named("db").disks(vec![
                DiskSpec::of(1 << 20),
                DiskSpec { datastore: Some("ds2".into()), ..DiskSpec::of(1 << 20) },
            ]))
            .vm(VmSpec { template: true, ..VmSpec::named("golden") })
            .vm(VmSpec { tools: Tools::Absent, ..VmSpec::named("plain") }.on());
        let vc = more(builder).build().unwrap();
        let mut client = Client { router: router(Arc::clone(&vc)), vc, world, clock, cookie: String::new() };
        let (status, _) = client.login("pw").await;
        assert_eq!(status, StatusCode::OK);
        client
    }

    pub async fn login(&mut self, password: &str) -> (StatusCode, String) {
        let body = format!("<userName>adm</userName><password>{password}</password>");
        let response = self.post("Login", "SessionManager", "SessionManager", &body).await.unwrap();
        if let Some(cookie) = response.headers().get("set-cookie") {
            self.cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        }
        (response.status(), String::from_utf8(response.into_body().to_vec()).unwrap())
    }

    pub async fn post(
        &self,
        method: &str,
        ty: &str,
        id: &str,
        args: &str,
    ) -> std::io::Result<http::Response<bytes::Bytes>> {
        let body = format!(
            r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><{method} xmlns="urn:vim25"><_this type="{ty}">{id}</_this>{args}</{method}></soapenv:Body></soapenv:Envelope>"#
        );
        let request = Request::post("/sdk")
            .header("content-type", "text/xml; charset=utf-8")
            .header("cookie", &self.cookie)
            .body(body.into())
            .unwrap();
        serve::call(self.router.clone(), request).await
    }

    /// A call's answer: status and text.
    pub async fn call(&self, method: &str, ty: &str, id: &str, args: &str) -> (StatusCode, String) {
        let response = self.post(method, ty, id, args).await.unwrap();
        (response.status(), String::from_utf8(response.into_body().to_vec()).unwrap())
    }

    /// A call that must succeed.
    pub async fn ok(&self, method: &str, ty: &str, id: &str, args: &str) -> String {
        let (status, text) = self.call(method, ty, id, args).await;
        assert_eq!(status, StatusCode::OK, "{method}: {text}");
        text
    }

    /// The fault's type of a call that must fail.
    pub async fn fault(&self, method: &str, ty: &str, id: &str, args: &str) -> String {
        let (status, text) = self.call(method, ty, id, args).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{method}: {text}");
        let root = xml::parse(text.as_bytes()).unwrap();
        let detail = root.child("Body").and_then(|b| b.child("Fault")).and_then(|f| f.child("detail")).unwrap();
        detail.children[0].xsi_type.clone().unwrap()
    }

    /// Starts a task and waits for its end: `success`, or the type of its error.
    pub async fn task(&self, method: &str, ty: &str, id: &str, args: &str) -> String {
        let text = self.ok(method, ty, id, args).await;
        let task = between(&text, "<returnval type=\"Task\">", "</returnval>").to_owned();
        self.end_of(&task).await
    }

    pub async fn end_of(&self, task: &str) -> String {
        for _ in 0..1000 {
            let done = self.vc.with(|s| {
                let t = s.tasks.get(task).unwrap();
                match t.state {
                    "success" => Some("success".to_owned()),
                    "error" => t.error.as_ref().map(|e| e.ty().to_owned()),
                    _ => None,
                }
            });
            match done {
                Some(done) => return done,
                None => tokio::task::yield_now().await,
            }
        }
        "running".to_owned()
    }

    /// A VM's id by its name.
    pub fn vm(&self, name: &str) -> String {
        self.vc.with(|s| s.vms.iter().find(|(_, v)| v.config.name == name).map(|(id, _)| id.clone()).unwrap())
    }

    /// A property as XML.
    pub async fn get(&self, ty: &str, id: &str, path: &str) -> String {
        self.ok("RetrievePropertiesEx", "PropertyCollector", "propertyCollector", &one(ty, id, path)).await
    }
}

/// Arguments that ask for one property of one object.
pub fn one(ty: &str, id: &str, path: &str) -> String {
    format!(
        r#"<specSet><propSet><type>{ty}</type><pathSet>{path}</pathSet></propSet><objectSet><obj type="{ty}">{id}</obj></objectSet></specSet><options/>"#
    )
}

pub fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let start = text.find(from).unwrap_or_else(|| panic!("no {from} in {text}")) + from.len();
    let end = text[start..].find(to).unwrap() + start;
    &text[start..end]
}
