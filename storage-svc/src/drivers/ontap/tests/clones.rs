//! Clones of volumes and of LUNs, and who reaches them.

use super::{
    fake::{CLONE, Fake, IGROUP, LUN1, SNAP1, SNAP2, VOL1, clone, list, lun, queued, refusal, snapshot},
    protocol::{comment, mark},
};
use crate::driver::{
    ArrayDriver as _, CloneRemoval, CloneTarget, ExportRequest, ExportTo, HostInitiators, Progress, Reason,
    VolumeCloneRequest,
};
use serde_json::{Value, json};
use strata_model::ids::{ArraySnapshotId, VolumeId};

fn target(snapshot: &str, luns: &[&str]) -> CloneTarget {
    CloneTarget {
        volume: VolumeId(VOL1.to_owned()),
        snapshot: ArraySnapshotId(snapshot.to_owned()),
        directory: String::new(),
        luns: luns.iter().map(|path| (*path).to_owned()).collect(),
    }
}

fn wanted(snapshot: &str, luns: &[&str]) -> VolumeCloneRequest {
    VolumeCloneRequest {
        mark: mark("c-1"),
        label: "web".to_owned(),
        targets: vec![target(snapshot, luns)],
        resume: None,
    }
}

fn removal(snapshot: &str, luns: &[&str]) -> CloneRemoval {
    CloneRemoval { mark: mark("c-1"), label: "web".to_owned(), targets: vec![target(snapshot, luns)], resume: None }
}

fn export(volume: &str, to: ExportTo) -> ExportRequest {
    ExportRequest { mark: mark("c-1"), label: "web".to_owned(), volume: VolumeId(volume.to_owned()), to, resume: None }
}

fn policy(id: u64, name: &str, clients: &[&str]) -> Value {
    let rule = |(index, client): (usize, &&str)| json!({"index": index + 1, "clients": [{"match": client}], "ro_rule": ["sys"], "rw_rule": ["sys"], "superuser": ["sys"]});
    json!({"id": id, "name": name, "rules": clients.iter().enumerate().map(rule).collect::<Vec<_>>()})
}

/// With snapshot 1 of volume 1, and the volumes that a list shows.
async fn with(volumes: &[Value]) -> (Fake, super::super::Ontap) {
    let fake = Fake::new((14, 1));
    fake.on(&format!("GET /storage/volumes/{VOL1}/snapshots/{SNAP1}"), 200, snapshot(SNAP1, "s1", "", ""));
    let driver = fake.driver().await;
    fake.on("GET /storage/volumes", 200, list(volumes));
    for volume in volumes {
        fake.on(&format!("GET /storage/volumes/{}", volume["uuid"].as_str().unwrap()), 200, volume.clone());
    }
    (fake, driver)
}

#[tokio::test]
async fn a_clone_is_made_marked_thin_and_for_nobody() {
    let (fake, driver) = with(&[]).await;
    fake.then(
        "GET /protocols/nfs/export-policies",
        &[(200, list(&[])), (200, list(&[policy(7, "strata_c__1_web", &[])]))],
    );
    fake.on("POST /protocols/nfs/export-policies", 201, json!({}));
    fake.then("POST /storage/volumes", &[queued()]);
    let made = driver.volume_clones().unwrap().ensure_clone(&wanted(SNAP1, &[])).await.unwrap();
    assert!(matches!(made, Progress::Pending { .. }));
    let body = &fake.asked("POST /storage/volumes")[0].body;
    assert_eq!(body["comment"], json!(comment("c-1", "7f1a2b3c")));
    assert_eq!(body["nas"], json!({"path": "/strata_c__1_web", "export_policy": {"name": "strata_c__1_web"}}));
    assert_eq!(body["clone"]["parent_snapshot"], json!({"uuid": SNAP1}));
    assert_eq!(body["snapshot_policy"], json!({"name": "none"}));
    assert!(fake.asked("POST /protocols/nfs/export-policies/7/rules").is_empty());
}

#[tokio::test]
async fn a_key_is_one_clone() {
    let ours = clone(&comment("c-1", "7f1a2b3c"));
    let (fake, driver) = with(&[ours]).await;
    let clones = driver.volume_clones().unwrap();
    let Progress::Ready(found) = clones.ensure_clone(&wanted(SNAP1, &[])).await.unwrap() else { panic!("pending") };
    assert_eq!((found[0].volume.uuid.as_str(), found[0].volume.clone_of.as_ref().unwrap().as_str()), (CLONE, VOL1));
    assert_eq!(clones.ensure_clone(&wanted(SNAP2, &[])).await.unwrap_err().reason, Reason::KeyReused);
    assert_eq!(clones.remove_clone(&removal(SNAP2, &[])).await.unwrap_err().reason, Reason::KeyReused);
    assert!(fake.changes().is_empty());
}

#[tokio::test]
async fn s02_only_our_own_clone_is_unmounted_deleted_or_exported() {
    let plain = comment("c-1", "7f1a2b3c");
    let mut unrelated = clone(&plain);
    unrelated["clone"] = json!({"is_flexclone": false});
    let mut copy = clone(&plain);
    copy["type"] = json!("dp");
    for stranger in
        [clone(""), clone(&plain.replace("0123", "ffff")), clone(&comment("c-1", "8f1a2b3c")), unrelated, copy]
    {
        let (fake, driver) = with(&[stranger]).await;
        let removed = driver.volume_clones().unwrap().remove_clone(&removal(SNAP1, &[])).await;
        assert_eq!(removed.unwrap_err().reason, Reason::NotOurs);
        let exports = driver.exports().unwrap();
        let request = export(CLONE, ExportTo::Nfs(vec!["10.0.0.21".to_owned()]));
        assert_eq!(exports.ensure_export(&request).await.unwrap_err().reason, Reason::NotOurs);
        assert_eq!(exports.remove_export(&request).await.unwrap_err().reason, Reason::NotOurs);
        assert!(fake.changes().is_empty(), "{:?}", fake.changes());
    }
}

#[tokio::test]
async fn removal_waits_for_the_export_to_end_then_unmounts_and_deletes_past_the_recovery_queue() {
    let (fake, driver) = with(&[clone(&comment("c-1", "7f1a2b3c"))]).await;
    let clones = driver.volume_clones().unwrap();
    fake.on("GET /protocols/nfs/export-policies", 200, list(&[policy(7, "strata_c__1_web", &["10.0.0.21"])]));
    let error = clones.remove_clone(&removal(SNAP1, &[])).await.unwrap_err();
    assert!(error.reason == Reason::Exported && error.message.contains("10.0.0.21"), "{error}");
    fake.on("GET /protocols/nfs/export-policies", 200, list(&[policy(7, "strata_c__1_web", &[])]));
    fake.on("GET /storage/luns", 200, list(&[lun("/vol/strata_c__1_web/lun_1", "wf0Iq+N4uck3", true)]));
    assert_eq!(clones.remove_clone(&removal(SNAP1, &[])).await.unwrap_err().reason, Reason::Exported);
    assert!(fake.changes().is_empty());
    fake.on("GET /storage/luns", 200, list(&[]));
    // What it came with goes with it; what was cut of it does not.
    let came = [
        snapshot(SNAP1, "s1", "", "2026-01-02T00:00:00Z"),
        snapshot("older", "s0", "", "2026-01-01T00:00:00Z"),
        snapshot("later", "daily", "", "2026-01-02T00:00:00Z"),
    ];
    let snapshots = format!("GET /storage/volumes/{CLONE}/snapshots");
    fake.on(&snapshots, 200, list(&came));
    let error = clones.remove_clone(&removal(SNAP1, &[])).await.unwrap_err();
    assert!(error.reason == Reason::HasDependents && error.message.ends_with("first: daily"), "{error}");
    assert!(fake.changes().is_empty());
    fake.on(&snapshots, 200, list(&came[..2]));
    fake.on(&format!("PATCH /storage/volumes/{CLONE}"), 200, json!({}));
    // A release that wants it offline first.
    let first = (400, refusal("917658", "must be offline"));
    fake.then(&format!("DELETE /storage/volumes/{CLONE}"), &[first, (200, json!({}))]);
    fake.on("DELETE /protocols/nfs/export-policies/7", 200, json!({}));
    assert_eq!(clones.remove_clone(&removal(SNAP1, &[])).await.unwrap(), Progress::Ready(()));
    let patched: Vec<Value> = fake.asked("PATCH ").into_iter().map(|asked| asked.body).collect();
    assert_eq!(patched, [json!({"nas": {"path": ""}}), json!({"state": "offline"})]);
    let deleted = fake.asked("DELETE ");
    assert!(deleted[0].line.contains("force=true"), "{}", deleted[0].line);
    assert_eq!(deleted.last().unwrap().line, "DELETE /protocols/nfs/export-policies/7");
}

#[tokio::test]
async fn rules_let_in_exactly_the_hosts_that_were_given() {
    let (fake, driver) = with(&[clone(&comment("c-1", "7f1a2b3c"))]).await;
    fake.on(
        "GET /protocols/nfs/export-policies",
        200,
        list(&[policy(7, "strata_c__1_web", &["10.0.0.20", "10.0.0.21"])]),
    );
    fake.on("DELETE /protocols/nfs/export-policies/7/rules/1", 200, json!({}));
    fake.on("DELETE /protocols/nfs/export-policies/7/rules/2", 200, json!({}));
    fake.on("POST /protocols/nfs/export-policies/7/rules", 201, json!({}));
    let exports = driver.exports().unwrap();
    let request = export(CLONE, ExportTo::Nfs(vec!["10.0.0.21".to_owned(), "10.0.0.22".to_owned()]));
    assert!(matches!(exports.ensure_export(&request).await.unwrap(), Progress::Ready(_)));
    assert_eq!(
        fake.changes(),
        ["DELETE /protocols/nfs/export-policies/7/rules/1", "POST /protocols/nfs/export-policies/7/rules"]
    );
    assert_eq!(fake.asked("POST ")[0].body["clients"], json!([{"match": "10.0.0.22"}]));
    exports.remove_export(&request).await.unwrap();
    assert_eq!(fake.asked("DELETE ").len(), 3);
}

#[tokio::test]
async fn a_host_that_may_not_read_the_root_is_named_before_anything_is_changed() {
    let (fake, driver) = with(&[clone(&comment("c-1", "7f1a2b3c"))]).await;
    let mut root = super::fake::volume("00000000-0000-4000-8000-00000000000f", "root", "/");
    root["nas"]["export_policy"] = json!({"name": "default"});
    fake.on("GET /storage/volumes", 200, list(&[root]));
    fake.on("GET /protocols/nfs/export-policies", 200, list(&[policy(1, "default", &["10.9.0.0/16"])]));
    let request = export(CLONE, ExportTo::Nfs(vec!["10.0.0.21".to_owned()]));
    let error = driver.exports().unwrap().ensure_export(&request).await.unwrap_err();
    assert!(error.reason == Reason::RightMissing && error.message.contains("'default'"), "{error}");
    assert!(fake.changes().is_empty());
}

fn to_luns(initiators: &[&str]) -> ExportTo {
    let initiators = initiators.iter().map(|it| (*it).to_owned()).collect();
    let hosts = vec![HostInitiators { host: "esx-1".to_owned(), initiators }];
    ExportTo::Luns { paths: vec!["lun_1".to_owned()], hosts }
}

#[tokio::test]
async fn s08_luns_are_mapped_to_a_group_of_our_own_alone() {
    let (fake, driver) = with(&[clone(&comment("c-1", "7f1a2b3c"))]).await;
    let of = |group: &str| {
        let mut lun = lun("/vol/strata_c__1_web/lun_1", "wf0Iq+N4uck3", !group.is_empty());
        lun["lun_maps"][0]["igroup"]["name"] = json!(group);
        lun
    };
    let unmapped = lun("/vol/strata_c__1_web/lun_1", "wf0Iq+N4uck3", false);
    let name = "strata_c-1_0b9d9a57";
    let exports = driver.exports().unwrap();
    let request = export(CLONE, to_luns(&["iqn.1998-01.com.vmware:esx-1"]));
    // Mapped by somebody else; a group of our name that serves others; one for other systems.
    fake.on("GET /storage/luns", 200, list(&[of("esx")]));
    assert_eq!(exports.ensure_export(&request).await.unwrap_err().reason, Reason::InUse);
    fake.on("GET /storage/luns", 200, list(std::slice::from_ref(&unmapped)));
    for group in [
        json!({"uuid": IGROUP, "name": name, "os_type": "vmware", "lun_maps": [{"lun": {"name": "/vol/ds_1/lun_1"}}]}),
        json!({"uuid": IGROUP, "name": name, "os_type": "linux"}),
    ] {
        fake.on("GET /protocols/san/igroups", 200, list(&[group]));
        assert_eq!(exports.ensure_export(&request).await.unwrap_err().reason, Reason::NotOurs);
    }
    assert!(fake.changes().is_empty(), "{:?}", fake.changes());
    let stale = json!({"uuid": IGROUP, "name": name, "os_type": "vmware", "initiators": [{"name": "iqn.old"}]});
    fake.on("GET /protocols/san/igroups", 200, list(&[stale]));
    fake.on(&format!("DELETE /protocols/san/igroups/{IGROUP}/initiators/iqn.old"), 200, json!({}));
    fake.on(&format!("POST /protocols/san/igroups/{IGROUP}/initiators"), 201, json!({}));
    fake.on("POST /protocols/san/lun-maps", 201, json!({}));
    fake.then("GET /storage/luns", &[(200, list(&[unmapped])), (200, list(&[of(name)]))]);
    let Progress::Ready(crate::driver::Export::Luns(luns)) = exports.ensure_export(&request).await.unwrap() else {
        panic!("no LUNs")
    };
    assert_eq!((luns[0].canonical_name.as_str(), luns[0].number), ("naa.600a098077663049712b4e3475636b33", Some(3)));
    let changes = fake.changes();
    let order: Vec<&str> = changes.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(order, ["DELETE", "POST", "POST"], "who must not reach it goes first");
    // The end: only our map and our group.
    fake.on(&format!("DELETE /protocols/san/lun-maps/{LUN1}/{IGROUP}"), 200, json!({}));
    fake.on(&format!("DELETE /protocols/san/igroups/{IGROUP}"), 200, json!({}));
    exports.remove_export(&request).await.unwrap();
    let deleted: Vec<String> = fake.asked("DELETE ").into_iter().skip(1).map(|asked| asked.line).collect();
    assert_eq!(
        deleted,
        [format!("DELETE /protocols/san/lun-maps/{LUN1}/{IGROUP}"), format!("DELETE /protocols/san/igroups/{IGROUP}")]
    );
    let request = export(VOL1, to_luns(&["iqn.x"]));
    fake.on("GET /storage/luns", 200, list(&[lun("/vol/ds_1/lun_1", "wf0Iq+N4uck3", false)]));
    assert_eq!(exports.ensure_export(&request).await.unwrap_err().reason, Reason::NotOurs, "a LUN that is no clone");
}

#[tokio::test]
async fn luns_cloned_in_place_bear_their_mark_and_what_they_came_from() {
    let (fake, driver) = with(&[]).await;
    let clones = driver.lun_clones().unwrap();
    let source = lun("/vol/ds_1/q/lun_1", "wf0Iq+N4uck3", true);
    fake.on("POST /storage/luns", 201, json!({}));
    let mut made = lun("/vol/ds_1/strata_c-1_0-web", "804pb+0Wj4wB", false);
    made["uuid"] = json!("made");
    made["comment"] = json!(format!(
        "{} s={}",
        comment("c-1", "7f1a2b3c"),
        super::super::comment::digest(&format!("{SNAP1} q/lun_1"))
    ));
    fake.then(
        "GET /storage/luns",
        &[(200, list(std::slice::from_ref(&source))), (200, list(&[source.clone(), made.clone()]))],
    );
    let Progress::Ready(found) = clones.ensure_lun_clone(&wanted(SNAP1, &["q/lun_1"])).await.unwrap() else {
        panic!("pending")
    };
    assert_eq!((found[0].luns[0].uuid.as_str(), found[0].luns[0].path.as_str()), ("made", "strata_c-1_0-web"));
    let body = &fake.asked("POST ")[0].body;
    assert_eq!(body["comment"], made["comment"]);
    assert_eq!(body["clone"], json!({"source": {"name": "/vol/ds_1/.snapshot/s1/q/lun_1"}}));
    for other in [wanted(SNAP1, &["q/lun_2"]), wanted(SNAP2, &["q/lun_1"])] {
        assert_eq!(clones.ensure_lun_clone(&other).await.unwrap_err().reason, Reason::KeyReused);
    }
    let mut mapped = made.clone();
    mapped["lun_maps"] = source["lun_maps"].clone();
    fake.on("GET /storage/luns", 200, list(&[mapped]));
    assert_eq!(clones.remove_lun_clone(&removal(SNAP1, &["q/lun_1"])).await.unwrap_err().reason, Reason::Exported);
    made["comment"] = json!("");
    fake.on("GET /storage/luns", 200, list(&[made]));
    assert_eq!(clones.remove_lun_clone(&removal(SNAP1, &["q/lun_1"])).await.unwrap_err().reason, Reason::NotOurs);
    assert_eq!(fake.changes().len(), 1);
}
