//! Snapshots of one volume, of several, and whose they are.

use super::{
    fake::{CLONE, Fake, SNAP1, SNAP2, VOL1, VOL2, list, refusal, snapshot},
    protocol::{comment, cut, mark},
};
use crate::driver::{ArrayDriver as _, PageRequest, Progress, Reason, SnapshotRemoval};
use serde_json::json;
use strata_model::ids::VolumeId;

const GROUP: &str = "d0000000-0000-4000-8000-000000000001";

fn removal(key: &str, volumes: &[&str]) -> SnapshotRemoval {
    let volumes = volumes.iter().map(|id| VolumeId((*id).to_owned())).collect();
    SnapshotRemoval { mark: mark(key), label: "web".to_owned(), volumes, resume: None }
}

#[tokio::test]
async fn lists_are_oldest_first_by_any_offset_of_time() {
    let fake = Fake::new((14, 1));
    let times = ["2026-01-01T02:00:00+02:00", "2026-01-01T00:00:01Z", "2025-12-31T23:59:59Z"];
    let all: Vec<_> =
        times.iter().enumerate().map(|(n, time)| snapshot(&format!("u{n}"), &format!("n{n}"), "", time)).collect();
    fake.on(&format!("GET /storage/volumes/{VOL1}/snapshots"), 200, list(&all));
    let driver = fake.driver().await;
    let (mut names, mut page) = (Vec::new(), PageRequest::first(2));
    loop {
        let found = driver.snapshots(&VolumeId(VOL1.to_owned()), &page).await.unwrap();
        names.extend(found.items.into_iter().map(|it| it.members[0].native_name.clone()));
        let Some(next) = found.next else { break };
        page.token = Some(next);
    }
    assert_eq!(names, ["n2", "n0", "n1"]);
}

#[tokio::test]
async fn s08_several_volumes_without_a_group_are_refused_and_no_group_is_made() {
    let fake = Fake::new((14, 1));
    let other = json!({"uuid": GROUP, "name": "g", "volumes": [{"uuid": VOL1}, {"uuid": VOL2}, {"uuid": CLONE}]});
    fake.on("GET /application/consistency-groups", 200, list(&[other]));
    let driver = fake.driver().await;
    let error = driver.ensure_snapshot(&cut("s-1", &[VOL1, VOL2])).await.unwrap_err();
    assert_eq!(error.reason, Reason::SkewTooLarge);
    assert!(fake.changes().is_empty(), "{:?}", fake.changes());
}

#[tokio::test]
async fn several_volumes_are_cut_by_the_group_that_holds_exactly_them_or_is_configured() {
    let exact = json!({"uuid": GROUP, "name": "g", "volumes": [{"uuid": VOL2}, {"uuid": VOL1}]});
    let larger = json!({"uuid": GROUP, "name": "big", "volumes": [{"uuid": VOL1}, {"uuid": VOL2}, {"uuid": CLONE}]});
    for (group, table) in [(exact, ""), (larger, "consistency_groups = ['big']")] {
        let fake = Fake::new((14, 1));
        fake.on("GET /application/consistency-groups", 200, list(std::slice::from_ref(&group)));
        let post = format!("POST /application/consistency-groups/{GROUP}/snapshots");
        fake.on(&post, 201, json!({}));
        let driver = fake.driver_with(&format!("token = 't'\n{table}"));
        driver.identify().await.unwrap();
        assert!(driver.capabilities().group_volumes_max >= 2);
        // The parts come without a comment: the group bears it.
        let text = format!("{} p=1", comment("s-1", "7f1a2b3c,8f1a2b3c"));
        let whole = json!({"uuid": "w", "name": "strata_s-1_web", "comment": text});
        fake.on(&format!("GET /application/consistency-groups/{GROUP}/snapshots"), 200, list(&[whole]));
        for (volume, uuid) in [(VOL1, SNAP1), (VOL2, SNAP2)] {
            let part = snapshot(uuid, "strata_s-1_web", "", "2026-01-01T00:00:00Z");
            let call = format!("GET /storage/volumes/{volume}/snapshots");
            fake.then(&call, &[(200, list(&[])), (200, list(&[part]))]);
            fake.on(&format!("PATCH /storage/volumes/{volume}/snapshots/{uuid}"), 200, json!({}));
        }
        let Progress::Ready(made) = driver.ensure_snapshot(&cut("s-1", &[VOL1, VOL2])).await.unwrap() else {
            panic!("pending")
        };
        assert_eq!((made.members.len(), made.skew_us, made.mark), (2, 0, Some(mark("s-1"))));
        assert_eq!(fake.asked("POST ").len(), 1);
        assert_eq!(fake.asked("PATCH ").len(), 2, "each part is marked");
    }
}

#[tokio::test]
async fn no_group_is_asked_for_before_9_10() {
    let fake = Fake::new((8, 0));
    let driver = fake.driver().await;
    assert_eq!(driver.capabilities().group_volumes_max, 1);
    driver.ensure_snapshot(&cut("s-1", &[VOL1, VOL2])).await.unwrap_err();
    assert!(fake.asked("GET /application").is_empty());
}

#[tokio::test]
async fn s02_only_marks_that_fit_where_they_stand_are_ours() {
    let ours = comment("s-1", "7f1a2b3c");
    let cases = [
        (ours.clone(), None, true),
        (comment("s-2", "7f1a2b3c"), None, false),
        (comment("s-1", "8f1a2b3c"), None, false),
        (ours.replace("0123", "ffff"), None, false),
        (String::new(), None, false),
        ("made by hand".to_owned(), None, false),
        (ours, Some("another volume"), false),
    ];
    for (text, origin, is_ours) in cases {
        let fake = Fake::new((14, 1));
        let mut found = snapshot(SNAP1, "strata_s-1_web", &text, "2026-01-01T00:00:00Z");
        if let Some(origin) = origin {
            found["provenance_volume"] = json!({"uuid": origin});
        }
        fake.on(&format!("GET /storage/volumes/{VOL1}/snapshots"), 200, list(&[found]));
        fake.on("GET /storage/volumes?clone.parent_volume.uuid=x", 200, list(&[]));
        let delete = format!("DELETE /storage/volumes/{VOL1}/snapshots/{SNAP1}");
        fake.on(&delete, 200, json!({}));
        let driver = fake.driver().await;
        fake.on("GET /storage/volumes", 200, list(&[]));
        let removed = driver.remove_snapshot(&removal("s-1", &[VOL1])).await;
        assert_eq!(removed.is_ok(), is_ours, "{text} {origin:?}: {removed:?}");
        assert_eq!(fake.asked(&delete).len(), usize::from(is_ours), "{text} {origin:?}");
        if !is_ours {
            assert_eq!(removed.unwrap_err().reason, Reason::NotOurs);
        }
    }
}

#[tokio::test]
async fn a_snapshot_that_a_clone_needs_is_refused_by_name_before_the_array_is_asked() {
    let fake = Fake::new((14, 1));
    let found = snapshot(SNAP1, "strata_s-1_web", &comment("s-1", "7f1a2b3c"), "2026-01-01T00:00:00Z");
    fake.on(&format!("GET /storage/volumes/{VOL1}/snapshots"), 200, list(&[found]));
    let driver = fake.driver().await;
    fake.on("GET /storage/volumes", 200, list(&[super::fake::clone("")]));
    let error = driver.remove_snapshot(&removal("s-1", &[VOL1])).await.unwrap_err();
    assert_eq!(error.reason, Reason::HasDependents);
    assert!(error.message.contains(CLONE), "{error}");
    assert!(fake.changes().is_empty());
}

#[tokio::test]
async fn copies_of_replications_are_read_only() {
    let dp = |fake: &Fake| {
        let mut volume = super::fake::volume(VOL1, "ds_1", "/ds_1");
        volume["type"] = json!("dp");
        fake.on(&format!("GET /storage/volumes/{VOL1}"), 200, volume);
    };
    let svm_dr = |fake: &Fake| {
        fake.on("GET /svm/svms", 200, list(&[json!({"uuid": "sv", "name": "svm1", "subtype": "dp_destination"})]));
    };
    let metro = |fake: &Fake| {
        fake.on("GET /svm/svms", 200, list(&[json!({"uuid": "sv", "name": "svm1", "subtype": "sync_destination"})]));
    };
    let cases: [&dyn Fn(&Fake); 3] = [&dp, &svm_dr, &metro];
    for turn in cases {
        let fake = Fake::new((14, 1));
        turn(&fake);
        let driver = fake.driver().await;
        assert!(!driver.volume(&VolumeId(VOL1.to_owned())).await.unwrap().read_write);
        let error = driver.ensure_snapshot(&cut("s-1", &[VOL1])).await.unwrap_err();
        assert_eq!(error.reason, Reason::ReadOnly);
        assert!(fake.changes().is_empty());
    }
}

#[tokio::test]
async fn owned_asks_each_volume_where_it_may_not_ask_all_at_once() {
    let found = snapshot(SNAP1, "strata_s-1_web", &comment("s-1", "7f1a2b3c"), "2026-01-01T00:00:00Z");
    for status in [403, 200] {
        let fake = Fake::new((14, 1));
        let driver = fake.driver().await;
        let mut everywhere = found.clone();
        everywhere["volume"] = json!({"uuid": VOL1});
        let all = if status == 200 { list(&[everywhere]) } else { refusal("6", "not authorized") };
        fake.on("GET /storage/volumes/*/snapshots", status, all);
        fake.on(&format!("GET /storage/volumes/{VOL1}/snapshots"), 200, list(std::slice::from_ref(&found)));
        let owned = driver.owned(None, &PageRequest::first(10)).await.unwrap().items;
        assert_eq!((owned.len(), owned[0].mark.clone()), (1, mark("s-1")), "{status}");
    }
}
