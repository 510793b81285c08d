//! The world's rules for faults, and privileges.

use super::Client;
use crate::{
    fault::{Action, Rule},
    world::compute::value::MoRef,
};
use std::time::Duration;

const SNAPSHOT: &str = "<name>s</name><memory>false</memory><quiesce>false</quiesce>";

#[tokio::test]
async fn an_answer_can_be_lost_after_the_effect() {
    let c = Client::new().await;
    let web = c.vm("web");
    c.world.faults().add(Rule::new(Action::LoseAnswer).face("vcenter").method("CreateSnapshot_Task").times(1));
    assert!(c.post("CreateSnapshot_Task", "VirtualMachine", &web, SNAPSHOT).await.is_err());
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(c.vc.with(|s| s.snapshots.len()), 1, "the effect happened");
    assert_eq!(c.world.counters().get("vcenter/vc01", "CreateSnapshot_Task"), 1);
}

#[tokio::test]
async fn calls_and_tasks_can_be_refused_and_delayed() {
    let c = Client::new().await;
    let web = c.vm("web");
    let refuse = |code: &str| Action::Refuse { status: 500, code: code.into(), message: "no".into() };
    c.world.faults().add(Rule::new(refuse("SystemError")).method("CreateSnapshot_Task").times(1));
    assert_eq!(c.fault("CreateSnapshot_Task", "VirtualMachine", &web, SNAPSHOT).await, "SystemError");
    c.world.faults().add(Rule::new(refuse("TaskInProgress")).method("task:CreateSnapshot_Task").object("web").times(1));
    assert_eq!(c.task("CreateSnapshot_Task", "VirtualMachine", &web, SNAPSHOT).await, "TaskInProgress");
    c.world.faults().add(Rule::new(Action::Delay { ms: 5000 }).method("task:CreateSnapshot_Task").times(1));
    assert_eq!(c.task("CreateSnapshot_Task", "VirtualMachine", &web, SNAPSHOT).await, "running");
    c.clock.advance(Duration::from_secs(6));
    let task = c.vc.with(|s| s.tasks.iter().max_by_key(|(_, t)| t.number).map(|(id, _)| id.clone()).unwrap());
    assert_eq!(c.end_of(&task).await, "success");
}

#[tokio::test]
async fn a_privilege_that_was_taken_away_is_missed() {
    let c = Client::new().await;
    let web = MoRef::new("VirtualMachine", c.vm("web"));
    c.vc.with(|s| s.revoke("VirtualMachine.State.CreateSnapshot", Some(web.clone())));
    assert_eq!(c.fault("CreateSnapshot_Task", "VirtualMachine", &web.id, SNAPSHOT).await, "NoPermission");
    let args = format!(
        "<entity type=\"VirtualMachine\">{}</entity><sessionId>x</sessionId><privId>System.Read</privId><privId>VirtualMachine.State.CreateSnapshot</privId>",
        web.id
    );
    let text = c.ok("HasPrivilegeOnEntities", "AuthorizationManager", "AuthorizationManager", &args).await;
    assert!(text.contains("<isGranted>true</isGranted>") && text.contains("<isGranted>false</isGranted>"), "{text}");
    assert_eq!(c.task("CreateSnapshot_Task", "VirtualMachine", &c.vm("plain"), SNAPSHOT).await, "success");
}
