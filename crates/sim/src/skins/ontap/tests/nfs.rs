//! Volumes, snapshots, clones, files and restores, as their effects and their codes.

use super::{Lab, clone_of_vol1};
use serde_json::{Value, json};

#[tokio::test]
async fn a_snapshot_lives_and_dies() {
    let lab = Lab::new();
    let snapshots = "/storage/volumes/{v}/snapshots";
    let new = json!({"name": "s2", "comment": "strata1;k=7", "snapmirror_label": "x"});
    assert_eq!(lab.done("POST", snapshots, new.clone()).await, "success");
    assert_eq!(lab.done("POST", snapshots, new).await, "525059");
    let list = lab.get("/storage/volumes/{v}/snapshots?name=s2&fields=*").await;
    let s2 = &list["records"][0];
    let shown = (&s2["comment"], &s2["state"], &s2["volume"]["name"], &s2["create_time"]);
    assert_eq!(shown, (&json!("strata1;k=7"), &json!("valid"), &json!("vol1"), &json!("2026-01-01T00:00:00+00:00")));
    assert!(s2.get("owners").is_none() && s2.get("reclaimable_space").is_none(), "{s2}");
    let path = format!("{snapshots}/{}", s2["uuid"].as_str().unwrap());
    assert_eq!(lab.done("PATCH", &path, json!({"name": "s3", "comment": "c"})).await, "success");
    assert_eq!(lab.get(&path).await["name"], "s3");
    assert_eq!(lab.done("DELETE", &path, json!({})).await, "success");
    assert_eq!(lab.ask("GET", &path, Value::Null).await.status, 404);
    assert_eq!(lab.get("/storage/volumes/{v}").await["snapshot_count"], 1);
    lab.array().behave(|b| b.snapshots_max = 1).unwrap();
    assert_eq!(lab.done("POST", snapshots, json!({"name": "s4"})).await, "525062");
    for (name, code) in [("a b", "1638518"), ("snapmirror.1", "1638477"), ("", "1638518"), ("-a", "1638518")] {
        assert_eq!(lab.done("POST", snapshots, json!({"name": name})).await, code, "{name}");
    }
}

#[tokio::test]
async fn a_clone_holds_its_parents_snapshot_and_shows_its_files_to_hosts() {
    let lab = Lab::new();
    assert_eq!(lab.done("POST", "/storage/volumes", clone_of_vol1("c1")).await, "success");
    let tree = lab.world.nfs_as("10.0.0.9", "10.0.0.1", "/c1").expect("exported in one call");
    assert_eq!(tree.read("vm/disk", 0, 9).unwrap(), b"old");
    let c1 = lab.get("/storage/volumes?name=c1&fields=clone,nas.path").await["records"][0].clone();
    assert_eq!((&c1["clone"]["parent_snapshot"]["name"], &c1["nas"]["path"]), (&json!("s1"), &json!("/c1")));
    let by_parent = "/storage/volumes?clone.parent_volume.uuid={v}&clone.parent_snapshot.uuid={s}";
    assert_eq!(lab.names(by_parent).await, ["c1"]);
    let s1 = lab.get("/storage/volumes/{v}/snapshots/{s}").await;
    assert_eq!(s1["owners"], json!(["volume_clone"]));
    let copy = lab.get(&format!("/storage/volumes/{}/snapshots?fields=*", c1["uuid"].as_str().unwrap())).await;
    assert_eq!(copy["records"][0]["version_uuid"], s1["version_uuid"], "the clone carries the same content");
    assert_eq!(lab.done("DELETE", "/storage/volumes/{v}/snapshots/{s}", json!({})).await, "1638555");
    assert_eq!(lab.done("DELETE", "/storage/volumes/{v}", json!({})).await, "524615");
    let c1 = format!("/storage/volumes/{}", c1["uuid"].as_str().unwrap());
    assert_eq!(lab.done("DELETE", &format!("{c1}?force=true"), json!({})).await, "success");
    assert!(lab.world.nfs("10.0.0.1", "/c1").is_none());
    assert_eq!(lab.done("DELETE", "/storage/volumes/{v}/snapshots/{s}", json!({})).await, "success");
    for (body, code) in [
        (json!({"clone.parent_volume.name": "gone", "clone.parent_volume.uuid": null}), "524601"),
        (json!({"clone.parent_snapshot": {"name": "gone"}}), "1638600"),
        (json!({"name": "vol1", "nas.path": "/other"}), "917526"),
        (json!({"nas.path": "/vol1"}), "918252"),
        (json!({"nas.export_policy.name": "gone"}), "918271"),
        (json!({"size": "1GB"}), "918247"),
        (json!({"name": "1a"}), "917887"),
        (json!({"name": "a-b"}), "917888"),
        (json!({"name": "a".repeat(204)}), "917886"),
        (json!({"svm.name": "gone"}), "2621462"),
        (json!({"nas.path": "c1"}), "918252"),
    ] {
        let lab = Lab::new();
        let mut wanted = clone_of_vol1("c1");
        for (key, value) in body.as_object().unwrap() {
            if key.starts_with("clone.parent_volume") {
                wanted["clone"]["parent_volume"] = json!({"name": "gone"});
            } else if key == "clone.parent_snapshot" {
                wanted["clone"]["parent_snapshot"] = value.clone();
            } else {
                wanted[key] = value.clone();
            }
        }
        assert_eq!(lab.done("POST", "/storage/volumes", wanted).await, code, "{body}");
        assert_eq!(lab.array().volumes().unwrap().len(), 2, "{body}: nothing was made");
    }
}

#[tokio::test]
async fn the_recovery_queue_hides_a_volume_and_still_locks_its_parent() {
    for pins in [true, false] {
        let lab = Lab::new();
        lab.ontap.set(|settings| settings.queue_pins = pins);
        lab.done("POST", "/storage/volumes", clone_of_vol1("c1")).await;
        let id = lab.get("/storage/volumes?name=c1").await["records"][0]["uuid"].as_str().unwrap().to_owned();
        assert_eq!(lab.done("DELETE", &format!("/storage/volumes/{id}"), json!({})).await, "success");
        assert_eq!(lab.names("/storage/volumes").await.len(), 2, "root and vol1");
        let queue = lab.get("/private/cli/volume/recovery-queue?volume=c1*&fields=volume,vserver").await;
        let name = queue["records"][0]["volume"].as_str().unwrap().to_owned();
        assert!(name.starts_with("c1_") && name.len() > 3, "{name}");
        let expected = if pins { "1638555" } else { "success" };
        assert_eq!(lab.done("DELETE", "/storage/volumes/{v}/snapshots/{s}", json!({})).await, expected);
        let purge = json!({"vserver": "svm1", "volume": name});
        assert_eq!(lab.done("POST", "/private/cli/volume/recovery-queue/purge", purge).await, "success");
        assert_eq!(lab.array().volumes().unwrap().len(), 2);
    }
    let lab = Lab::new();
    lab.done("POST", "/storage/volumes", clone_of_vol1("c1")).await;
    let id = lab.get("/storage/volumes?name=c1").await["records"][0]["uuid"].as_str().unwrap().to_owned();
    lab.done("DELETE", &format!("/storage/volumes/{id}"), json!({})).await;
    lab.clock.advance(std::time::Duration::from_secs(12 * 3600));
    lab.get("/cluster").await;
    assert_eq!(lab.array().volumes().unwrap().len(), 2, "the queue lets go after 12 hours");
}

#[tokio::test]
async fn a_restore_deletes_newer_snapshots_and_stops_at_what_needs_them() {
    let restore = json!({"restore_to": {"snapshot": {"uuid": "{s}"}}});
    let lab = Lab::new();
    lab.done("POST", "/storage/volumes/{v}/snapshots", json!({"name": "s2"})).await;
    let s2 = lab.array().snapshots(lab.volume).unwrap()[1].id;
    lab.ontap.own_snapshot(s2, &["snapmirror"]);
    assert_eq!(lab.done("PATCH", "/storage/volumes/{v}", restore.clone()).await, "1638480");
    assert_eq!(lab.done("DELETE", &format!("/storage/volumes/{{v}}/snapshots/{s2}"), json!({})).await, "1638543");
    lab.ontap.own_snapshot(s2, &[]);
    let clone = json!({
        "name": "c2", "svm.name": "svm1", "clone.is_flexclone": true, "clone.parent_volume.name": "vol1",
        "clone.parent_snapshot.name": "s2",
    });
    assert_eq!(lab.done("POST", "/storage/volumes", clone).await, "success");
    assert_eq!(lab.done("PATCH", "/storage/volumes/{v}", restore.clone()).await, "1638555");
    assert_eq!((lab.read("vm/disk").as_str(), lab.names("/storage/volumes/{v}/snapshots").await.len()), ("new", 2));
    let c2 = lab.get("/storage/volumes?name=c2").await["records"][0]["uuid"].as_str().unwrap().to_owned();
    assert_eq!(lab.done("DELETE", &format!("/storage/volumes/{c2}?force=True"), json!({})).await, "success");
    // The query form, as NetApp's client and Trident send it.
    let path = "/storage/volumes/{v}?restore_to.snapshot.name=s1&return_records=True&preserve_lun_ids=true";
    assert_eq!(lab.done("PATCH", path, json!({})).await, "success");
    assert_eq!(
        (lab.read("vm/disk").as_str(), lab.names("/storage/volumes/{v}/snapshots").await),
        ("old", vec!["s1".into()])
    );
    lab.ontap.set(|settings| settings.snaprestore = false);
    assert_eq!(lab.done("PATCH", "/storage/volumes/{v}", restore).await, "1115127");
}

#[tokio::test]
async fn files_are_cloned_and_restored_one_by_one() {
    let lab = Lab::new();
    let clone = |from: &str, to: &str, over: bool| json!({"volume": {"uuid": "{v}"}, "source_path": from, "destination_path": to, "overwrite_destination": over});
    let path = "/storage/file/clone";
    for (from, to, over, code) in [
        (".snapshot/s1/vm/disk", "vm/a", false, "success"),
        ("./.snapshot/s1/vm/disk", "vm/b", false, "success"),
        ("vm/disk", "vm/c", false, "success"),
        ("vm/disk", "vm/c", false, "1"),
        (".snapshot/s1/vm/disk", "vm/c", true, "success"),
        ("vm/none", "vm/d", false, "917864"),
        (".snapshot/none/vm/disk", "vm/d", false, "917864"),
        ("/vm/disk", "vm/d", false, "917812"),
    ] {
        assert_eq!(lab.done("POST", path, clone(from, to, over)).await, code, "{from} {to}");
    }
    assert_eq!(
        [lab.read("vm/a"), lab.read("vm/b"), lab.read("vm/c"), lab.read("vm/disk")],
        ["old", "old", "old", "new"]
    );
    let one = "/storage/volumes/{v}?restore_to.snapshot.name=s1&restore_to.path=vm/disk";
    assert_eq!(lab.done("PATCH", &format!("{one}&restore_to.restore_path=vm/r"), json!({})).await, "success");
    assert_eq!(
        lab.done("PATCH", &format!("{one}&restore_to.start_byte=1&restore_to.byte_count=1"), json!({})).await,
        "success"
    );
    assert_eq!((lab.read("vm/r"), lab.read("vm/disk")), ("old".into(), "nlw".into()));
    let files = lab.get("/storage/volumes/{v}/files/vm?fields=size,type").await;
    let names: Vec<&str> = files["records"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, [".", "..", "a", "b", "c", "disk", "r"]);
    let disk = lab.get("/storage/volumes/{v}/files/vm%2Fdisk?return_metadata=true").await;
    assert_eq!((&disk["type"], &disk["size"], &disk["path"]), (&json!("file"), &json!(3), &json!("vm")));
    let past = lab.get("/storage/volumes/{v}/files/%2Esnapshot%2Fs1%2Fvm").await;
    assert_eq!(past["num_records"], 3);
    assert_eq!(lab.done("PATCH", "/storage/volumes/{v}/files/vm%2Fr", json!({"path": "vm/q"})).await, "success");
    assert_eq!(lab.done("DELETE", "/storage/volumes/{v}/files/vm%2Fr", json!({})).await, "6684674");
    assert_eq!(lab.done("DELETE", "/storage/volumes/{v}/files/vm", json!({})).await, "6684674", "not empty");
    assert_eq!(lab.done("POST", "/storage/volumes/{v}/files/new", json!({"type": "directory"})).await, "success");
    assert_eq!(lab.done("DELETE", "/storage/volumes/{v}/files/vm?recurse=true", json!({})).await, "success");
    assert_eq!(lab.names("/storage/volumes/{v}/files").await, [".", "..", "new"]);
}

#[tokio::test]
async fn a_host_needs_a_policy_and_a_way_through_the_junctions_above() {
    let lab = Lab::new();
    let policies = "/protocols/nfs/export-policies";
    let rule =
        json!({"clients": [{"match": "10.0.0.9"}], "ro_rule": ["sys"], "rw_rule": ["sys"], "superuser": ["sys"]});
    let made =
        lab.ask("POST", &format!("{policies}?return_records=true"), json!({"name": "p1", "svm.name": "svm1"})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["records"][0]["id"].as_u64().unwrap();
    assert_eq!(made.headers["location"], format!("/api{policies}/{id}"));
    assert_eq!(lab.done("POST", policies, json!({"name": "p1", "svm.name": "svm1"})).await, "1");
    let new = json!({"name": "v2", "svm.name": "svm1", "size": "10GB", "nas": {"path": "/vol1/deep", "export_policy.name": "p1"}});
    assert_eq!(lab.done("POST", "/storage/volumes", new).await, "success");
    let sees = |host: &str| lab.world.nfs_as(host, "10.0.0.1", "/vol1/deep").is_some();
    assert!(!sees("10.0.0.9"), "a policy without rules lets nobody in");
    assert_eq!(lab.done("POST", &format!("{policies}/{id}/rules"), rule.clone()).await, "success");
    assert_eq!(lab.done("POST", &format!("{policies}/{id}/rules"), rule).await, "1704070");
    assert!(sees("10.0.0.9") && !sees("10.0.0.8"));
    let of_vol1 = |policy: &str| json!({"nas.export_policy.name": policy});
    assert_eq!(lab.done("PATCH", "/storage/volumes/{v}", of_vol1("p1")).await, "success");
    assert!(sees("10.0.0.9"), "the volume above lets the same host in");
    let other = json!({"name": "p2", "svm.name": "svm1"});
    assert_eq!(lab.done("POST", policies, other).await, "success");
    assert_eq!(lab.done("PATCH", "/storage/volumes/{v}", of_vol1("p2")).await, "success");
    assert!(!sees("10.0.0.9"), "the volume above lets nobody in");
    assert_eq!(lab.done("PATCH", "/storage/volumes/{v}", of_vol1("default")).await, "success");
    assert!(sees("10.0.0.9"), "reading is enough above");
    assert!(lab.world.nfs_as("10.0.0.9", "10.0.0.1", "/vol1").is_none(), "reading is not enough for a datastore");
    assert_eq!(lab.done("DELETE", &format!("{policies}/{id}"), json!({})).await, "1703945");
    assert_eq!(lab.done("DELETE", &format!("{policies}/{id}/rules/1"), json!({})).await, "success");
    assert!(!sees("10.0.0.9"));
    let bad = json!({"clients": [{"match": "a b"}]});
    assert_eq!(lab.done("POST", &format!("{policies}/{id}/rules"), bad).await, "1704039");
}

#[tokio::test]
async fn offline_drops_the_junction_and_coming_back_does_not_bring_it() {
    let lab = Lab::new();
    let volume = "/storage/volumes/{v}";
    assert_eq!(lab.done("PATCH", volume, json!({"state": "offline"})).await, "success");
    assert!(lab.world.nfs("10.0.0.1", "/vol1").is_none());
    assert_eq!(lab.done("POST", &format!("{volume}/snapshots"), json!({"name": "s2"})).await, "524479");
    assert_eq!(lab.done("PATCH", volume, json!({"comment": "x"})).await, "917533");
    let restore = json!({"restore_to.snapshot.name": "s1"});
    assert_eq!(lab.done("PATCH", volume, restore).await, "917775");
    assert_eq!(lab.done("PATCH", volume, json!({"state": "online"})).await, "success");
    assert!(lab.get(volume).await["nas"].get("path").is_none());
    assert_eq!(lab.done("PATCH", volume, json!({"nas": {"path": "/again"}, "name": "renamed"})).await, "success");
    assert!(lab.world.nfs("10.0.0.1", "/again").is_some());
    let root = lab.get("/storage/volumes?name=svm1_root").await["records"][0]["uuid"].as_str().unwrap().to_owned();
    assert_eq!(lab.done("DELETE", &format!("/storage/volumes/{root}"), json!({})).await, "917531");
}
