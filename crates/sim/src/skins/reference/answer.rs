//! Answers: errors in the protocol's words, and the one way in which a change is made and answered.

use super::session::Caller;
use crate::{
    fault::dropped,
    world::{
        World,
        storage::{Array, Effect, StorageError},
        tree::TreeError,
    },
};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// What handlers return.
pub(super) type Answer = Result<Response, Refusal>;

/// A refusal on its way out.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) StorageError);

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Refusal(error)
    }
}

impl From<TreeError> for Refusal {
    fn from(error: TreeError) -> Self {
        Refusal(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, body) = told(&self.0);
        (status, Json(body)).into_response()
    }
}

/// An error's status and body.
pub(super) fn told(error: &StorageError) -> (StatusCode, Value) {
    use StatusCode as S;
    let (status, code, target) = match error {
        StorageError::NotFound { kind, .. } => (S::NOT_FOUND, "NOT_FOUND", Some((*kind).to_owned())),
        StorageError::Exists { kind, .. } => (S::CONFLICT, "EXISTS", Some((*kind).to_owned())),
        StorageError::Dependents { id, .. } => (S::CONFLICT, "HAS_DEPENDENTS", Some(id.clone())),
        StorageError::Exported(id) => (S::CONFLICT, "EXPORTED", Some(id.clone())),
        StorageError::Mapped { id, .. } => (S::CONFLICT, "MAPPED", Some(id.clone())),
        StorageError::Invalid { field, .. } => (S::BAD_REQUEST, "INVALID", Some((*field).to_owned())),
        StorageError::Unsupported(what) => (S::NOT_IMPLEMENTED, "UNSUPPORTED", Some((*what).to_owned())),
        StorageError::Limit(_) => (S::CONFLICT, "LIMIT_REACHED", None),
        StorageError::ReadOnly(id) => (S::CONFLICT, "READ_ONLY", Some(id.clone())),
        StorageError::Forbidden(privilege) => (S::FORBIDDEN, "FORBIDDEN", Some((*privilege).to_owned())),
        StorageError::File(TreeError::NotFound(path)) => (S::NOT_FOUND, "FILE_NOT_FOUND", Some(path.clone())),
        StorageError::File(TreeError::Exists(path)) => (S::CONFLICT, "FILE_EXISTS", Some(path.clone())),
        StorageError::File(TreeError::WrongKind(path, _)) => (S::BAD_REQUEST, "WRONG_KIND", Some(path.clone())),
        StorageError::File(TreeError::ReadOnly) => (S::CONFLICT, "READ_ONLY", None),
        StorageError::File(TreeError::Full) => (S::INSUFFICIENT_STORAGE, "NO_SPACE", None),
        StorageError::File(TreeError::Refused(path, _)) => (S::BAD_REQUEST, "BAD_PATH", Some(path.clone())),
    };
    let mut body = json!({"code": code, "message": error.to_string(), "target": target});
    if let StorageError::Dependents { dependents, .. } = error {
        body["dependents"] = json!(dependents);
    }
    (status, body)
}

/// An error that does not come from the world.
pub(super) fn error(status: StatusCode, code: &str, message: &str, target: Option<&str>) -> Response {
    (status, Json(json!({"code": code, "message": message, "target": target}))).into_response()
}

/// A refusal that a fault rule asked for.
pub(super) fn injected(status: u16, code: &str, message: &str) -> Response {
    error(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), code, message, None)
}

/// 200 with a body.
pub(super) fn ok(body: Value) -> Answer {
    Ok(Json(body).into_response())
}

/// A request's body.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| invalid("body", &String::from_utf8_lossy(body), &error.to_string()))
}

/// An id of a path or a query; what is no UUID names nothing.
pub(super) fn id(kind: &'static str, text: &str) -> Result<Uuid, Refusal> {
    text.parse().map_err(|_| Refusal(StorageError::NotFound { kind, id: text.to_owned() }))
}

/// A field that is not as it should be.
pub(super) fn invalid(field: &'static str, value: &str, why: &str) -> Refusal {
    let value: String = value.chars().take(100).collect();
    Refusal(StorageError::Invalid { field, value, why: why.to_owned() })
}

/// Makes a change, now or as a job, and answers as the array does. The effect is done before the answer is made.
pub(super) fn change<F>(caller: &Caller, privilege: &'static str, done: StatusCode, what: &str, effect: F) -> Answer
where
    F: FnOnce(&Array<'_>) -> Result<Value, StorageError> + Send + 'static,
{
    caller.may(privilege)?;
    let array = caller.array()?;
    let behaviour = array.info()?.spec.behaviour;
    if caller.later.is_none() && !behaviour.jobs_async {
        let body = effect(&array)?;
        return Ok(if body.is_null() {
            StatusCode::NO_CONTENT.into_response()
        } else {
            (done, Json(body)).into_response()
        });
    }
    let name = caller.face.array.clone();
    let queued: Effect = Box::new(move |world: &World| effect(&world.array(&name)?));
    let delay = caller.later.unwrap_or(Duration::from_millis(behaviour.job_delay_ms));
    let job = array.queue(what, delay, queued)?;
    if !behaviour.jobs_async {
        return Ok(dropped());
    }
    Ok((StatusCode::ACCEPTED, Json(json!({"job": super::jobs::shown(&job)}))).into_response())
}
