//! What is rolled back in place, and when it is refused.

use super::{
    fake::{Fake, IGROUP, JOB, LUN1, SNAP1, SNAP2, VOL1, list, lun, queued, snapshot, svm, volume},
    protocol::mark,
};
use crate::driver::{LunRestore as _, Progress, Reason, RestoreRequest, VolumeRestore as _};
use serde_json::{Value, json};
use strata_model::ids::{ArraySnapshotId, VolumeId};

fn request(released: &[&str]) -> RestoreRequest {
    RestoreRequest {
        mark: mark("r-1"),
        volume: VolumeId(VOL1.to_owned()),
        expected_uuid: None,
        snapshot: ArraySnapshotId(SNAP1.to_owned()),
        lun: "lun_1".to_owned(),
        released_initiators: released.iter().map(|it| (*it).to_owned()).collect(),
        resume: None,
    }
}

/// A volume of LUNs with these snapshots, mapped to two initiators.
fn block(snapshots: &[Value]) -> Fake {
    let fake = Fake::new((14, 1));
    fake.on(&format!("GET /storage/volumes/{VOL1}"), 200, volume(VOL1, "ds_1", ""));
    fake.on(&format!("GET /storage/volumes/{VOL1}/snapshots"), 200, list(snapshots));
    fake.on(&format!("GET /storage/volumes/{VOL1}/snapshots/{SNAP1}"), 200, snapshots[0].clone());
    fake.on("GET /storage/luns", 200, list(&[lun("/vol/ds_1/lun_1", "wf0Iq+N4uck3", true)]));
    let initiators = json!([{"name": "iqn.a"}, {"name": "20:01:00:50:56:bb:70:72"}]);
    let igroup = json!({"uuid": IGROUP, "name": "esx", "os_type": "vmware", "svm": svm(), "initiators": initiators});
    fake.on("GET /protocols/san/igroups", 200, list(&[igroup]));
    fake.on(&format!("PATCH /storage/volumes/{VOL1}"), 200, json!({}));
    fake.on(&format!("PATCH /storage/luns/{LUN1}"), 200, json!({}));
    fake
}

const BOTH: [&str; 2] = ["IQN.a", "20:01:00:50:56:bb:70:72"];

#[tokio::test]
async fn s01_a_volume_is_not_rolled_back_over_newer_snapshots() {
    let target = snapshot(SNAP1, "s1", "", "2026-01-01T00:00:05Z");
    for (time, refused) in
        [("2026-01-01T00:00:04Z", false), ("2026-01-01T00:00:05Z", true), ("2026-01-02T00:00:00Z", true)]
    {
        let fake = block(&[target.clone(), snapshot(SNAP2, "hourly.1", "", time)]);
        let restored = fake.driver().await.restore_volume(&request(&BOTH)).await;
        if refused {
            let error = restored.unwrap_err();
            assert_eq!(error.reason, Reason::NewerSnapshots, "{time}");
            assert!(error.message.contains("hourly.1"), "{error}");
            assert!(fake.changes().is_empty(), "{time}");
        } else {
            assert_eq!(restored.unwrap(), Progress::Ready(()));
            let asked = fake.asked("PATCH ");
            assert_eq!(asked[0].body, json!({"restore_to": {"snapshot": {"uuid": SNAP1}}}));
            assert!(asked[0].line.contains("preserve_lun_ids=true"), "{}", asked[0].line);
        }
    }
}

#[tokio::test]
async fn s21_nothing_is_rolled_back_under_an_initiator_that_has_not_let_go() {
    let only = [snapshot(SNAP1, "s1", "", "2026-01-01T00:00:00Z")];
    for released in [&[][..], &BOTH[..1], &BOTH[1..]] {
        let fake = block(&only);
        let driver = fake.driver().await;
        let volume = driver.restore_volume(&request(released)).await.unwrap_err();
        let lun = driver.restore_lun(&request(released)).await.unwrap_err();
        assert_eq!((volume.reason, lun.reason), (Reason::InUse, Reason::InUse), "{released:?}");
        assert!(fake.changes().is_empty());
    }
    // A group that the login is not shown is somebody.
    let fake = block(&only);
    fake.on("GET /protocols/san/igroups", 200, list(&[]));
    let error = fake.driver().await.restore_lun(&request(&BOTH)).await.unwrap_err();
    assert!(error.reason == Reason::InUse && error.message.contains("igroup esx"), "{error}");
}

#[tokio::test]
async fn s21_nor_under_a_host_that_may_mount_it() {
    let rules = |clients: &[&str]| json!([{"index": 1, "clients": clients.iter().map(|it| json!({"match": it})).collect::<Vec<_>>()}]);
    let policy = |clients: &[&str]| list(&[json!({"id": 3, "name": "esx", "rules": rules(clients)})]);
    for (policies, released, restored) in [
        (policy(&["10.0.0.21", "10.0.0.22"]), &["10.0.0.21", "10.0.0.22"][..], true),
        (policy(&["10.0.0.21", "10.0.0.22"]), &["10.0.0.21"], false),
        (policy(&["0.0.0.0/0"]), &["10.0.0.21"], false),
        (policy(&[]), &[], true),
        // A policy that is not shown lets somebody in.
        (list(&[]), &["10.0.0.21"], false),
    ] {
        let fake = block(&[snapshot(SNAP1, "s1", "", "2026-01-01T00:00:00Z")]);
        fake.on(&format!("GET /storage/volumes/{VOL1}"), 200, volume(VOL1, "ds_1", "/ds_1"));
        fake.on("GET /storage/luns", 200, list(&[]));
        fake.on("GET /protocols/nfs/export-policies", 200, policies.clone());
        let done = fake.driver().await.restore_volume(&request(released)).await;
        assert_eq!(done.is_ok(), restored, "{policies} {released:?}: {done:?}");
        assert_eq!(fake.changes().len(), usize::from(restored));
        if let Err(error) = done {
            assert_eq!(error.reason, Reason::InUse);
        }
    }
}

#[tokio::test]
async fn a_lun_is_overwritten_from_the_snapshot_and_nothing_else_of_it_is_set() {
    let fake =
        block(&[snapshot(SNAP1, "s1", "", "2026-01-01T00:00:00Z"), snapshot(SNAP2, "s2", "", "2026-01-02T00:00:00Z")]);
    let driver = fake.driver().await;
    assert_eq!(driver.restore_lun(&request(&BOTH)).await.unwrap(), Progress::Ready(()));
    let asked = fake.asked("PATCH ");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body, json!({"clone": {"source": {"name": "/vol/ds_1/.snapshot/s1/lun_1"}}}));
    let absent = RestoreRequest { lun: "other".to_owned(), ..request(&BOTH) };
    assert_eq!(driver.restore_lun(&absent).await.unwrap_err().reason, Reason::NotFound);
    let replaced = RestoreRequest { expected_uuid: Some("another".to_owned()), ..request(&BOTH) };
    assert_eq!(driver.restore_lun(&replaced).await.unwrap_err().reason, Reason::VolumeReplaced);
}

#[tokio::test]
async fn a_restore_is_done_when_its_job_says_so_and_made_once() {
    let fake = block(&[snapshot(SNAP1, "s1", "", "2026-01-01T00:00:00Z")]);
    fake.then(&format!("PATCH /storage/volumes/{VOL1}"), &[queued()]);
    let driver = fake.driver().await;
    let Progress::Pending { resume, .. } = driver.restore_volume(&request(&BOTH)).await.unwrap() else {
        panic!("ready")
    };
    let again = RestoreRequest { resume: Some(resume), ..request(&BOTH) };
    let job = format!("GET /cluster/jobs/{JOB}");
    fake.on(&job, 200, json!({"state": "running"}));
    assert!(matches!(driver.restore_volume(&again).await.unwrap(), Progress::Pending { .. }));
    fake.on(&job, 200, json!({"state": "success"}));
    assert_eq!(driver.restore_volume(&again).await.unwrap(), Progress::Ready(()));
    assert_eq!(driver.restore_lun(&again).await.unwrap(), Progress::Ready(()));
    fake.on(&job, 200, json!({"state": "failure", "code": 9_437_886}));
    assert_eq!(driver.restore_volume(&again).await.unwrap_err().reason, Reason::NewerSnapshots);
    assert_eq!(fake.changes().len(), 1);
}
