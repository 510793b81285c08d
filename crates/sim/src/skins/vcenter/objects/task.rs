//! Task and TaskManager.

use super::{
    super::context::{Answer, Ctx},
    not_here,
};
use crate::world::compute::{
    fault::Fault,
    state::State,
    task::Task,
    value::{MoRef, Obj, Val, obj},
};

/// `info`.
fn info(id: &str, t: &Task) -> Val {
    let reason = obj!("TaskReasonUser", "userName" => &t.user);
    obj!("TaskInfo", "key" => id, "task" => MoRef::new("Task", id), "description" => t.description.clone().unwrap_or_default(),
        "name" => if t.external { None } else { Some(t.name.clone()) }, "descriptionId" => &t.description_id,
        "entity" => t.entity.clone(), "entityName" => &t.entity_name, "state" => t.state, "cancelled" => t.cancelled,
        "cancelable" => t.external, "error" => t.error.as_ref().map(Fault::localized),
        "result" => t.result.clone(), "progress" => t.progress.filter(|_| t.state == "running"), "reason" => reason,
        "queueTime" => t.queued, "startTime" => t.started, "completeTime" => t.completed,
        "eventChainId" => t.number)
}

/// A property of a task.
pub fn property(s: &State, id: &str, name: &str) -> Val {
    match (s.tasks.get(id), name) {
        (Some(t), "info") => info(id, t),
        _ => Val::Unset,
    }
}

/// A property of the task manager.
pub fn manager_property(s: &State, name: &str) -> Val {
    match name {
        "recentTask" => {
            let mut all: Vec<_> = s.tasks.iter().map(|(id, t)| (t.number, MoRef::new("Task", id))).collect();
            all.sort();
            all.into_iter().rev().take(20).map(|(_, r)| r).collect::<Vec<_>>().into()
        }
        "maxCollector" => 32.into(),
        "description" => {
            obj!("TaskDescription", "methodInfo" => Val::List(Vec::new()), "state" => Val::List(Vec::new()),
            "reason" => Val::List(Vec::new()))
        }
        _ => Val::Unset,
    }
}

/// The methods of both.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let id = ctx.id();
    match method {
        "CreateTask" => create(ctx),
        "CancelTask" => {
            let task = ctx.s.tasks.get_mut(&id).ok_or_else(|| Fault::gone(ctx.this))?;
            if task.state == "success" || task.state == "error" {
                return Err(Fault::new("InvalidState", "The task has ended"));
            }
            if !task.external && task.state == "running" {
                return Err(Fault::new("NotSupported", "The task cannot be cancelled"));
            }
            task.cancelled = true;
            ctx.s.touch();
            Ok(Val::Unset)
        }
        "SetTaskState" => set_state(ctx),
        "UpdateProgress" => {
            let percent = ctx.args.int("percentDone").unwrap_or(0);
            let task = external(ctx)?;
            if !(0..=100).contains(&percent) {
                return Err(Fault::invalid_argument("percentDone"));
            }
            task.progress = Some(percent);
            let cancelled = task.cancelled;
            ctx.s.touch();
            if cancelled {
                return Err(Fault::new("RequestCanceled", "The task was canceled"));
            }
            Ok(Val::Unset)
        }
        "SetTaskDescription" => {
            let text = ctx.args.get("description").clone();
            external(ctx)?.description = Some(text);
            ctx.s.touch();
            Ok(Val::Unset)
        }
        _ => not_here(ctx, method),
    }
}

fn external<'a>(ctx: &'a mut Ctx<'_>) -> Result<&'a mut Task, Fault> {
    let task = ctx.s.tasks.get_mut(&ctx.this.id).ok_or_else(|| Fault::gone(ctx.this))?;
    if !task.external {
        return Err(Fault::new("InvalidState", "Only a task made by CreateTask can be set"));
    }
    if task.state == "success" || task.state == "error" {
        return Err(Fault::new("InvalidState", "The task has ended"));
    }
    Ok(task)
}

fn create(ctx: &mut Ctx<'_>) -> Answer {
    let on = ctx.args.moref("obj").cloned().ok_or_else(|| Fault::invalid_argument("obj"))?;
    if !ctx.s.has(&on) {
        return Err(Fault::gone(&on));
    }
    ctx.need("Task.Create", &on)?;
    let kind = ctx.text("taskTypeId").to_owned();
    let listed =
        ctx.s.extensions.iter().flat_map(|e| e.list("taskList")).any(|t| t.str("taskID") == Some(kind.as_str()));
    if !listed {
        return Err(Fault::invalid_argument("taskType"));
    }
    let user = ctx.args.str("initiatedBy").map_or_else(|| ctx.user(), str::to_owned);
    let made = ctx.s.new_task("CreateTask", Some(on), &user);
    if let Some(t) = ctx.s.tasks.get_mut(&made.id) {
        t.external = true;
        t.description_id = kind;
    }
    let t = ctx.s.tasks.get(&made.id).map(|t| info(&made.id, t));
    Ok(t.unwrap_or_default())
}

fn set_state(ctx: &mut Ctx<'_>) -> Answer {
    let now = ctx.s.now();
    let state = ctx.text("state").to_owned();
    let (result, fault) = (ctx.args.get("result").clone(), ctx.args.get("fault").clone());
    let task = external(ctx)?;
    match state.as_str() {
        "running" => {
            task.state = "running";
            task.started = Some(now);
        }
        "success" => {
            task.state = "success";
            task.result = result;
            task.completed = Some(now);
        }
        "error" => {
            let message = fault.str("localizedMessage").unwrap_or_default().to_owned();
            let detail = match fault.get("fault") {
                Val::Obj(o) => o.clone(),
                _ => Obj { ty: "MethodFault".to_owned(), fields: Vec::new() },
            };
            task.state = "error";
            task.error = Some(Fault { detail, message });
            task.completed = Some(now);
        }
        _ => return Err(Fault::invalid_argument("state")),
    }
    ctx.s.touch();
    Ok(Val::Unset)
}
