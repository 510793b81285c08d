//! Paging and filters.

use super::{ARRAY, Lab, volume};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn names(answer: &Value, of: &str) -> Vec<String> {
    answer[of].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_show_each_volume_once_while_others_come_and_go() {
    let lab = Lab::new().await;
    let array = lab.world.array(ARRAY).unwrap();
    array.behave(|b| b.page_max = 3).unwrap();
    for n in 2..12 {
        array.create_volume(volume(&format!("vol{n}"))).unwrap();
    }
    let before: BTreeSet<String> = array.volumes().unwrap().into_iter().map(|v| v.name).collect();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    let mut removed = String::new();
    loop {
        let (_, page) = lab.ask("GET", &format!("/volumes?limit=99{cursor}"), None).await;
        assert!(names(&page, "volumes").len() <= 3, "the page is the array's, whatever the limit");
        seen.extend(names(&page, "volumes"));
        if removed.is_empty() {
            // The last one shown goes: the cursor must not depend on it.
            let last = page["volumes"][2]["id"].as_str().unwrap();
            if last != lab.volume.to_string() {
                array.delete_volume(last.parse().unwrap()).unwrap();
            }
            removed = last.to_owned();
        }
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), before.len());
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), before);
}

#[tokio::test]
async fn filters_match_whole_names_and_bad_parameters_are_named() {
    let lab = Lab::new().await;
    let array = lab.world.array(ARRAY).unwrap();
    array.create_volume(volume("vol10")).unwrap();
    array.create_snapshot(lab.volume, "s10", "").unwrap();
    for (path, of, expected) in [
        ("/volumes?name=vol1", "volumes", vec!["vol1"]),
        ("/volumes?export_path=%2Fvol10", "volumes", vec!["vol10"]),
        ("/volumes?name=vol1&export_path=/vol10", "volumes", vec![]),
        ("/volumes/{v}/snapshots?name=s1", "snapshots", vec!["s1"]),
        ("/volumes/{v}/snapshots", "snapshots", vec!["s1", "s10"]),
        ("/volumes/{v}/snapshots?limit=1", "snapshots", vec!["s1"]),
    ] {
        let (_, answer) = lab.ask("GET", path, None).await;
        assert_eq!(names(&answer, of), expected, "{path}");
        assert_eq!(answer["next_cursor"].is_null(), !path.contains("limit=1"), "{path}");
    }
    for (path, target) in
        [("/volumes?limit=0", "limit"), ("/volumes?limit=x", "limit"), ("/volumes?cursor=x", "cursor")]
    {
        let (status, answer) = lab.ask("GET", path, None).await;
        assert_eq!((status, &answer["target"]), (400, &json!(target)), "{path}");
    }
}
