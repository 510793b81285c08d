//! Long acts: a task is followed for a while, and then the caller is told to come back with its id.

use crate::{
    soap::{Element, MoRef},
    vcenter::{Client, Error, task::TaskState},
};
use std::future::Future;
use strata_proto::strata::common::v1::Pending;

/// How long the caller shall wait before it asks again; the call itself waits for the task.
const ASK_AGAIN_AFTER: prost_types::Duration = prost_types::Duration { seconds: 1, nanos: 0 };

/// How far an act is.
#[derive(Debug)]
pub enum Progress {
    /// The task is done, with its result; or it was forgotten, without. Look whether its effect is there.
    Done(Option<Element>),
    /// It goes on.
    Pending(Pending),
}

/// An answer of "not yet".
pub fn pending(resume: &str, progress_percent: Option<u32>) -> Pending {
    Pending { ask_again_after: Some(ASK_AGAIN_AFTER), resume: resume.to_owned(), progress_percent }
}

/// Follows the task that `resume` names, or the one that `start` starts where it is empty.
///
/// # Errors
/// The task cannot be started or failed.
pub async fn follow(
    client: &Client,
    resume: &str,
    action: &str,
    object: &str,
    start: impl Future<Output = Result<MoRef, Error>> + Send,
) -> Result<Progress, Error> {
    let task = if resume.is_empty() { start.await? } else { MoRef::new("Task", resume) };
    match client.follow_task(&task, client.task_wait()).await? {
        TaskState::Running(percent) => Ok(Progress::Pending(pending(&task.value, percent))),
        TaskState::Done(result) => Ok(Progress::Done(result)),
        TaskState::Forgotten => Ok(Progress::Done(None)),
        TaskState::Failed(fault) => Err(client.task_failed(action, object, fault)),
    }
}
