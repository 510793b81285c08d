//! Consistency groups.

use super::Lab;
use crate::skins::ontap::Release;
use serde_json::{Value, json};
use std::time::Duration;

const GROUPS: &str = "/application/consistency-groups";

async fn lab() -> (Lab, String) {
    let lab = Lab::new();
    assert_eq!(
        lab.done("POST", "/storage/volumes", json!({"name": "vol2", "svm.name": "svm1", "size": "1GB"})).await,
        "success"
    );
    let add = json!({"action": "add"});
    let members = json!([{"name": "vol1", "provisioning_options": add}, {"name": "vol2", "provisioning_options": add}]);
    let new = json!({"name": "cg1", "svm.name": "svm1", "volumes": members});
    assert_eq!(lab.done("POST", GROUPS, new.clone()).await, "success");
    assert_eq!(lab.done("POST", GROUPS, new).await, "1");
    let other = json!({"name": "cg2", "svm.name": "svm1", "volumes": [{"name": "vol2", "provisioning_options": add}]});
    assert_eq!(lab.done("POST", GROUPS, other).await, "53411865");
    let id = lab.get(&format!("{GROUPS}?name=cg1")).await["records"][0]["uuid"].as_str().unwrap().to_owned();
    (lab, format!("{GROUPS}/{id}"))
}

#[tokio::test]
async fn a_group_is_cut_at_one_point_and_restored_whole() {
    let (lab, group) = lab().await;
    assert_eq!(lab.get(&format!("{group}?fields=volumes")).await["volumes"].as_array().unwrap().len(), 2);
    assert_eq!(lab.get("/storage/volumes/{v}").await["consistency_group"]["name"], "cg1");
    let new = json!({"name": "g1", "consistency_type": "crash", "comment": "mark"});
    let cuts = format!("{group}/snapshots");
    assert_eq!(lab.done("POST", &cuts, new.clone()).await, "success");
    assert_eq!(lab.done("POST", &cuts, new).await, "53411921");
    let cut = lab.get(&format!("{cuts}?fields=*")).await["records"][0].clone();
    assert_eq!((cut["snapshot_volumes"].as_array().unwrap().len(), &cut["is_partial"]), (2, &json!(false)));
    assert_eq!(lab.names("/storage/volumes/{v}/snapshots?comment=mark").await, ["g1"]);
    lab.done("POST", "/storage/volumes/{v}/snapshots", json!({"name": "later"})).await;
    assert_eq!(lab.done("PATCH", &group, json!({"restore_to.snapshot.name": "g1"})).await, "success");
    assert_eq!(lab.names("/storage/volumes/{v}/snapshots?order_by=name").await, ["g1", "s1"]);
    let one = format!("{cuts}/{}", cut["uuid"].as_str().unwrap());
    assert_eq!(lab.done("DELETE", &one, json!({})).await, "success");
    assert_eq!(lab.names("/storage/volumes/{v}/snapshots").await, ["s1"]);
    assert_eq!(lab.done("DELETE", &group, json!({})).await, "success");
    assert_eq!(lab.get("/storage/volumes").await["num_records"], 3, "the volumes stay");
    lab.ontap.set(|settings| settings.release = Release::V9_8);
    assert_eq!(lab.ask("GET", GROUPS, Value::Null).await.code(), "3");
}

#[tokio::test]
async fn a_fence_is_committed_in_time_or_its_cut_is_gone() {
    let (lab, group) = lab().await;
    let start = format!("{group}/snapshots?action=start&action_timeout=7");
    for (wait, committed) in [(6, true), (7, false)] {
        let name = format!("g{wait}");
        let started = format!("{start}&return_timeout=5&return_records=true");
        let cut = lab.ask("POST", &started, json!({"name": name})).await;
        assert_eq!(cut.status, 201, "{}", cut.body);
        let commit = format!("{group}/snapshots/{}?action=commit", cut.body["records"][0]["uuid"].as_str().unwrap());
        assert_eq!(lab.get(&format!("{group}/snapshots?name={name}")).await["num_records"], 0, "not before the commit");
        lab.clock.advance(Duration::from_secs(wait));
        let expected = if committed { "success" } else { "53411925" };
        assert_eq!(lab.done("PATCH", &commit, json!({})).await, expected);
        assert_eq!(lab.done("PATCH", &commit, json!({})).await, "53411925");
        let left = lab.get(&format!("/storage/volumes/{{v}}/snapshots?name={name}")).await["num_records"].clone();
        assert_eq!(left, i32::from(committed));
    }
}
