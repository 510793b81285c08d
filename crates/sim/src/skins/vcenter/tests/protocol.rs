//! Envelope, schema, sessions, paging.

use super::{
    Client,
    client::{between, one},
};
use crate::{
    skins::vcenter::{codec, collector::Things, property::Reader, schema::SCHEMA},
    world::compute::{VmSpec, value::MoRef},
};
use http::{Request, StatusCode};
use std::{collections::HashMap, time::Duration};

const PC: (&str, &str) = ("PropertyCollector", "propertyCollector");

#[tokio::test]
async fn wrong_requests_are_refused_by_name() {
    let c = Client::new().await;
    let web = c.vm("web");
    let vm = ("VirtualMachine", web.as_str());
    let filter = |select: &str| {
        format!(
            r#"<specSet><propSet><type>VirtualMachine</type><pathSet>name</pathSet></propSet><objectSet><obj type="Folder">group-d1</obj>{select}</objectSet></specSet><options/>"#
        )
    };
    let cases: Vec<(&str, (&str, &str), String, &str)> = vec![
        ("NoSuchMethod", vm, String::new(), "MethodNotFound"),
        ("PowerOnVM_Task", ("Folder", "group-d1"), String::new(), "MethodNotFound"),
        ("PowerOnVM_Task", ("VirtualMachine", "vm-1"), String::new(), "ManagedObjectNotFound"),
        // Order, missing, unknown, repeated elements and bad values.
        (
            "CreateSnapshot_Task",
            vm,
            "<memory>false</memory><name>a</name><quiesce>false</quiesce>".into(),
            "InvalidRequest",
        ),
        ("CreateSnapshot_Task", vm, "<name>a</name><memory>false</memory>".into(), "InvalidRequest"),
        ("PowerOnVM_Task", vm, "<nothing>1</nothing>".into(), "InvalidRequest"),
        (
            "CreateSnapshot_Task",
            vm,
            "<name>a</name><memory>maybe</memory><quiesce>false</quiesce>".into(),
            "InvalidRequest",
        ),
        // A TraversalSpec without xsi:type is a SelectionSpec and has no such fields.
        (
            "RetrievePropertiesEx",
            PC,
            filter("<selectSet><type>Folder</type><path>childEntity</path></selectSet>"),
            "InvalidRequest",
        ),
        ("RetrievePropertiesEx", PC, filter("<selectSet><name>gone</name></selectSet>"), "InvalidArgument"),
        ("RetrievePropertiesEx", PC, one("VirtualMachine", &web, "config.nothing"), "InvalidProperty"),
        ("RetrievePropertiesEx", PC, one("VirtualMachine", "vm-1", "name"), "ManagedObjectNotFound"),
        (
            "ReconfigVM_Task",
            vm,
            "<spec><extraConfig><key>a</key><value>b</value></extraConfig></spec>".into(),
            "InvalidRequest",
        ),
        (
            "ReconfigVM_Task",
            vm,
            "<spec><deviceChange><operation>add</operation><device><key>1</key></device></deviceChange></spec>".into(),
            "InvalidRequest",
        ),
        (
            "ReconfigVM_Task",
            vm,
            "<spec><deviceChange><operation>paint</operation><device i:type=\"VirtualDisk\"><key>1</key><capacityInKB>1</capacityInKB></device></deviceChange></spec>".into(),
            "InvalidRequest",
        ),
    ];
    for (method, (ty, id), args, fault) in cases {
        assert_eq!(c.fault(method, ty, id, &args).await, fault, "{method} {args}");
    }
    let request = Request::post("/sdk").body("<a><b></a>".into()).unwrap();
    let response = crate::serve::call(c.router.clone(), request).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn sessions_are_needed_expire_and_can_be_cloned() {
    let mut c = Client::new().await;
    let ticket = c.ok("AcquireCloneTicket", "SessionManager", "SessionManager", "").await;
    let ticket = between(&ticket, "<returnval>", "</returnval>").to_owned();
    assert_eq!(c.login("pw").await.0, StatusCode::INTERNAL_SERVER_ERROR, "a second login on one session");
    let good = std::mem::take(&mut c.cookie);
    assert_eq!(c.fault("PowerOnVM_Task", "VirtualMachine", &c.vm("db"), "").await, "NotAuthenticated");
    let args = format!("<cloneTicket>{ticket}</cloneTicket>");
    c.ok("CloneSession", "SessionManager", "SessionManager", &args).await;
    assert_eq!(c.fault("CloneSession", "SessionManager", "SessionManager", &args).await, "InvalidLogin");
    assert_eq!(c.login("wrong").await.0, StatusCode::INTERNAL_SERVER_ERROR);
    c.cookie = good;
    c.clock.advance(Duration::from_secs(1799));
    c.get("Folder", "group-d1", "name").await;
    c.clock.advance(Duration::from_secs(1799));
    c.get("Folder", "group-d1", "name").await;
    c.clock.advance(Duration::from_secs(1801));
    let args = one("Folder", "group-d1", "name");
    assert_eq!(c.fault("RetrievePropertiesEx", PC.0, PC.1, &args).await, "NotAuthenticated");
    c.login("pw").await;
    c.ok("Logout", "SessionManager", "SessionManager", "").await;
    assert_eq!(c.fault("RetrievePropertiesEx", PC.0, PC.1, &args).await, "NotAuthenticated");
}

#[tokio::test]
async fn answers_come_in_pages_of_a_hundred() {
    let c = Client::with(|mut b| {
        for n in 0..246 {
            b = b.vm(VmSpec { disks: Vec::new(), ..VmSpec::named(&format!("vm{n}")) });
        }
        b
    })
    .await;
    let view = "<container type=\"Folder\">group-d1</container><type>VirtualMachine</type><recursive>true</recursive>";
    let view = c.ok("CreateContainerView", "ViewManager", "ViewManager", view).await;
    let view = between(&view, "type=\"ContainerView\">", "<");
    let spec = |options: &str| {
        format!(
            r#"<specSet><propSet><type>VirtualMachine</type><pathSet>name</pathSet></propSet><objectSet><obj type="ContainerView">{view}</obj><skip>true</skip><selectSet i:type="TraversalSpec"><type>ContainerView</type><path>view</path><skip>false</skip></selectSet></objectSet></specSet>{options}"#
        )
    };
    let mut page = c.ok("RetrievePropertiesEx", PC.0, PC.1, &spec("<options/>")).await;
    let mut sizes = vec![page.matches("<objects>").count()];
    while page.contains("<token>") {
        let args = format!("<token>{}</token>", between(&page, "<token>", "</token>"));
        page = c.ok("ContinueRetrievePropertiesEx", PC.0, PC.1, &args).await;
        sizes.push(page.matches("<objects>").count());
        let again = c.fault("ContinueRetrievePropertiesEx", PC.0, PC.1, &args).await;
        assert_eq!(again, "InvalidProperty", "a token is good once");
    }
    assert_eq!(sizes, [100, 100, 50]);
    let page = c.ok("RetrievePropertiesEx", PC.0, PC.1, &spec("<options><maxObjects>7</maxObjects></options>")).await;
    assert_eq!(page.matches("<objects>").count(), 7);
    let all = c.ok("RetrieveProperties", PC.0, PC.1, &spec("")).await;
    assert_eq!(all.matches("<obj ").count(), 250);
}

#[tokio::test]
async fn every_property_fits_the_schema() {
    let c = Client::new().await;
    c.task(
        "CreateSnapshot_Task",
        "VirtualMachine",
        &c.vm("web"),
        "<name>s</name><memory>false</memory><quiesce>true</quiesce>",
    )
    .await;
    c.vc.with(|s| {
        let things = Things::default();
        let reader = Reader { s, things: &things };
        let mut all: Vec<MoRef> = vec![MoRef::new("ServiceInstance", "ServiceInstance")];
        let mut add = |ty: &str, ids: Vec<&String>| all.extend(ids.into_iter().map(|id| MoRef::new(ty, id)));
        add("Folder", s.folders.keys().collect());
        add("Datacenter", s.datacenters.keys().collect());
        add("ClusterComputeResource", s.clusters.keys().collect());
        add("ResourcePool", s.pools.keys().collect());
        add("HostSystem", s.hosts.keys().collect());
        add("Datastore", s.datastores.keys().collect());
        add("Network", s.networks.keys().collect());
        add("VirtualMachine", s.vms.keys().collect());
        add("VirtualMachineSnapshot", s.snapshots.keys().collect());
        add("Task", s.tasks.keys().collect());
        let mut seen = 0;
        for object in all {
            for field in SCHEMA.properties(&object.ty).unwrap() {
                let value = reader.value(&object, &field.name, &mut HashMap::new());
                let mut unknown = Vec::new();
                codec::unknown_fields(&value, &mut unknown);
                assert!(unknown.is_empty(), "{}.{}: {unknown:?}", object.ty, field.name);
                seen += usize::from(!value.is_unset());
            }
        }
        assert!(seen > 300, "{seen}");
    });
}

#[tokio::test]
async fn folder_needs_a_session_and_serves_files() {
    let c = Client::new().await;
    let ask = |method: &str, cookie: &str, path: &str, body: &'static str| {
        let request = Request::builder()
            .method(method)
            .uri(format!("/folder/{path}?dcPath=DC0&dsName=ds1"))
            .header("cookie", cookie)
            .body(body.into())
            .unwrap();
        crate::serve::call(c.router.clone(), request)
    };
    let status = async |method: &str, cookie: &str, path: &str, body: &'static str| {
        ask(method, cookie, path, body).await.unwrap().status().as_u16()
    };
    assert_eq!(status("GET", "", "web/web.vmx", "").await, 401);
    let text = ask("GET", &c.cookie, "web/web.vmx", "").await.unwrap().into_body();
    assert!(String::from_utf8_lossy(&text).contains("displayName = \"web\""));
    assert_eq!(status("PUT", &c.cookie, "web/a%20b%23.txt", "hello").await, 201);
    assert_eq!(ask("GET", &c.cookie, "web/a%20b%23.txt", "").await.unwrap().into_body(), "hello");
    assert_eq!(status("HEAD", &c.cookie, "web/none", "").await, 404);
    assert_eq!(status("PUT", &c.cookie, "nowhere/x", "hello").await, 404);
    assert_eq!(status("PUT", &c.cookie, "web/web.vmdk", "x").await, 500, "a running VM's disk");
    assert_eq!(status("DELETE", &c.cookie, "web/a%20b%23.txt", "").await, 204);
    assert_eq!(status("GET", &c.cookie, "../x", "").await, 400);
}
