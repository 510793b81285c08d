//! LUNs and maps, as the manual has them.

use super::{ARRAY, Lab};
use crate::world::{storage::NewLun, tree::FileTree as _};
use serde_json::{Value, json};
use uuid::Uuid;

const IQN: &str = "iqn.1998-01.com.vmware:esx1";

struct Block {
    lab: Lab,
    lun: Uuid,
    group: String,
    snapshot: Uuid,
}

impl Block {
    async fn new() -> Self {
        let lab = Lab::new().await;
        let array = lab.world.array(ARRAY).unwrap();
        let new = NewLun { name: "lun1".into(), comment: "c".into(), size_bytes: 1 << 20 };
        let lun = array.create_lun(lab.volume, new).unwrap().id;
        array.lun_content(lun, None).unwrap().write("raw", 0, b"old").unwrap();
        let snapshot = array.create_snapshot(lab.volume, "block", "").unwrap().id;
        array.lun_content(lun, None).unwrap().write("raw", 0, b"new").unwrap();
        let (status, group) =
            lab.ask("POST", "/initiator-groups", Some(json!({"name": "esx", "initiators": [IQN]}))).await;
        assert_eq!(status, 201, "{group}");
        let group = group["id"].as_str().unwrap().to_owned();
        Block { lab, lun, group, snapshot }
    }

    /// `{l}`, `{g}` and `{b}` stand for the LUN, the group and the snapshot that holds the LUN.
    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let fill = |text: &str| {
            let text = text.replace("{l}", &self.lun.to_string()).replace("{g}", &self.group);
            text.replace("{b}", &self.snapshot.to_string())
        };
        let body = (!body.is_null()).then(|| serde_json::from_str(&fill(&body.to_string())).unwrap());
        self.lab.ask(method, &fill(path), body).await
    }

    fn content(&self, lun: &Value) -> Vec<u8> {
        let lun = lun["id"].as_str().unwrap().parse().unwrap();
        self.lab.world.array(ARRAY).unwrap().lun_content(lun, None).unwrap().read("raw", 0, 9).unwrap()
    }
}

#[tokio::test]
async fn every_call_answers_as_the_manual_says() {
    let lab = Block::new().await;
    let none = Uuid::nil().to_string();
    let no_lun = format!("/luns/{none}");
    // Method, path, body, status, code and target where it is refused; in this order on one lab.
    let cases: Vec<(&str, &str, Value, u16, Option<(&str, Value)>)> = vec![
        ("GET", "/luns", Value::Null, 200, None),
        ("GET", "/luns/{l}", Value::Null, 200, None),
        ("GET", &no_lun, Value::Null, 404, Some(("NOT_FOUND", json!("LUN")))),
        ("GET", "/luns/x", Value::Null, 404, Some(("NOT_FOUND", json!("LUN")))),
        ("GET", "/volumes/{v}/snapshots/{b}/luns", Value::Null, 200, None),
        ("POST", "/volumes/{v}/luns", json!({"name": "lun2", "size_bytes": 512}), 201, None),
        ("POST", "/volumes/{v}/luns", json!({"name": "lun2", "size_bytes": 512}), 409, Some(("EXISTS", json!("LUN")))),
        (
            "POST",
            "/volumes/{v}/luns",
            json!({"name": "lun3", "size_bytes": 5}),
            400,
            Some(("INVALID", json!("size_bytes"))),
        ),
        ("POST", "/luns/{l}/clones", json!({"name": "c1", "snapshot_id": "{b}"}), 201, None),
        ("POST", "/luns/{l}/clones", json!({"name": "c1"}), 409, Some(("EXISTS", json!("LUN")))),
        (
            "POST",
            "/luns/{l}/clones",
            json!({"name": "c2", "snapshot_id": none}),
            404,
            Some(("NOT_FOUND", json!("snapshot"))),
        ),
        ("GET", "/initiator-groups", Value::Null, 200, None),
        ("GET", "/initiator-groups/{g}", Value::Null, 200, None),
        (
            "POST",
            "/initiator-groups",
            json!({"name": "esx", "initiators": []}),
            409,
            Some(("EXISTS", json!("initiator group"))),
        ),
        (
            "POST",
            "/initiator-groups",
            json!({"name": "e2", "initiators": ["x"]}),
            400,
            Some(("INVALID", json!("initiator"))),
        ),
        ("PUT", "/initiator-groups/{g}/initiators", json!({"initiators": [IQN, "21000024FF000001"]}), 200, None),
        ("PUT", "/luns/{l}/maps/{g}", json!({"number": 4096}), 400, Some(("INVALID", json!("number")))),
        ("PUT", "/luns/{l}/maps/{g}", json!({"number": 5}), 200, None),
        ("PUT", "/luns/{l}/maps/{g}", json!({}), 409, Some(("EXISTS", json!("map")))),
        ("DELETE", "/luns/{l}", Value::Null, 409, Some(("MAPPED", json!(lab.lun)))),
        ("DELETE", "/initiator-groups/{g}", Value::Null, 409, Some(("MAPPED", json!(lab.group)))),
        ("DELETE", "/volumes/{v}", Value::Null, 409, Some(("MAPPED", json!(lab.lab.volume)))),
        ("POST", "/luns/{l}/restore", json!({"snapshot_id": "{b}"}), 200, None),
        ("DELETE", "/luns/{l}/maps/{g}", Value::Null, 200, None),
        ("DELETE", "/luns/{l}/maps/{g}", Value::Null, 404, Some(("NOT_FOUND", json!("map")))),
        ("DELETE", "/initiator-groups/{g}", Value::Null, 204, None),
        ("DELETE", "/luns/{l}", Value::Null, 204, None),
    ];
    for (method, path, body, status, code) in cases {
        let (found, answer) = lab.ask(method, path, body.clone()).await;
        assert_eq!(found, status, "{method} {path} {body} -> {answer}");
        if let Some((code, target)) = code {
            assert_eq!((&answer["code"], &answer["target"]), (&json!(code), &target), "{method} {path} {answer}");
        }
    }
}

#[tokio::test]
async fn objects_have_the_fields_of_the_manual() {
    let lab = Block::new().await;
    lab.ask("PUT", "/luns/{l}/maps/{g}", json!({})).await;
    let (_, lun) = lab.ask("GET", "/luns/{l}", Value::Null).await;
    let serial = lun["serial"].as_str().unwrap();
    assert_eq!(serial.len(), 24);
    let expected = json!({
        "id": lab.lun, "volume_id": lab.lab.volume, "name": "lun1", "comment": "c", "serial": serial,
        "canonical_name": format!("naa.65a1e000{}", serial.to_ascii_lowercase()), "size_bytes": 1 << 20,
        "created_at": "2026-01-01T00:00:00Z", "online": true, "origin": null,
        "maps": [{"group_id": lab.group, "number": 0}],
    });
    assert_eq!(lun, expected);
    let (_, group) = lab.ask("GET", "/initiator-groups/{g}", Value::Null).await;
    assert_eq!(group, json!({"id": lab.group, "name": "esx", "initiators": [IQN]}));
    let (_, clone) = lab.ask("POST", "/luns/{l}/clones", json!({"name": "c1", "snapshot_id": "{b}"})).await;
    assert_eq!(clone["origin"], json!({"lun_id": lab.lun, "snapshot_id": lab.snapshot}));
    assert_eq!((clone["maps"].clone(), lab.content(&clone)), (json!([]), b"old".to_vec()));
    let (_, restored) = lab.ask("POST", "/luns/{l}/restore", json!({"snapshot_id": "{b}"})).await;
    assert_eq!((&restored, lab.content(&restored)), (&lun, b"old".to_vec()));
    let new = json!({"name": "vc1", "comment": "", "export_path": ""});
    let (_, volume) = lab.ask("POST", "/volumes/{v}/snapshots/{b}/clones", new).await;
    let path = format!("/luns?volume_id={}", volume["id"].as_str().unwrap());
    let (_, copies) = lab.ask("GET", &path, Value::Null).await;
    assert_eq!((copies["luns"].as_array().unwrap().len(), &copies["luns"][0]["name"]), (1, &json!("lun1")));
    assert_ne!(copies["luns"][0]["serial"], lun["serial"]);
}

#[tokio::test]
async fn luns_and_groups_are_found_by_what_hosts_know() {
    let lab = Block::new().await;
    lab.ask("POST", "/luns/{l}/clones", json!({"name": "c1"})).await;
    let (_, lun) = lab.ask("GET", "/luns/{l}", Value::Null).await;
    for filter in ["canonical_name", "serial", "name"] {
        let path = format!("/luns?{filter}={}", lun[filter].as_str().unwrap());
        let (_, found) = lab.ask("GET", &path, Value::Null).await;
        assert_eq!(found["luns"], json!([lun]), "{path}");
    }
    lab.ask("POST", "/initiator-groups", json!({"name": "other", "initiators": []})).await;
    let (_, found) = lab.ask("GET", &format!("/initiator-groups?initiator={}", IQN.to_uppercase()), Value::Null).await;
    assert_eq!((found["groups"].as_array().unwrap().len(), &found["groups"][0]["name"]), (1, &json!("esx")));
    let array = lab.lab.world.array(ARRAY).unwrap();
    array.behave(|b| (b.lun_clones, b.page_max) = (false, 1)).unwrap();
    let (_, system) = lab.ask("GET", "/system", Value::Null).await;
    assert_eq!(system["capabilities"]["lun_clones"], json!(false));
    let (status, _) = lab.ask("POST", "/luns/{l}/clones", json!({"name": "c9"})).await;
    assert_eq!(status, 501);
    let (_, page) = lab.ask("GET", "/luns", Value::Null).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let (_, rest) = lab.ask("GET", &format!("/luns?cursor={cursor}"), Value::Null).await;
    assert_ne!(page["luns"][0]["id"], rest["luns"][0]["id"]);
    for (path, privilege) in [("/luns/{l}/maps/{g}", "map.modify"), ("/luns/{l}/restore", "lun.restore")] {
        array.behave(|b| b.denied = [privilege.to_owned()].into()).unwrap();
        let method = if path.ends_with("restore") { "POST" } else { "PUT" };
        let body = if method == "POST" { json!({"snapshot_id": "{b}"}) } else { json!({}) };
        let (status, answer) = lab.ask(method, path, body).await;
        assert_eq!((status, &answer["target"]), (403, &json!(privilege)));
    }
}
