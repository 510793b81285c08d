//! Jobs of the array: where an earlier call's work is. Finished jobs are forgotten after some 300 s; the truth is then looked up
//! by the object's name.

use super::{
    Ontap,
    error::{Refused, refusal},
    wire::{ErrorBody, Job, code_text},
};
use crate::driver::{DriverError, Progress, Reason};
use std::time::Duration;
use uuid::Uuid;

/// How long to wait before a job is asked for again.
pub(super) const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The answer while a job runs.
pub(super) fn pending<T>(job: &str) -> Progress<T> {
    Progress::Pending { ask_again_after: ASK_AGAIN_AFTER, resume: job.to_owned(), percent: None }
}

/// Where the job of a creation or change is: still at work (the same answer again), or over, or forgotten (`None`). One that
/// failed is the call's failure, but for a name that is taken: whoever repeats looks whether it is what was wanted.
pub(super) async fn settle<T>(array: &Ontap, resume: Option<&str>) -> Result<Option<Progress<T>>, DriverError> {
    settle_but(array, resume, Reason::TargetExists).await
}

/// The same of a removal, where what is gone is well.
pub(super) async fn settle_removal<T>(array: &Ontap, resume: Option<&str>) -> Result<Option<Progress<T>>, DriverError> {
    settle_but(array, resume, Reason::NotFound).await
}

/// The same of a change that leaves nothing to look for, a restore: it is done when its job says so. Where the job is forgotten
/// (`None`) the change has to be made again.
pub(super) async fn settle_restore(array: &Ontap, resume: Option<&str>) -> Result<Option<Progress<()>>, DriverError> {
    match find(array, resume).await? {
        None => Ok(None),
        Some(Outcome::Over) => Ok(Some(Progress::Ready(()))),
        Some(Outcome::Working) => Ok(Some(pending(resume.unwrap_or_default()))),
        Some(Outcome::Failed(error)) => Err(*error),
    }
}

async fn settle_but<T>(array: &Ontap, resume: Option<&str>, fine: Reason) -> Result<Option<Progress<T>>, DriverError> {
    match find(array, resume).await? {
        None | Some(Outcome::Over) => Ok(None),
        Some(Outcome::Working) => Ok(Some(pending(resume.unwrap_or_default()))),
        Some(Outcome::Failed(error)) if error.reason == fine => Ok(None),
        Some(Outcome::Failed(error)) => Err(*error),
    }
}

/// How a job stands; `None` where there is none, or none that may be read.
async fn find(array: &Ontap, resume: Option<&str>) -> Result<Option<Outcome>, DriverError> {
    let Some(id) = resume.filter(|id| Uuid::parse_str(id).is_ok()) else {
        return Ok(None);
    };
    // Every release has other fields; an instance is answered with those it has.
    let job: Option<Job> = match array.client.find(&format!("/cluster/jobs/{id}"), "show a job").await {
        // An account that may not read jobs learns the outcome by looking for the object.
        Err(error) if error.reason == Reason::RightMissing => None,
        other => other?,
    };
    Ok(job.map(|job| outcome(array.client.name(), job)))
}

enum Outcome {
    Working,
    Over,
    Failed(Box<DriverError>),
}

fn outcome(array: &str, job: Job) -> Outcome {
    match job.state.as_str() {
        "success" => Outcome::Over,
        "failure" | "error" | "cancelled" | "expired" => {
            let told = job.error.unwrap_or_default();
            let code =
                if told.code.is_empty() { job.code.as_ref().map(code_text).unwrap_or_default() } else { told.code };
            let message = if told.message.is_empty() { job.message } else { told.message };
            let asked = Refused { array, what: "finish its job", right: "", status: None, retry_after: None };
            Outcome::Failed(Box::new(refusal(&asked, ErrorBody { code, message, target: told.target })))
        }
        // Queued, running, paused, or a word of a later release.
        _ => Outcome::Working,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_jobs() {
        let read = |text: &str| outcome("a", serde_json::from_str(text).unwrap());
        for state in ["queued", "running", "paused", "pausing", "a_later_word"] {
            assert!(matches!(read(&format!(r#"{{"state": "{state}"}}"#)), Outcome::Working), "{state}");
        }
        assert!(matches!(read(r#"{"state": "success", "code": 0}"#), Outcome::Over));
        for (text, reason) in [
            (include_str!("fixtures/job_failed_9_8.json"), Reason::HasDependents),
            (include_str!("fixtures/job_failed.json"), Reason::TargetExists),
            (r#"{"state": "failure"}"#, Reason::Unexpected),
            (r#"{"state": "cancelled", "code": "524486"}"#, Reason::Busy),
        ] {
            let Outcome::Failed(error) = read(text) else { panic!("{text}") };
            assert_eq!(error.reason, reason, "{text}");
        }
    }
}
