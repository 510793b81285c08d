//! Jobs, as callers see them.

use super::{
    answer::{Answer, id, ok, told},
    session::Caller,
};
use crate::world::storage::{Job, JobState};
use axum::extract::Path;
use serde_json::{Value, json};

/// A job as JSON.
pub(super) fn shown(job: &Job) -> Value {
    let (state, result, error) = match &job.state {
        JobState::Queued => ("queued", Value::Null, Value::Null),
        JobState::Succeeded(result) => ("succeeded", result.clone(), Value::Null),
        JobState::Failed(error) => {
            let (status, mut body) = told(error);
            body["status"] = json!(status.as_u16());
            ("failed", Value::Null, body)
        }
    };
    json!({
        "id": job.id,
        "description": job.description,
        "state": state,
        "created_at": job.created.to_string(),
        "result": result,
        "error": error,
    })
}

/// GET /jobs/{id}
pub(super) async fn get(caller: Caller, Path(job): Path<String>) -> Answer {
    let job = caller.look()?.job(id("job", &job)?)?;
    ok(shown(&job))
}
