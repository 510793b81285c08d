//! Jobs: their states, their memory, waiting for them, and both phases in which a call is checked.

use super::{Lab, clone_of_vol1};
use crate::{
    fault::{Action, Rule},
    skins::ontap::{Release, Settings},
};
use serde_json::{Value, json};
use std::time::Duration;

const SNAPSHOTS: &str = "/storage/volumes/{v}/snapshots";

fn job_of(answer: &super::Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.body);
    format!("/cluster/jobs/{}?fields=message,state", answer.body["job"]["uuid"].as_str().unwrap())
}

#[tokio::test]
async fn a_job_runs_ends_and_is_forgotten() {
    let lab = Lab::with(Settings::default());
    lab.array().behave(|b| b.job_delay_ms = 2000).unwrap();
    let answer = lab.ask("POST", SNAPSHOTS, json!({"name": "s2"})).await;
    let location = lab.filled("/api/storage/volumes/{v}/snapshots/?name=s2");
    assert_eq!(answer.headers["location"].to_str().unwrap(), location, "the query form");
    let job = job_of(&answer);
    assert_eq!(lab.get(&job).await["state"], "running");
    assert_eq!(lab.get("/storage/volumes/{v}/snapshots/?name=s2").await["num_records"], 0, "not before its time");
    lab.clock.advance(Duration::from_secs(2));
    assert_eq!(lab.get(&job).await["state"], "running", "told once more although it is done");
    let done = lab.get(job.split('?').next().unwrap()).await;
    assert_eq!((&done["state"], &done["code"], &done["message"]), (&json!("success"), &json!(0), &json!("success")));
    assert_eq!(done["description"], json!(lab.filled("POST /api/storage/volumes/{v}/snapshots")));
    assert_eq!(done["end_time"], "2026-01-01T00:00:02+00:00");
    lab.clock.advance(Duration::from_secs(300));
    assert_eq!(lab.get(&job).await["state"], "success");
    lab.clock.advance(Duration::from_secs(1));
    let gone = lab.ask("GET", &job, Value::Null).await;
    assert_eq!((gone.status, gone.code()), (404, "4"));
}

#[tokio::test]
async fn waiting_gives_the_outcome_in_the_answer_or_the_job() {
    let lab = Lab::with(Settings::default());
    lab.array().behave(|b| b.job_delay_ms = 5000).unwrap();
    let (made, ()) = tokio::join!(
        lab.ask("POST", "/storage/volumes/{v}/snapshots?return_timeout=15&return_records=true", json!({"name": "s2"})),
        async {
            for _ in 0..9 {
                tokio::task::yield_now().await;
            }
            lab.clock.advance(Duration::from_secs(5));
        }
    );
    assert_eq!((made.status, &made.body["records"][0]["name"]), (201, &json!("s2")), "{}", made.body);
    let uuid = made.body["records"][0]["uuid"].as_str().unwrap();
    assert!(made.headers["location"].to_str().unwrap().ends_with(uuid), "done: by uuid");
    assert!(made.body["job"]["uuid"].is_string());
    let (late, ()) = tokio::join!(
        lab.ask("POST", "/storage/volumes/{v}/snapshots?return_timeout=3", json!({"name": "s3"})),
        async {
            for _ in 0..9 {
                tokio::task::yield_now().await;
            }
            lab.clock.advance(Duration::from_secs(3));
        }
    );
    assert_eq!(late.status, 202);
    lab.array().behave(|b| b.job_delay_ms = 0).unwrap();
    let twice = lab.ask("POST", "/storage/volumes/{v}/snapshots?return_timeout=3", json!({"name": "s2"})).await;
    assert_eq!((twice.status, twice.code()), (409, "525059"));
    let bad = lab.ask("POST", "/storage/volumes/{v}/snapshots?return_timeout=121", json!({"name": "s2"})).await;
    assert_eq!((bad.status, bad.code()), (400, "262197"));
}

#[tokio::test]
async fn a_call_is_checked_at_once_or_by_its_job() {
    for early in [false, true] {
        let lab = Lab::new();
        lab.ontap.set(|settings| settings.early_checks = early);
        for (method, path, body, code) in [
            ("POST", SNAPSHOTS, json!({"name": "s1"}), "525059"),
            ("POST", "/storage/volumes", json!({"name": "vol1", "svm.name": "svm1", "size": "1GB"}), "917526"),
            ("DELETE", "/storage/volumes/{v}/snapshots/{s}", json!({}), "1638543"),
        ] {
            lab.ontap.own_snapshot(lab.snapshot, &["snapmirror"]);
            let answer = lab.ask(method, path, body).await;
            if early {
                assert_eq!((answer.status, answer.code()), (409, code), "{path}");
            } else {
                let failed = lab.get(job_of(&answer).split('?').next().unwrap()).await;
                assert_eq!(
                    (&failed["state"], &failed["code"]),
                    (&json!("failure"), &json!(code.parse::<u64>().unwrap()))
                );
                assert_eq!(failed["error"]["code"], code);
            }
        }
        assert_eq!(lab.done("POST", SNAPSHOTS, json!({"name": "s2"})).await, "success", "early {early}");
    }
    let old = Lab::new();
    old.ontap.set(|settings| settings.release = Release::V9_8);
    let answer = old.ask("POST", SNAPSHOTS, json!({"name": "s1"})).await;
    let failed = old.get(job_of(&answer).split('?').next().unwrap()).await;
    assert_eq!((&failed["code"], failed.get("error")), (&json!(525_059), None), "before 9.9.1 the code alone tells");
}

#[tokio::test]
async fn a_locked_snapshot_fails_ten_seconds_after_it_was_taken() {
    let lab = Lab::with(Settings { polls_running: 0, ..Settings::default() });
    lab.done("POST", "/storage/volumes", clone_of_vol1("c1")).await;
    let job = job_of(&lab.ask("DELETE", "/storage/volumes/{v}/snapshots/{s}", json!({})).await);
    lab.clock.advance(Duration::from_secs(9));
    assert_eq!(lab.get(&job).await["state"], "running");
    lab.clock.advance(Duration::from_secs(1));
    let failed = lab.get(&job).await;
    assert_eq!(failed["state"], "failure");
    assert!(failed["message"].as_str().unwrap().contains("volume_clone"), "{failed}");
}

#[tokio::test]
async fn a_job_can_be_cancelled_before_its_time_only() {
    let lab = Lab::new();
    lab.array().behave(|b| b.job_delay_ms = 2000).unwrap();
    let answer = lab.ask("POST", SNAPSHOTS, json!({"name": "s2"})).await;
    let job = format!("/cluster/jobs/{}", answer.body["job"]["uuid"].as_str().unwrap());
    assert_eq!(lab.done("PATCH", &format!("{job}?action=pause"), Value::Null).await, "458783");
    assert_eq!(lab.done("PATCH", &format!("{job}?action=cancel"), Value::Null).await, "success");
    lab.clock.advance(Duration::from_secs(2));
    assert_eq!(lab.get(&job).await["state"], "failure");
    assert_eq!(lab.names(SNAPSHOTS).await, ["s1"]);
    assert_eq!(lab.done("PATCH", &format!("{job}?action=cancel"), Value::Null).await, "458762");
}

#[tokio::test]
async fn a_rule_makes_a_job_fail_with_any_code_after_a_202() {
    let lab = Lab::new();
    let fail = Action::Refuse { status: 202, code: "13565952".into(), message: "Clone start failed: EBUSY".into() };
    lab.world.faults().add(Rule::new(fail).face("ontap/filer1").method("POST").path("/snapshots").times(1));
    assert_eq!(lab.done("POST", SNAPSHOTS, json!({"name": "s2"})).await, "13565952");
    assert_eq!(lab.names(SNAPSHOTS).await, ["s1"]);
    assert_eq!(lab.done("POST", SNAPSHOTS, json!({"name": "s2"})).await, "success");
    let late = Action::EffectLater { ms: 5000 };
    lab.world.faults().add(Rule::new(late).method("POST").path("/snapshots").times(1));
    let job = job_of(&lab.ask("POST", SNAPSHOTS, json!({"name": "s3"})).await);
    assert_eq!((lab.names(SNAPSHOTS).await.len(), &lab.get(&job).await["state"]), (2, &json!("running")));
    lab.clock.advance(Duration::from_secs(5));
    assert_eq!((lab.names(SNAPSHOTS).await.len(), &lab.get(&job).await["state"]), (3, &json!("success")));
}
