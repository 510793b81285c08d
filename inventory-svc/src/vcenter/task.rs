//! Follows tasks to their end.

use super::{Client, Error, property_spec::Properties, wait::Watched};
use crate::soap::{Element, Fault, MoRef};
use std::time::Duration;

/// How long one look at a task may take where the caller wants its end.
const ONE_LOOK: Duration = Duration::from_secs(20);

const TASK: Properties =
    Properties { kind: "Task", paths: &["info.state", "info.progress", "info.error", "info.result"] };

/// How far a task is.
#[derive(Debug, Clone)]
pub enum TaskState {
    /// Queued or running; per cent where vCenter tells.
    Running(Option<u32>),
    /// Done, with what it gives back.
    Done(Option<Element>),
    /// Failed.
    Failed(Box<Fault>),
    /// vCenter forgot it, as it does some minutes after its end: its effect must be looked for.
    Forgotten,
}

impl Client {
    /// Waits for a task's end, at most for `wait`.
    ///
    /// # Errors
    /// The call failed. A task that failed is `Ok`.
    pub async fn follow_task(&self, task: &MoRef, wait: Duration) -> Result<TaskState, Error> {
        let watched = self.watch(TASK, task, wait, |task| !matches!(state(task), TaskState::Running(_))).await?;
        Ok(state(&watched))
    }

    /// Waits for a task's end however long it takes, and gives its result.
    ///
    /// # Errors
    /// The call or the task failed.
    pub async fn finish_task(&self, task: &MoRef, action: &str, object: &str) -> Result<Option<Element>, Error> {
        loop {
            match self.follow_task(task, ONE_LOOK).await? {
                TaskState::Running(_) => {}
                TaskState::Done(result) => return Ok(result),
                TaskState::Forgotten => return Ok(None),
                TaskState::Failed(fault) => return Err(self.task_failed(action, object, fault)),
            }
        }
    }

    /// A task that failed, as an error.
    pub fn task_failed(&self, action: &str, object: &str, fault: Box<Fault>) -> Error {
        Error::Task { vcenter: self.name().to_owned(), action: action.to_owned(), object: object.to_owned(), fault }
    }
}

fn state(task: &Watched) -> TaskState {
    let no_reason = || Fault {
        name: "SystemError".to_owned(),
        message: "vCenter gives no reason".to_owned(),
        detail: Element::default(),
    };
    match task.text("info.state") {
        "success" => TaskState::Done(task.get("info.result").cloned()),
        "error" => TaskState::Failed(Box::new(task.get("info.error").map_or_else(no_reason, Fault::from_localized))),
        _ if task.gone => TaskState::Forgotten,
        _ => TaskState::Running(task.get("info.progress").and_then(|value| value.text.trim().parse().ok())),
    }
}
