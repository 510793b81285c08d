//! What a GET may ask, over the wire.

use super::Lab;
use serde_json::{Value, json};

#[tokio::test]
async fn fields_filters_and_pages_of_real_lists() {
    let lab = Lab::new();
    let list = lab.get("/storage/volumes").await;
    assert_eq!(list["num_records"], 2);
    let keys: Vec<&String> = list["records"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["_links", "name", "uuid"]);
    assert_eq!(list["_links"]["self"]["href"], "/api/storage/volumes");
    let one = lab.get("/storage/volumes?name=vol1&fields=svm.name,space.size").await;
    let shown = &one["records"][0];
    assert_eq!((&shown["svm"], &shown["space"]), (&json!({"name": "svm1"}), &json!({"size": 1 << 30})));
    let whole = lab.get("/storage/volumes/{v}").await;
    assert_eq!((&whole["clone"], &whole["state"]), (&json!({"is_flexclone": false}), &json!("online")));
    assert!(whole["nas"]["path"] == "/vol1" && whole.get("comment").is_none(), "what is empty is left out");
    // As NetApp's client asks again after a POST.
    assert_eq!(lab.get("/storage/volumes/{v}/snapshots/{s}?fields=%2A&name=s1").await["name"], "s1");
    for (query, count) in [
        ("name=vol*", 1),
        ("name=!vol1", 1),
        ("nas.path=null", 0),
        ("nas.path=/vol1&svm.name=svm1", 1),
        ("size=%3E1GB", 0),
        ("size=1GB..2GB", 2),
        ("clone.is_flexclone=false", 2),
        ("is_svm_root=True", 1),
        ("return_records=false", 2),
        ("query=vol*&query_fields=name,comment", 1),
    ] {
        assert_eq!(lab.get(&format!("/storage/volumes?{query}")).await["num_records"], count, "{query}");
    }
    for bad in
        ["colour=red", "fields=colour", "fields=nas.colour", "order_by=colour", "max_records=x", "return_timeout=200"]
    {
        let answer = lab.ask("GET", &format!("/storage/volumes?{bad}"), Value::Null).await;
        assert_eq!(answer.status, 400, "{bad}: {}", answer.body);
    }
    let page = lab.ask("GET", "/storage/volumes?max_records=1&fields=name", Value::Null).await;
    let next = page.body["_links"]["next"]["href"].as_str().unwrap().to_owned();
    assert!(next.starts_with("/api/storage/volumes?start.uuid=") && next.contains("fields=name"), "{next}");
    assert_eq!(page.headers["link"], format!("<{next}>; rel=\"next\""));
    let last = lab.get(next.strip_prefix("/api").unwrap()).await;
    assert!(last["num_records"] == 1 && last["_links"].get("next").is_none());
    lab.array().behave(|b| b.page_max = 1).unwrap();
    assert!(lab.get("/storage/volumes").await["_links"]["next"].is_object(), "the array stops when its time is up");
    lab.array().behave(|b| b.page_max = 100).unwrap();
    lab.ontap.set(|settings| settings.empty_last_page = true);
    let page = lab.get("/storage/volumes").await;
    let next = page["_links"]["next"]["href"].as_str().unwrap().strip_prefix("/api").unwrap();
    let empty = lab.get(next).await;
    assert_eq!((&empty["records"], &empty["num_records"]), (&json!([]), &json!(0)));
}

#[tokio::test]
async fn a_path_of_a_host_leads_to_its_volume() {
    let lab = Lab::new();
    let interface = lab.get("/network/ip/interfaces?ip.address=10.0.0.1&fields=svm,state,services").await;
    let svm = interface["records"][0]["svm"]["uuid"].as_str().unwrap().to_owned();
    assert_eq!(interface["records"][0]["state"], "up");
    let path = format!("/storage/volumes?svm.uuid={svm}&nas.path=/vol1&fields=uuid,name,nas.path,style,type,state");
    assert_eq!(lab.get(&path).await["records"][0]["style"], "flexvol");
    assert_eq!(lab.get("/network/ip/interfaces?ip.address=10.0.0.2").await["num_records"], 0);
    lab.ontap.set(|settings| settings.interfaces_down = ["10.0.0.1".to_owned()].into());
    assert_eq!(lab.get("/network/ip/interfaces?state=down").await["num_records"], 1);
    let junctions = lab.get("/storage/volumes?nas.path=!null&fields=nas.path").await;
    assert_eq!(junctions["num_records"], 2, "the root is a junction too: longest prefix wins");
    assert_eq!(lab.get("/storage/qtrees?volume.uuid={v}").await["num_records"], 1);
    assert_eq!(lab.get("/svm/svms?fields=*").await["records"][0]["name"], "svm1");
    let cluster = lab.get("/cluster?fields=version").await;
    assert_eq!((&cluster["version"]["generation"], &cluster["version"]["major"]), (&json!(9), &json!(17)));
}
