//! What each call answers: status, code, target.

use super::{ARRAY, Lab};
use crate::world::World;
use serde_json::{Value, json};

struct Case {
    call: (&'static str, &'static str),
    body: Option<Value>,
    status: u16,
    code: Option<(&'static str, Value)>,
}

fn good(method: &'static str, path: &'static str, body: Option<Value>, status: u16) -> Case {
    Case { call: (method, path), body, status, code: None }
}

fn bad(
    method: &'static str,
    path: &'static str,
    body: Option<Value>,
    status: u16,
    code: &'static str,
    target: Value,
) -> Case {
    Case { call: (method, path), body, status, code: Some((code, target)) }
}

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// In this order on one lab.
fn cases() -> Vec<Case> {
    let snapshot = |name: &str| Some(json!({"name": name, "comment": "c"}));
    let clone = Some(json!({"name": "c1", "comment": "", "export_path": "/c1"}));
    let file = |from: &str, to: &str, overwrite: bool| {
        Some(json!({"snapshot_id": "{s}", "from": from, "to": to, "overwrite": overwrite}))
    };
    vec![
        good("GET", "/system", None, 200),
        good("GET", "/privileges", None, 200),
        good("GET", "/volumes", None, 200),
        good("GET", "/volumes/{v}", None, 200),
        bad("GET", "/nothing", None, 404, "NOT_FOUND", Value::Null),
        bad("PATCH", "/volumes", None, 405, "METHOD_NOT_ALLOWED", Value::Null),
        bad("GET", "/volumes/no-uuid", None, 404, "NOT_FOUND", json!("volume")),
        good("POST", "/volumes/{v}/snapshots", snapshot("s2"), 201),
        bad("POST", "/volumes/{v}/snapshots", snapshot("s2"), 409, "EXISTS", json!("snapshot")),
        bad("POST", "/volumes/{v}/snapshots", snapshot("a b"), 400, "INVALID", json!("name")),
        bad("POST", "/volumes/{v}/snapshots", Some(json!({"nam": "x"})), 400, "INVALID", json!("body")),
        bad("POST", "/volumes/{v}/snapshots", None, 400, "INVALID", json!("body")),
        good("GET", "/volumes/{v}/snapshots/{s}", None, 200),
        bad("GET", "/volumes/{v}/snapshots/{v}", None, 404, "NOT_FOUND", json!("snapshot")),
        good("POST", "/volumes/{v}/snapshots/{s}/clones", clone.clone(), 201),
        bad("POST", "/volumes/{v}/snapshots/{s}/clones", clone, 409, "EXISTS", json!("volume")),
        bad("DELETE", "/volumes/{v}/snapshots/{s}", None, 409, "HAS_DEPENDENTS", json!("{s}")),
        bad("DELETE", "/volumes/{v}", None, 409, "HAS_DEPENDENTS", json!("{v}")),
        good("PUT", "/volumes/{v}/exports", Some(json!({"clients": ["esx1"]})), 200),
        bad("PUT", "/volumes/{v}/exports", Some(json!({"clients": [""]})), 400, "INVALID", json!("clients")),
        bad("DELETE", "/volumes/{v}", None, 409, "EXPORTED", json!("{v}")),
        good("DELETE", "/volumes/{v}/exports", None, 200),
        good("POST", "/snapshot-groups", Some(json!({"name": "g", "volume_ids": ["{v}"]})), 201),
        bad("POST", "/snapshot-groups", Some(json!({"name": "h", "volume_ids": []})), 400, "INVALID", json!("volumes")),
        bad(
            "POST",
            "/snapshot-groups",
            Some(json!({"name": "h", "volume_ids": [NOBODY]})),
            404,
            "NOT_FOUND",
            json!("volume"),
        ),
        good("POST", "/volumes/{v}/files/directories", Some(json!({"path": "clone/a"})), 204),
        good("POST", "/volumes/{v}/files/clone", file("vm/disk", "clone/disk", false), 204),
        bad(
            "POST",
            "/volumes/{v}/files/clone",
            file("vm/disk", "clone/disk", false),
            409,
            "FILE_EXISTS",
            json!("clone/disk"),
        ),
        good("POST", "/volumes/{v}/files/clone", file("vm/disk", "clone/disk", true), 204),
        bad("POST", "/volumes/{v}/files/clone", file("vm/none", "x", false), 404, "FILE_NOT_FOUND", json!("vm/none")),
        bad("POST", "/volumes/{v}/files/clone", file("vm", "x", false), 400, "WRONG_KIND", json!("vm")),
        bad("POST", "/volumes/{v}/files/clone", file("vm/disk", "../x", false), 400, "BAD_PATH", json!("../x")),
        good("POST", "/volumes/{v}/files/restore", Some(json!({"snapshot_id": "{s}", "path": "vm/disk"})), 204),
        good("GET", "/volumes/{v}/files?path=vm", None, 200),
        bad("GET", "/volumes/{v}/files?path=no", None, 404, "FILE_NOT_FOUND", json!("no")),
        bad("GET", "/volumes/{v}/files/content?path=vm/disk&length=x", None, 400, "INVALID", json!("length")),
        bad("GET", "/volumes/{v}/files/content?path=vm/disk&length=4194305", None, 400, "INVALID", json!("length")),
        good("DELETE", "/volumes/{v}/files?path=clone", None, 204),
        bad("DELETE", "/volumes/{v}/files?path=", None, 400, "BAD_PATH", json!("")),
        good("POST", "/volumes/{v}/restore", Some(json!({"snapshot_id": "{s}"})), 200),
        bad("GET", "/jobs/x", None, 404, "NOT_FOUND", json!("job")),
        good("DELETE", "/sessions", None, 204),
        bad("GET", "/volumes", None, 401, "UNAUTHENTICATED", Value::Null),
    ]
}

#[tokio::test]
async fn every_call_answers_as_the_manual_says() {
    let lab = Lab::new().await;
    for Case { call: (method, path), body, status, code } in cases() {
        let (found, answer) = lab.ask(method, path, body.clone()).await;
        let shown = format!("{method} {path} {body:?} -> {found} {answer}");
        assert_eq!(found, status, "{shown}");
        let Some((code, target)) = code else { continue };
        let target = target.to_string().replace("{v}", &lab.volume.to_string());
        let target = target.replace("{s}", &lab.snapshot.to_string());
        assert_eq!((&answer["code"], answer["target"].to_string()), (&json!(code), target), "{shown}");
        assert!(answer["message"].as_str().is_some_and(|text| !text.is_empty()), "{shown}");
    }
    assert_eq!(lab.live(), b"old");
}

#[tokio::test]
async fn objects_have_the_fields_of_the_manual() {
    let lab = Lab::new().await;
    let time = "2026-01-01T00:00:00Z";
    let (_, volume) = lab.ask("GET", "/volumes/{v}", None).await;
    assert_eq!(
        volume,
        json!({
            "id": lab.volume, "name": "vol1", "comment": "", "export_path": "/vol1", "clients": [], "size_bytes": 1 << 30,
            "used_bytes": 131_072, "created_at": time, "parent": null, "read_only": false,
        })
    );
    let (_, snapshot) = lab.ask("GET", "/volumes/{v}/snapshots/{s}", None).await;
    let expected = json!({
        "id": lab.snapshot, "volume_id": lab.volume, "name": "s1", "comment": "", "created_at": time, "group_id": null,
    });
    assert_eq!(snapshot, expected);
    let new = json!({"name": "c1", "comment": "mark", "export_path": "/c1"});
    let (_, clone) = lab.ask("POST", "/volumes/{v}/snapshots/{s}/clones", Some(new)).await;
    assert_eq!(clone["parent"], json!({"volume_id": lab.volume, "snapshot_id": lab.snapshot}));
    let (_, refused) = lab.ask("DELETE", "/volumes/{v}/snapshots/{s}", None).await;
    assert_eq!(refused["dependents"], json!([clone["id"]]));
    let (_, listed) = lab.ask("GET", "/volumes/{v}/files?path=vm&snapshot_id={s}", None).await;
    let entries = json!([{"name": "disk", "is_dir": false, "size_bytes": 3}]);
    assert_eq!(listed, json!({"path": "vm", "is_dir": true, "size_bytes": 0, "entries": entries}));
    let content = "/volumes/{v}/files/content?path=vm/disk&offset=1";
    assert_eq!(lab.raw("GET", content, "".into()).await.unwrap().1, "ew".as_bytes());
    let content = "/volumes/{v}/files/content?path=vm/disk&offset=0&length=2&snapshot_id={s}";
    assert_eq!(lab.raw("GET", content, "".into()).await.unwrap().1, "ol".as_bytes());
}

#[tokio::test]
async fn capabilities_tell_the_switches_and_the_switches_hold() {
    let lab = Lab::new().await;
    let turn = |world: &World, on: bool| {
        let array = world.array(ARRAY).unwrap();
        array.behave(|b| (b.file_clones, b.group_snapshots, b.volume_restore, b.restore_eats_newer) = (on, on, on, !on))
    };
    for on in [true, false] {
        turn(&lab.world, on).unwrap();
        let (_, system) = lab.ask("GET", "/system", None).await;
        let can = &system["capabilities"];
        for capability in ["file_clones", "group_snapshots", "volume_restore", "restore_keeps_newer_snapshots"] {
            assert_eq!(can[capability], json!(on), "{capability}");
        }
        assert_eq!(can["group_volumes_max"], json!(if on { 50 } else { 1 }));
    }
    for (path, body) in [
        ("/snapshot-groups", json!({"name": "h", "volume_ids": ["{v}"]})),
        ("/volumes/{v}/files/clone", json!({"from": "vm/disk", "to": "x"})),
        ("/volumes/{v}/restore", json!({"snapshot_id": "{s}"})),
    ] {
        let (status, answer) = lab.ask("POST", path, Some(body)).await;
        assert_eq!((status, &answer["code"]), (501, &json!("UNSUPPORTED")), "{path}");
    }
}
