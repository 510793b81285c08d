//! Who may not, what is said then, tolerances of the protocol, releases, and faults.

use super::{Lab, account};
use crate::{
    fault::{Action, Rule},
    skins::ontap::{Access, Account, Release, Scope, Settings},
};
use serde_json::{Value, json};

const ADMIN: &str = "Basic YWRtaW46c2ltdWxhdGVk";

#[tokio::test]
async fn nobody_comes_in_without_the_right_words() {
    let lab = Lab::new();
    lab.ontap.set(|settings| {
        settings.accounts.push(Account { token: Some("t0k".into()), ..account("oauth", Scope::Cluster) });
    });
    for (authorization, status) in [
        (ADMIN, 200),
        ("basic YWRtaW46c2ltdWxhdGVk", 200),
        ("Basic YWRtaW46d3Jvbmc=", 401),
        ("Basic !", 401),
        ("Bearer t0k", 200),
        ("Bearer wrong", 401),
        ("", 401),
    ] {
        let answer = lab.raw("GET", "/api/cluster", &[("authorization", authorization)], "").await.unwrap();
        assert_eq!(answer.status, status, "{authorization}");
        if status == 401 {
            assert_eq!(answer.code(), "6691623");
        }
    }
    lab.ontap.set(|settings| settings.release = Release::V9_12_1);
    let answer = lab.raw("GET", "/api/cluster", &[("authorization", "Bearer t0k")], "").await.unwrap();
    assert_eq!(answer.status, 401, "no bearer tokens before 9.14.1");
    let answer = lab.raw("GET", "/api/cluster", &[], "").await.unwrap();
    assert_eq!((answer.status, &answer.headers["content-type"]), (401, &"application/hal+json".parse().unwrap()));
}

#[tokio::test]
async fn a_role_allows_what_it_says_and_the_rest_is_code_6() {
    let lab = Lab::new();
    let mut reader = account("admin2", Scope::Cluster);
    reader.role = vec![
        ("/api/storage".into(), Access::ReadOnly),
        ("/api/storage/volumes/*/snapshots".into(), Access::ReadCreate),
    ];
    lab.ontap.set(|settings| settings.accounts = vec![reader]);
    // admin2:simulated
    let headers = [("authorization", "Basic YWRtaW4yOnNpbXVsYXRlZA==")];
    for (method, path, status) in [
        ("GET", "/api/storage/volumes", 200),
        ("POST", "/api/storage/volumes", 403),
        ("POST", "/api/storage/volumes/{v}/snapshots", 202),
        ("DELETE", "/api/storage/volumes/{v}/snapshots/{s}", 403),
        ("GET", "/api/cluster", 403),
    ] {
        let body = if method == "POST" { "{\"name\": \"s2\"}" } else { "" };
        let answer = lab.raw(method, path, &headers, body).await.unwrap();
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        if status == 403 {
            assert_eq!(answer.code(), "6");
        }
    }
    lab.array().behave(|b| b.denied = ["POST /api/storage/volumes/*/snapshots".to_owned()].into()).unwrap();
    let answer = lab.ask("POST", "/storage/volumes/{v}/snapshots", json!({"name": "s9"})).await;
    assert_eq!((answer.status, answer.code()), (403, "6"), "what a test takes away from the administrator");
    assert_eq!(lab.ask("POST", "/storage/volumes", json!({})).await.status, 400);
}

#[tokio::test]
async fn an_svms_account_sees_its_svm_and_needs_not_name_it() {
    let mut settings = Settings { polls_running: 0, ..Settings::default() };
    settings.svms.push("svm2".into());
    settings.accounts = vec![account("vs2", Scope::Svm("svm2".into())), account("vs1", Scope::Svm("svm1".into()))];
    let lab = Lab::with(settings);
    // vs1:simulated, vs2:simulated
    let (vs1, vs2) =
        ([("authorization", "Basic dnMxOnNpbXVsYXRlZA==")], [("authorization", "Basic dnMyOnNpbXVsYXRlZA==")]);
    let count = |answer: super::Answer| answer.body["num_records"].as_u64();
    assert_eq!(count(lab.raw("GET", "/api/storage/volumes", &vs1, "").await.unwrap()), Some(2));
    assert_eq!(count(lab.raw("GET", "/api/storage/volumes", &vs2, "").await.unwrap()), Some(1));
    assert_eq!(lab.raw("GET", "/api/storage/volumes/{v}", &vs2, "").await.unwrap().status, 404);
    assert_eq!(lab.raw("GET", "/api/cluster", &vs1, "").await.unwrap().code(), "6");
    let new = json!({"name": "v2", "size": "1GB"}).to_string();
    let made = lab.raw("POST", "/api/storage/volumes?return_timeout=1", &vs2, &new).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(lab.ask("POST", "/storage/volumes", json!({"name": "v3", "size": "1GB"})).await.code(), "262177");
    // Sent on to an SVM by a cluster's account.
    let tunnel = [("authorization", ADMIN), ("x-dot-svm-name", "svm2")];
    assert_eq!(count(lab.raw("GET", "/api/storage/volumes", &tunnel, "").await.unwrap()), Some(2));
    let contradicting = json!({"name": "v3", "size": "1GB", "svm": {"name": "svm1"}}).to_string();
    assert_eq!(lab.raw("POST", "/api/storage/volumes", &tunnel, &contradicting).await.unwrap().status, 400);
    let mut sent_on = vs1.to_vec();
    sent_on.push(("x-dot-svm-name", "svm1"));
    assert_eq!(lab.raw("GET", "/api/storage/volumes", &sent_on, "").await.unwrap().status, 400);
    lab.ontap.place_volume(lab.volume, "svm2").unwrap();
    assert_eq!(count(lab.raw("GET", "/api/storage/volumes", &vs2, "").await.unwrap()), Some(3));
}

#[tokio::test]
async fn the_protocol_is_as_tolerant_as_clients_need_and_no_more() {
    let lab = Lab::new();
    for (method, path, body, status, code) in [
        ("GET", "//api/storage//volumes/", "", 200, "none"),
        ("GET", "/api/storage/volumes?pretty=true&return_records=True&return_timeout=15", "", 200, "none"),
        ("HEAD", "/api/storage/volumes", "", 200, "none"),
        ("DELETE", "/api/storage/volumes/{v}/snapshots/{s}?return_timeout=1", "{}", 200, "none"),
        ("DELETE", "/api/storage/volumes/{v}", "{\"a\": 1}", 400, "262198"),
        ("GET", "/api/storage/volumes", "{\"a\": 1}", 400, "262198"),
        ("POST", "/api/storage/volumes", "{", 400, "262199"),
        ("POST", "/api/storage/volumes", "{\"name\": \"a\", \"colour\": \"red\"}", 400, "262179"),
        ("POST", "/api/storage/volumes/{v}/snapshots", "{}", 400, "262177"),
        ("POST", "/api/storage/volumes/{v}/snapshots?colour=red", "{\"name\": \"a\"}", 400, "262179"),
        ("PATCH", "/api/storage/volumes", "{}", 405, "3"),
        ("GET", "/api/storage/nothing", "", 404, "3"),
        ("GET", "/elsewhere", "", 403, "6"),
        ("GET", "/api/storage/volumes/no-uuid", "", 404, "2"),
        ("GET", "/api/storage/volumes/00000000-0000-0000-0000-000000000000", "", 404, "4"),
        // An unencoded `..` addresses the volume itself.
        ("GET", "/api/storage/volumes/{v}/files/..", "", 200, "none"),
    ] {
        let answer = lab.raw(method, path, &[("authorization", ADMIN)], body).await.unwrap();
        assert_eq!((answer.status, answer.code()), (status, code), "{method} {path} {body}: {}", answer.body);
    }
    let plain = [("authorization", ADMIN), ("accept", "application/json")];
    let answer = lab.raw("GET", "/api/storage/volumes", &plain, "").await.unwrap();
    assert!(answer.body["records"][0].get("_links").is_none() && answer.body.get("_links").is_none());
    let body = "{\"name\": \"s7\"}";
    let answer = lab.raw("POST", "/api/storage/volumes/{v}/snapshots", &plain, body).await.unwrap();
    assert!(answer.body["job"]["_links"]["self"]["href"].is_string(), "clients depend on it whatever they accept");
    let options = lab.raw("OPTIONS", "/api/storage/volumes", &plain, "").await.unwrap();
    assert_eq!(options.headers["allow"], "GET, POST, HEAD, OPTIONS");
}

#[tokio::test]
async fn what_a_release_lacks_is_not_there() {
    let lab = Lab::new();
    lab.ontap.set(|settings| settings.release = Release::V9_8);
    let cluster = lab.get("/cluster").await;
    assert!(cluster["version"]["full"].as_str().unwrap().contains("9.8.0"));
    let one = "/storage/volumes/{v}?restore_to.snapshot.name=s1&restore_to.path=vm/disk";
    assert_eq!(lab.done("PATCH", one, json!({})).await, "262179");
    let cli = json!({"vserver": "svm1", "volume": "vol1", "snapshot": "s1", "path": "/vm/disk"});
    let answer = lab.ask("POST", "/private/cli/volume/snapshot/restore-file?return_timeout=5", cli).await;
    assert_eq!((answer.status, lab.read("vm/disk").as_str()), (200, "old"), "{}", answer.body);
    let snapshot = lab.get("/storage/volumes/{v}/snapshots/{s}").await;
    assert!(snapshot.get("version_uuid").is_none());
    let locking = json!({"snapshot_locking_enabled": true});
    assert_eq!(lab.done("PATCH", "/storage/volumes/{v}", locking).await, "262179");
}

#[tokio::test]
async fn a_lock_holds_until_its_time() {
    let lab = Lab::new();
    let snapshots = "/storage/volumes/{v}/snapshots";
    let locked = |name: &str| json!({"name": name, "snaplock": {"expiry_time": "2026-01-02T00:00:00+00:00"}});
    assert_eq!(lab.done("POST", snapshots, locked("l1")).await, "1638617", "not before it is enabled");
    assert_eq!(lab.done("PATCH", "/storage/volumes/{v}", json!({"snapshot_locking_enabled": true})).await, "success");
    assert_eq!(lab.done("POST", snapshots, locked("l1")).await, "success");
    let l1 = lab.get(&format!("{snapshots}?name=l1&fields=*")).await["records"][0].clone();
    assert_eq!(l1["snaplock"]["expired"], false);
    let path = format!("{snapshots}/{}", l1["uuid"].as_str().unwrap());
    assert_eq!(lab.done("DELETE", &path, json!({})).await, "1638555");
    assert_eq!(lab.done("PATCH", "/storage/volumes/{v}", json!({"restore_to.snapshot.name": "s1"})).await, "9437886");
    assert_eq!(lab.done("DELETE", "/storage/volumes/{v}", json!({})).await, "1638555");
    let earlier = json!({"snaplock": {"expiry_time": "2026-01-01T12:00:00+00:00"}});
    assert_eq!(lab.done("PATCH", &path, earlier).await, "1638616");
    lab.clock.advance(std::time::Duration::from_secs(86_400));
    assert_eq!(lab.done("DELETE", &path, json!({})).await, "success");
    let kept = json!({"name": "e1", "expiry_time": "2026-02-01T00:00:00+00:00"});
    assert_eq!(lab.done("POST", snapshots, kept).await, "success");
    let e1 = lab.get(&format!("{snapshots}?name=e1")).await["records"][0]["uuid"].as_str().unwrap().to_owned();
    assert_eq!(lab.done("DELETE", &format!("{snapshots}/{e1}"), json!({})).await, "1638555");
}

#[tokio::test]
async fn shared_blocks_keep_snapshots_away_and_run_out() {
    let lab = Lab::new();
    lab.ontap.set(|settings| (settings.share_window_ms, settings.shares_max) = (30_000, 1));
    let clone =
        |to: &str| json!({"volume.name": "vol1", "source_path": ".snapshot/s1/vm/disk", "destination_path": to});
    assert_eq!(lab.done("POST", "/storage/file/clone", clone("vm/a")).await, "success");
    assert_eq!(lab.done("POST", "/storage/volumes/{v}/snapshots", json!({"name": "s2"})).await, "524486");
    assert_eq!(lab.done("POST", "/storage/file/clone", clone("vm/b")).await, "13565952");
    assert_eq!(lab.done("DELETE", "/storage/volumes/{v}/snapshots/{s}", json!({})).await, "1638555");
    lab.clock.advance(std::time::Duration::from_secs(30));
    assert_eq!(lab.done("POST", "/storage/volumes/{v}/snapshots", json!({"name": "s2"})).await, "success");
    assert_eq!(lab.done("POST", "/storage/file/clone", clone("vm/b")).await, "success");
    lab.ontap.set(|settings| settings.aggregate_full = true);
    assert_eq!(lab.done("POST", "/storage/volumes/{v}/snapshots", json!({"name": "s3"})).await, "524479");
    lab.ontap.set(|settings| settings.flexclone = false);
    assert_eq!(lab.done("POST", "/storage/file/clone", clone("vm/c")).await, "1115127");
    assert_eq!(lab.get("/cluster/licensing/licenses?name=flexclone").await["num_records"], 0);
}

#[tokio::test]
async fn a_busy_array_says_when_to_come_back_and_an_answer_can_be_lost() {
    let lab = Lab::new();
    let busy = Action::Refuse { status: 429, code: "262160".into(), message: "Too many requests.".into() };
    lab.world.faults().add(Rule::new(busy).face("ontap/filer1").times(1));
    let answer = lab.ask("GET", "/cluster", Value::Null).await;
    assert_eq!((answer.status, answer.code(), &answer.headers["retry-after"]), (429, "262160", &"1".parse().unwrap()));
    lab.world.faults().add(Rule::new(Action::LoseAnswer).method("POST").path("/snapshots").times(1));
    let headers = [("authorization", ADMIN)];
    assert!(lab.raw("POST", "/api/storage/volumes/{v}/snapshots", &headers, "{\"name\": \"s2\"}").await.is_err());
    assert_eq!(lab.names("/storage/volumes/{v}/snapshots").await.len(), 2, "it was done nevertheless");
}
