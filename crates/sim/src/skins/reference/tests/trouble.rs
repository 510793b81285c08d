//! Logins that end, privileges that lack, jobs, and every fault.

use super::{ARRAY, Lab};
use crate::fault::{Action, Rule};
use serde_json::{Value, json};
use std::time::Duration;

fn new_snapshot(name: &str) -> Option<Value> {
    Some(json!({"name": name, "comment": ""}))
}

const SNAPSHOTS: &str = "/volumes/{v}/snapshots";

#[tokio::test]
async fn a_token_holds_until_its_time_and_no_longer() {
    let mut lab = Lab::new().await;
    lab.clock.advance(Duration::from_secs(15 * 60 - 1));
    assert_eq!(lab.ask("GET", "/system", None).await.0, 200);
    lab.clock.advance(Duration::from_secs(1));
    let (status, answer) = lab.ask("POST", SNAPSHOTS, new_snapshot("late")).await;
    assert_eq!((status, &answer["code"]), (401, &json!("UNAUTHENTICATED")));
    assert_eq!(lab.snapshot_names(), ["s1"]);
    lab.log_in().await;
    assert_eq!(lab.ask("GET", "/system", None).await.0, 200);
}

#[tokio::test]
async fn an_array_whose_clock_is_off_tells_all_its_times_by_it() {
    let lab = Lab::new().await;
    lab.world.array(ARRAY).unwrap().behave(|b| b.clock_skew_ms = -600_000).unwrap();
    let (_, system) = lab.ask("GET", "/system", None).await;
    assert_eq!(system["time"], "2025-12-31T23:50:00Z");
    let (_, snapshot) = lab.ask("POST", SNAPSHOTS, new_snapshot("s2")).await;
    assert_eq!(snapshot["created_at"], "2025-12-31T23:50:00Z");
    let login = json!({"user": "admin", "password": "simulated"});
    assert_eq!(lab.ask("POST", "/sessions", Some(login)).await.1["expires_at"], "2026-01-01T00:05:00Z");
}

#[tokio::test]
async fn logins_are_checked_counted_and_never_quoted() {
    let lab = Lab::new().await;
    let wrong = json!({"user": "admin", "password": "guess"});
    let (status, answer) = lab.ask("POST", "/sessions", Some(wrong)).await;
    assert_eq!((status, &answer["code"]), (401, &json!("BAD_CREDENTIALS")));
    let (_, odd) = lab.ask("POST", "/sessions", Some(json!({"user": "a", "password": "hunter2", "x": 1}))).await;
    assert_eq!(odd["code"], "INVALID");
    assert!(!format!("{answer}{odd}").contains("guess") && !odd.to_string().contains("hunter2"));
    lab.world.array(ARRAY).unwrap().behave(|b| b.sessions_max = 1).unwrap();
    let login = json!({"user": "admin", "password": "simulated"});
    assert_eq!(lab.ask("POST", "/sessions", Some(login.clone())).await.0, 429);
    lab.ask("DELETE", "/sessions", None).await;
    assert_eq!(lab.ask("POST", "/sessions", Some(login)).await.0, 201);
}

#[tokio::test]
async fn a_missing_privilege_is_named_and_nothing_is_touched() {
    let lab = Lab::new().await;
    let snapshot = json!({"snapshot_id": "{s}"});
    let clone = json!({"name": "c1", "export_path": "/c1"});
    for (privilege, method, path, body) in [
        ("look", "GET", "/volumes", None),
        ("look", "GET", "/system", None),
        ("look", "GET", "/volumes/{v}/files/content?path=vm/disk", None),
        ("snapshot.create", "POST", SNAPSHOTS, new_snapshot("x")),
        ("snapshot.create", "POST", "/snapshot-groups", Some(json!({"name": "x", "volume_ids": ["{v}"]}))),
        ("snapshot.delete", "DELETE", "/volumes/{v}/snapshots/{s}", None),
        ("volume.clone", "POST", "/volumes/{v}/snapshots/{s}/clones", Some(clone)),
        ("volume.delete", "DELETE", "/volumes/{v}", None),
        ("volume.restore", "POST", "/volumes/{v}/restore", Some(snapshot)),
        ("export.modify", "PUT", "/volumes/{v}/exports", Some(json!({"clients": ["*"]}))),
        ("file.modify", "DELETE", "/volumes/{v}/files?path=vm", None),
        ("lun.create", "POST", "/volumes/{v}/luns", Some(json!({"name": "l", "size_bytes": 512}))),
        ("map.modify", "POST", "/initiator-groups", Some(json!({"name": "g", "initiators": []}))),
        ("file.restore", "POST", "/volumes/{v}/files/restore", Some(json!({"snapshot_id": "{s}", "path": "vm/disk"}))),
    ] {
        let array = lab.world.array(ARRAY).unwrap();
        array.behave(|b| b.denied = [privilege.to_owned()].into()).unwrap();
        let (status, answer) = lab.ask(method, path, body).await;
        let found = (status, &answer["code"], &answer["target"]);
        assert_eq!(found, (403, &json!("FORBIDDEN"), &json!(privilege)), "{method} {path}");
        let (_, held) = lab.ask("GET", "/privileges", None).await;
        let held = held["privileges"].as_array().unwrap();
        assert!(held.len() == 13 && !held.contains(&json!(privilege)), "{held:?}");
    }
    assert_eq!((lab.live().as_slice(), lab.snapshot_names()), (b"new".as_slice(), vec!["s1".to_owned()]));
    assert_eq!(lab.world.array(ARRAY).unwrap().volumes().unwrap().len(), 1);
    assert!(lab.world.nfs("10.0.0.1", "/vol1").is_none());
}

#[tokio::test]
async fn jobs_are_queued_then_succeed_or_fail_with_the_calls_own_answer() {
    let lab = Lab::new().await;
    let array = lab.world.array(ARRAY).unwrap();
    array.behave(|b| (b.jobs_async, b.job_delay_ms) = (true, 1000)).unwrap();
    let mut jobs = Vec::new();
    for (method, path, body) in [
        ("POST", SNAPSHOTS, new_snapshot("s2")),
        ("POST", SNAPSHOTS, new_snapshot("s1")),
        ("DELETE", "/volumes/{v}/files?path=vm", None),
    ] {
        let (status, answer) = lab.ask(method, path, body).await;
        assert_eq!((status, &answer["job"]["state"]), (202, &json!("queued")));
        jobs.push(format!("/jobs/{}", answer["job"]["id"].as_str().unwrap()));
    }
    assert_eq!(lab.snapshot_names(), ["s1"]);
    assert_eq!(lab.ask("GET", &jobs[0], None).await.1["state"], "queued");
    lab.clock.advance(Duration::from_secs(1));
    let (_, made) = lab.ask("GET", &jobs[0], None).await;
    assert_eq!((&made["state"], &made["result"]["name"]), (&json!("succeeded"), &json!("s2")));
    let (_, failed) = lab.ask("GET", &jobs[1], None).await;
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("EXISTS")));
    assert_eq!(failed["error"]["status"], 409);
    let (_, removed) = lab.ask("GET", &jobs[2], None).await;
    assert_eq!((&removed["state"], &removed["result"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(lab.snapshot_names(), ["s1", "s2"]);
}

/// What the caller sees at once.
#[derive(Debug, PartialEq)]
enum Seen {
    Status(u16),
    Broken,
    Silence,
}

async fn seen(lab: &Lab, name: &str) -> Seen {
    let call = lab.try_ask("POST", SNAPSHOTS, new_snapshot(name));
    tokio::pin!(call);
    // Everything but a wait is ready within a few polls: there is no socket here.
    for _ in 0..20 {
        tokio::select! {
            biased;
            answer = &mut call => return answer.map_or(Seen::Broken, |(status, _)| Seen::Status(status)),
            () = tokio::task::yield_now() => {}
        }
    }
    Seen::Silence
}

#[tokio::test]
async fn each_fault_shows_what_it_says_and_its_effect_is_there_or_not() {
    let busy = Action::Refuse { status: 429, code: "BUSY".into(), message: "come back".into() };
    for (action, jobs_async, sees, at_once, later) in [
        (busy, false, Seen::Status(429), false, false),
        (Action::Hang, false, Seen::Silence, false, false),
        (Action::Drop, false, Seen::Broken, false, false),
        (Action::LoseAnswer, false, Seen::Broken, true, true),
        (Action::LoseAnswer, true, Seen::Broken, true, true),
        (Action::HangAfterEffect, false, Seen::Silence, true, true),
        (Action::EffectLater { ms: 5000 }, false, Seen::Broken, false, true),
        (Action::EffectLater { ms: 5000 }, true, Seen::Status(202), false, true),
        // The caller gives up during the delay, and nothing was done.
        (Action::Delay { ms: 1000 }, false, Seen::Silence, false, false),
    ] {
        let lab = Lab::new().await;
        lab.world.array(ARRAY).unwrap().behave(|b| b.jobs_async = jobs_async).unwrap();
        let case = format!("{action:?}, jobs {jobs_async}");
        let rule = Rule::new(action).face("reference/nas1").method("POST").path("/snapshots").object("\"s2\"").times(1);
        let rule = lab.world.faults().add(rule);
        assert_eq!(
            seen(&lab, "other").await,
            Seen::Status(if jobs_async { 202 } else { 201 }),
            "{case}: another object"
        );
        assert_eq!(seen(&lab, "s2").await, sees, "{case}");
        assert_eq!(lab.world.faults().acted(rule), 1, "{case}");
        assert_eq!(lab.snapshot_names().contains(&"s2".to_owned()), at_once, "{case}: at once");
        lab.clock.advance(Duration::from_secs(5));
        assert_eq!(lab.snapshot_names().contains(&"s2".to_owned()), later, "{case}: later");
    }
}

#[tokio::test]
async fn a_delayed_call_is_done_after_its_delay() {
    let lab = Lab::new().await;
    lab.world.faults().add(Rule::new(Action::Delay { ms: 1000 }).method("POST"));
    let (call, ()) = tokio::join!(lab.ask("POST", SNAPSHOTS, new_snapshot("s2")), async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert_eq!(lab.snapshot_names(), ["s1"]);
        lab.clock.advance(Duration::from_secs(1));
    });
    assert_eq!(call.0, 201);
}
