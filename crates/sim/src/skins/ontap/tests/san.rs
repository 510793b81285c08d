//! LUNs, initiator groups, maps, clones and restores of LUNs; what hosts see of it.

use super::{Answer, Lab};
use crate::skins::ontap::Release;
use serde_json::{Value, json};

const HOST: &str = "iqn.1998-01.com.vmware:esx1";

/// A lab with a LUN `/vol/vol1/lun1` in its volume, mapped to a group of one host.
async fn lab() -> (Lab, Value, Value) {
    let lab = Lab::new();
    let new = json!({"svm.name": "svm1", "name": "/vol/vol1/lun1", "os_type": "vmware", "space": {"size": "1GB"}});
    let lun = made(lab.ask("POST", "/storage/luns?return_records=true", new).await);
    let group = json!({
        "svm.name": "svm1", "name": "esx", "os_type": "vmware", "protocol": "iscsi",
        "initiators": [{"name": HOST.to_uppercase()}],
    });
    let group = made(lab.ask("POST", "/protocols/san/igroups?return_records=true", group).await);
    let map = json!({"svm.name": "svm1", "lun": {"name": "/vol/vol1/lun1"}, "igroup": {"name": "esx"}});
    assert_eq!(lab.done("POST", "/protocols/san/lun-maps", map).await, "success");
    (lab, lun, group)
}

fn made(answer: Answer) -> Value {
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["records"][0].clone()
}

fn seen(lab: &Lab) -> Vec<String> {
    lab.world.luns_seen_by(HOST).into_iter().map(|found| found.canonical_name).collect()
}

#[tokio::test]
async fn a_serial_is_what_hosts_see_as_the_disks_name() {
    let (lab, lun, group) = lab().await;
    let serial = lun["serial_number"].as_str().unwrap();
    assert_eq!(serial.len(), 12);
    let hex: String = serial.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(seen(&lab), [format!("naa.600a0980{hex}")]);
    let list = lab.get(&format!("/storage/luns?serial_number_hex={hex}&fields=serial_number,lun_maps")).await;
    let shown = &list["records"][0];
    assert_eq!((&shown["uuid"], &shown["serial_number"]), (&lun["uuid"], &lun["serial_number"]));
    assert_eq!(shown["lun_maps"][0]["igroup"]["uuid"], group["uuid"]);
    lab.ontap.set(|settings| settings.release = Release::V9_14_1);
    assert!(
        lab.get(&format!("/storage/luns/{}", lun["uuid"].as_str().unwrap())).await.get("serial_number_hex").is_none()
    );
    let groups = "/protocols/san/igroups?initiators.name=iqn.1998-01.com.vmware:esx1&fields=lun_maps,initiators";
    assert_eq!(lab.get(groups).await["records"][0]["lun_maps"][0]["lun"]["name"], "/vol/vol1/lun1");
    let maps = format!("/protocols/san/lun-maps?lun.uuid={}&fields=logical_unit_number", lun["uuid"].as_str().unwrap());
    assert_eq!(lab.get(&maps).await["records"][0]["logical_unit_number"], 0, "the lowest that is free");
}

#[tokio::test]
async fn luns_of_a_cloned_volume_are_new_disks_that_nobody_sees() {
    let (lab, lun, _) = lab().await;
    assert_eq!(lab.done("POST", "/storage/volumes/{v}/snapshots", json!({"name": "s2"})).await, "success");
    let clone = json!({
        "name": "c1", "svm.name": "svm1", "clone.is_flexclone": true, "clone.parent_volume.name": "vol1",
        "clone.parent_snapshot.name": "s2",
    });
    assert_eq!(lab.done("POST", "/storage/volumes", clone).await, "success");
    let copy = lab.get("/storage/luns?location.volume.name=c1&fields=**").await["records"][0].clone();
    assert_eq!((&copy["name"], &copy["status"]["mapped"]), (&json!("/vol/c1/lun1"), &json!(false)));
    assert!(copy["uuid"] != lun["uuid"] && copy["serial_number"] != lun["serial_number"]);
    assert_eq!((&copy["os_type"], seen(&lab).len()), (&json!("vmware"), 1));
    let id = copy["uuid"].as_str().unwrap();
    let map = json!({"svm.name": "svm1", "lun.uuid": id, "igroup.name": "esx"});
    assert_eq!(lab.done("POST", "/protocols/san/lun-maps", map.clone()).await, "success");
    assert_eq!(lab.done("POST", "/protocols/san/lun-maps", map).await, "1254207");
    assert_eq!(seen(&lab).len(), 2);
    let c1 = copy["location"]["volume"]["uuid"].as_str().unwrap();
    assert_eq!(lab.done("DELETE", &format!("/storage/volumes/{c1}?force=true"), json!({})).await, "1254197");
    let group = lab.get("/protocols/san/igroups?name=esx").await["records"][0]["uuid"].as_str().unwrap().to_owned();
    let map = format!("/protocols/san/lun-maps/{id}/{group}");
    assert_eq!(lab.done("DELETE", &map, json!({})).await, "success");
    assert_eq!(lab.done("DELETE", &map, json!({})).await, "5374922");
    assert_eq!(lab.done("DELETE", &format!("/storage/volumes/{c1}?force=true"), json!({})).await, "success");
}

#[tokio::test]
async fn a_lun_is_cloned_within_its_volume_and_replaced_in_place() {
    let (lab, lun, _) = lab().await;
    let content = |id: &str| lab.array().lun_content(id.parse().unwrap(), None).unwrap();
    let id = lun["uuid"].as_str().unwrap();
    use crate::world::tree::FileTree as _;
    content(id).write("data", 0, b"old").unwrap();
    lab.done("POST", "/storage/volumes/{v}/snapshots", json!({"name": "s2"})).await;
    content(id).write("data", 0, b"new").unwrap();
    let clone = |name: &str, source: Value| json!({"svm.name": "svm1", "name": name, "clone": {"source": source}});
    let past = json!({"name": "/vol/vol1/.snapshot/s2/lun1"});
    for (body, code) in [
        (clone("/vol/vol1/past", past.clone()), "success"),
        (clone("/vol/vol1/past", past.clone()), "1260136"),
        (clone("/vol/vol1/live", json!({"uuid": id})), "success"),
        (clone("/vol/vol1/x", json!({"name": "/vol/vol1/.snapshot/s2/lun1", "uuid": id})), "5374899"),
        (clone("/vol/vol1/x", json!({"name": "/vol/vol1/.snapshot/gone/lun1"})), "5374876"),
        (clone("/vol/vol1/x", json!({"name": "/vol/vol1/gone"})), "5374875"),
        (clone("/vol/svm1_root/x", past.clone()), "1260121"),
        (clone("/vol/gone/x", past.clone()), "5374858"),
        (clone("nothing", past.clone()), "262177"),
        (clone("/vol/vol1/a b", past.clone()), "5374352"),
    ] {
        assert_eq!(lab.done("POST", "/storage/luns", body.clone()).await, code, "{body}");
    }
    let mut typed = clone("/vol/vol1/x", past.clone());
    typed["os_type"] = json!("vmware");
    let refused = lab.ask("POST", "/storage/luns", typed).await;
    assert_eq!((refused.code(), &refused.body["error"]["target"]), ("5374883", &json!("os_type")));
    let find = |name: &str| format!("/storage/luns?name=/vol/vol1/{name}&fields=uuid,serial_number,space.size");
    let copy = lab.get(&find("past")).await["records"][0].clone();
    assert_eq!(content(copy["uuid"].as_str().unwrap()).read("data", 0, 9).unwrap(), b"old");
    assert_eq!(copy["space"]["size"], 1 << 30);
    // Replaced in place: the same disk for hosts, other bytes.
    let before = seen(&lab);
    let patch = json!({"clone": {"source": past}});
    assert_eq!(lab.done("PATCH", &format!("/storage/luns/{id}"), patch).await, "success");
    assert_eq!(content(id).read("data", 0, 9).unwrap(), b"old");
    assert_eq!(seen(&lab), before);
    assert_eq!(lab.done("DELETE", &format!("/storage/luns/{id}"), json!({})).await, "1254197");
    assert_eq!(
        lab.done("DELETE", &format!("/storage/luns/{id}?allow_delete_while_mapped=true"), json!({})).await,
        "success"
    );
    assert!(seen(&lab).is_empty());
}

#[tokio::test]
async fn groups_refuse_what_would_confuse_a_host() {
    let (lab, _, group) = lab().await;
    let path = format!("/protocols/san/igroups/{}", group["uuid"].as_str().unwrap());
    let new = |name: &str, os: &str, initiator: &str| json!({"svm.name": "svm1", "name": name, "os_type": os, "initiators": [{"name": initiator}]});
    for (body, code) in [
        (new("esx", "vmware", "iqn.1998-01.com.vmware:esx9"), "5374023"),
        (new("linux", "linux", HOST), "5374734"),
        (new("bad", "vmware", "not a name"), "262197"),
    ] {
        assert_eq!(lab.done("POST", "/protocols/san/igroups", body.clone()).await, code, "{body}");
    }
    let add = |name: &str| json!({"name": name});
    assert_eq!(lab.done("POST", &format!("{path}/initiators"), add("20:01:00:a0:98:00:00:01")).await, "success");
    assert_eq!(lab.done("POST", &format!("{path}/initiators"), add(HOST)).await, "5374035");
    assert_eq!(lab.get(&format!("{path}/initiators")).await["num_records"], 2);
    assert_eq!(lab.done("DELETE", &path, json!({})).await, "1254213");
    let fcp = format!("{path}/initiators/20:01:00:a0:98:00:00:01");
    assert_eq!(lab.done("DELETE", &fcp, json!({})).await, "1254213");
    assert_eq!(lab.done("DELETE", &format!("{fcp}?allow_delete_while_mapped=true"), json!({})).await, "success");
    let map = json!({"svm.name": "svm1", "lun.name": "/vol/vol1/gone", "igroup.name": "esx"});
    assert_eq!(lab.done("POST", "/protocols/san/lun-maps", map).await, "1254201");
    let map = json!({"svm.name": "svm1", "lun.name": "/vol/vol1/lun1", "igroup.name": "gone"});
    assert_eq!(lab.done("POST", "/protocols/san/lun-maps", map).await, "5374878");
    assert_eq!(lab.done("PATCH", "/storage/volumes/{v}", json!({"state": "offline"})).await, "success");
    assert!(seen(&lab).is_empty(), "an offline volume shows nothing to hosts");
    assert_eq!(lab.done("DELETE", &format!("{path}?allow_delete_while_mapped=true"), json!({})).await, "success");
    assert_eq!(lab.get("/storage/namespaces").await["num_records"], 0);
}
