//! Logins, scopes, pages, jobs, rights.

use super::fake::{CLONE, Fake, JOB, VOL1, VOL2, list, queued, refusal, snapshot, volume};
use crate::driver::{ArrayDriver as _, PageRequest, Progress, Reason, SnapshotRequest, SnapshotTarget};
use serde_json::{Value, json};
use std::time::Duration;
use strata_model::{ids::VolumeId, mark::Mark};

pub(super) fn mark(key: &str) -> Mark {
    Mark { installation: "0123456789abcdef0123456789abcdef".to_owned(), key: key.to_owned(), generation: 3 }
}

pub(super) fn cut(key: &str, volumes: &[&str]) -> SnapshotRequest {
    let target =
        |id: &&str| SnapshotTarget { volume: VolumeId((*id).to_owned()), paths: Vec::new(), expected_uuid: None };
    SnapshotRequest {
        mark: mark(key),
        label: "web".to_owned(),
        targets: volumes.iter().map(target).collect(),
        skew_max: Duration::ZERO,
        vm_off: false,
        resume: None,
    }
}

/// The comment of a snapshot of these volumes.
pub(super) fn comment(key: &str, volumes: &str) -> String {
    format!("{} v={volumes}", mark(key))
}

#[tokio::test]
async fn pages_are_followed_to_their_end_over_empty_ones_and_whole_addresses() {
    let fake = Fake::new((14, 1));
    let page = |records: &[Value], next: &str| {
        let mut page = list(records);
        page["_links"] = json!({"next": {"href": next}});
        page
    };
    let path = "/storage/volumes?start.uuid=";
    fake.on("GET /storage/volumes", 200, page(&[volume(VOL1, "a", "/a")], &format!("/api{path}1")));
    fake.on(&format!("GET {path}1"), 200, page(&[], &format!("https://svm1.example/api{path}2")));
    fake.on(&format!("GET {path}2"), 200, list(&[volume(VOL2, "b", "/b"), volume(CLONE, "root", "/")]));
    let driver = fake.driver().await;
    let found = driver.volumes(&PageRequest::first(10)).await.unwrap();
    let names: Vec<&str> = found.items.iter().map(|volume| volume.display_name.as_str()).collect();
    assert_eq!((names, found.next), (vec!["a", "b"], None));
    fake.on(&format!("GET {path}1"), 200, page(&[], "https://elsewhere.example/x"));
    let error = driver.volumes(&PageRequest::first(10)).await.unwrap_err();
    assert_eq!(error.reason, Reason::Unexpected);
}

#[tokio::test]
async fn who_it_is_in_each_scope() {
    let fake = Fake::new((14, 1));
    let login = "user = 'u'\npassword = 'p'\n";
    let of = async |table: &str| fake.driver_with(&format!("{login}{table}")).identify().await;
    let found = of("").await.unwrap();
    assert_eq!((found.serial.as_str(), found.version.as_str()), ("sv", "ONTAP 9.14.1, SVM svm1"));
    assert_eq!(of("scope = 'cluster'").await.unwrap().serial, "cl");
    assert_eq!(of("scope = 'cluster'\nsvm = 'svm1'").await.unwrap().serial, "sv");
    assert_eq!(of("scope = 'cluster'\nsvm = 'other'").await.unwrap_err().reason, Reason::NotFound);
    fake.on("GET /cluster", 403, refusal("6", "not authorized"));
    assert!(of("").await.unwrap().version.contains("may not read"));
    assert_eq!(of("release = '9.12.1'").await.unwrap().version, "ONTAP 9.12.1, SVM svm1");
    assert_eq!(of("scope = 'cluster'").await.unwrap_err().reason, Reason::RightMissing);
    fake.on("GET /cluster", 200, json!({"version": {"generation": 9, "major": 7}}));
    assert_eq!(of("").await.unwrap_err().reason, Reason::NotSupported);
    fake.on("GET /cluster", 200, json!({"version": {"generation": "9", "major": "16"}, "disaggregated": true}));
    assert_eq!(of("").await.unwrap_err().reason, Reason::NotSupported);
    fake.on("GET /cluster", 200, json!({"version": {"generation": 9, "major": 16}}));
    fake.on("GET /svm/svms", 200, list(&[json!({"uuid": "a", "name": "a"}), json!({"uuid": "b", "name": "b"})]));
    assert_eq!(of("").await.unwrap_err().reason, Reason::InvalidRequest);
}

#[tokio::test]
async fn files_are_for_svms_that_serve_nfs() {
    let lif = |services: &[&str]| json!({"ip": {"address": "10.0.0.5"}, "svm": {"name": "svm1"}, "services": services});
    for (status, interfaces, files) in [
        (200, list(&[lif(&["data_core", "data_iscsi"])]), false),
        (200, list(&[]), false),
        (200, list(&[lif(&["data_iscsi"]), lif(&["data_nfs"])]), true),
        (200, list(&[lif(&[])]), true),
        (403, refusal("6", "not authorized"), true),
    ] {
        let fake = Fake::new((14, 1));
        fake.on("GET /network/ip/interfaces", status, interfaces.clone());
        let driver = fake.driver().await;
        let can = driver.capabilities();
        assert_eq!([can.clone_files, can.restore_files, can.read_files, can.export_nfs], [files; 4], "{interfaces}");
        assert_eq!((driver.file_clones().is_some(), driver.file_restore().is_some()), (files, files));
        assert!(can.clone_volume && can.clone_luns && can.restore_lun);
    }
}

#[tokio::test]
async fn logins_and_the_tunnel() {
    let fake = Fake::new((14, 1));
    fake.driver_with("token = 'jwt'\nscope = 'cluster'\nsvm = 'svm1'").identify().await.unwrap();
    let asked = fake.asked("GET ");
    let [cluster, svms, ..] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((cluster.svm.as_deref(), cluster.authorization.as_deref()), (None, Some("Bearer jwt")));
    assert_eq!(svms.svm.as_deref(), Some("svm1"));
    let fake = Fake::new((14, 1));
    fake.driver().await;
    assert!(fake.asked("GET ").iter().all(|asked| asked.svm.is_none()));
    assert_eq!(fake.asked("GET ")[0].authorization.as_deref(), Some("Basic c3RyYXRhOnNpbXVsYXRlZA=="));
    let fake = Fake::new((14, 1));
    fake.driver_with("client_cert_file = '/c'\nclient_key_file = '/k'").identify().await.unwrap();
    assert!(fake.asked("GET ").iter().all(|asked| asked.authorization.is_none()));
}

#[tokio::test]
async fn a_job_is_waited_for_by_its_uuid_and_forgotten_ones_are_looked_up_by_name() {
    let fake = Fake::new((8, 0));
    let driver = fake.driver().await;
    let post = format!("POST /storage/volumes/{VOL1}/snapshots");
    let snapshots = format!("GET /storage/volumes/{VOL1}/snapshots");
    // Only a link, as releases without a body's uuid give it.
    let link = json!({"job": {"_links": {"self": {"href": format!("/api/cluster/jobs/{JOB}")}}}});
    fake.on(&post, 202, link);
    let asked = cut("s-1", &[VOL1]);
    let Progress::Pending { resume, .. } = driver.ensure_snapshot(&asked).await.unwrap() else { panic!("ready") };
    assert_eq!(resume, JOB);
    let again = SnapshotRequest { resume: Some(resume), ..asked };
    fake.on(&format!("GET /cluster/jobs/{JOB}"), 200, json!({"state": "running"}));
    assert!(matches!(driver.ensure_snapshot(&again).await.unwrap(), Progress::Pending { .. }));
    fake.on(
        &format!("GET /cluster/jobs/{JOB}"),
        200,
        json!({"state": "failure", "code": 525_062, "message": "too many"}),
    );
    assert_eq!(driver.ensure_snapshot(&again).await.unwrap_err().reason, Reason::LimitReached);
    assert_eq!(fake.changes().len(), 1, "nothing is made anew behind a job");
    let made = snapshot(
        "5d1a1f1e-9a3f-4f0e-8a53-0d8a5f7f2b01",
        "strata_s-1_web",
        &comment("s-1", "7f1a2b3c"),
        "2026-01-01T00:00:00Z",
    );
    fake.on(&snapshots, 200, list(&[made]));
    for job in [
        (404, refusal("4", "entry doesn't exist")),
        (403, refusal("6", "not authorized")),
        (200, json!({"state": "success"})),
        (200, json!({"state": "failure", "error": {"code": "525059"}})),
    ] {
        fake.then(&format!("GET /cluster/jobs/{JOB}"), &[job]);
        let Progress::Ready(found) = driver.ensure_snapshot(&again).await.unwrap() else { panic!("pending") };
        assert_eq!(found.members[0].native_name, "strata_s-1_web");
    }
    assert_eq!(fake.changes().len(), 1);
    // A job without any id is an odd answer, and no Pending that nobody can follow.
    fake.on(&snapshots, 200, list(&[]));
    fake.on(&post, 202, json!({"job": {}}));
    assert_eq!(driver.ensure_snapshot(&cut("s-2", &[VOL1])).await.unwrap_err().reason, Reason::Unexpected);
    fake.then(&post, &[queued()]);
    assert!(matches!(driver.ensure_snapshot(&cut("s-2", &[VOL1])).await.unwrap(), Progress::Pending { .. }));
}

#[tokio::test]
async fn an_array_that_is_busy_says_when_to_come_again() {
    let fake = Fake::new((14, 1));
    let driver = fake.driver().await;
    fake.header("Retry-After", "7");
    fake.on(&format!("POST /storage/volumes/{VOL1}/snapshots"), 429, refusal("262160", "too many"));
    let error = driver.ensure_snapshot(&cut("s-1", &[VOL1])).await.unwrap_err();
    assert_eq!((error.reason, error.retry_after), (Reason::Busy, Some(Duration::from_secs(7))));
    assert_eq!(fake.changes().len(), 1, "the driver repeats nothing by itself");
    for (body, reason) in
        [(json!("<html>"), Reason::ArrayUnreachable), (json!({"error": {}}), Reason::ArrayUnreachable)]
    {
        fake.on(&format!("POST /storage/volumes/{VOL1}/snapshots"), 503, body);
        assert_eq!(driver.ensure_snapshot(&cut("s-1", &[VOL1])).await.unwrap_err().reason, reason);
    }
}

#[tokio::test]
async fn preflight_names_each_right_as_a_role_writes_it_and_makes_nothing() {
    let fake = Fake::new((14, 1));
    let driver = fake.driver().await;
    fake.on("GET /cluster/licensing/licenses", 200, list(&[json!({"name": "flexclone", "state": "compliant"})]));
    let nil = "00000000-0000-0000-0000-000000000000";
    fake.on(&format!("POST /storage/volumes/{nil}/snapshots"), 403, refusal("6", "not authorized"));
    fake.on("POST /protocols/san/igroups", 403, refusal("6", "not authorized"));
    fake.on("GET /cluster/jobs", 403, refusal("6", "not authorized"));
    let found = driver.preflight().await.unwrap();
    let missing: Vec<&str> = found.missing.iter().map(|right| right.privilege.as_str()).collect();
    let expected =
        ["create on /api/storage/volumes/*/snapshots", "create on /api/protocols/san/igroups", "SnapRestore licence"];
    assert_eq!(missing, expected);
    assert!(found.missing[0].object.contains("login 'strata'"), "{:?}", found.missing[0]);
    assert!(found.remarks.iter().any(|remark| remark.contains("/api/cluster/jobs")), "{:?}", found.remarks);
    for asked in fake.asked("").iter().filter(|asked| !asked.line.starts_with("GET ")) {
        let harmless = asked.body == json!({}) || asked.line.starts_with("DELETE ");
        assert!(
            harmless && (asked.line.starts_with("POST ") || asked.line.contains(nil) || asked.line.contains("/0")),
            "{asked:?}"
        );
    }
}
