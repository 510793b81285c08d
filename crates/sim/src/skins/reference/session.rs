//! Logins: a token that holds for a fixed time.

use super::{
    Face,
    answer::{self, Answer, Refusal},
};
use crate::{
    fault::EffectLater,
    world::{
        lock,
        storage::{Array, ArrayInfo, StorageError},
    },
};
use axum::{
    Json,
    extract::{FromRequestParts, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{StatusCode, header::AUTHORIZATION, request::Parts};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Tokens and until when they hold.
#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<BTreeMap<String, Timestamp>>,
}

impl fmt::Debug for Sessions {
    // Tokens never show, not even simulated ones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sessions({} open)", lock(&self.open).len())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    user: String,
    password: String,
}

/// A caller who is logged in.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) face: Arc<Face>,
    /// Set when a fault rule wants the effect to come so much later.
    pub(super) later: Option<Duration>,
    token: Token,
}

struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Caller {
    /// The array behind the face.
    pub(super) fn array(&self) -> Result<Array<'_>, StorageError> {
        self.face.world.array(&self.face.array)
    }

    /// Refuses a caller who lacks the privilege.
    pub(super) fn may(&self, privilege: &'static str) -> Result<(), StorageError> {
        let denied = self.array()?.info()?.spec.behaviour.denied.contains(privilege);
        if denied { Err(StorageError::Forbidden(privilege)) } else { Ok(()) }
    }

    /// The array, for a caller who may look.
    pub(super) fn look(&self) -> Result<Array<'_>, StorageError> {
        self.may("look")?;
        self.array()
    }
}

impl FromRequestParts<Arc<Face>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, face: &Arc<Face>) -> Result<Self, Response> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let info = face.world.array(&face.array).and_then(|array| array.info());
        let now = info.map_err(|error| Refusal(error).into_response())?.time;
        if lock(&face.sessions.open).get(token).is_none_or(|until| *until <= now) {
            let message = "the token is missing, unknown or has expired; log in again";
            return Err(answer::error(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message, None));
        }
        let later = parts.extensions.get::<EffectLater>().map(|later| later.0);
        Ok(Caller { face: Arc::clone(face), later, token: Token(token.to_owned()) })
    }
}

/// POST /sessions
pub(super) async fn log_in(State(face): State<Arc<Face>>, body: Bytes) -> Answer {
    // Not through parse(): its error quotes the body, and here that holds a password.
    let login: Login = match serde_json::from_slice(&body) {
        Ok(login) => login,
        Err(error) => return Err(answer::invalid("body", "(hidden)", &format!("no login: {error}"))),
    };
    let ArrayInfo { spec, time: now, .. } = face.world.array(&face.array)?.info()?;
    if login.user != spec.user || login.password != spec.password {
        let message = "user or password is wrong";
        return Ok(answer::error(StatusCode::UNAUTHORIZED, "BAD_CREDENTIALS", message, Some("user")));
    }
    let ttl = Duration::from_millis(spec.behaviour.session_ttl_ms);
    let expires_at = now.checked_add(ttl).unwrap_or(Timestamp::MAX);
    let token = face.world.new_id().simple().to_string();
    let mut open = lock(&face.sessions.open);
    open.retain(|_, until| *until > now);
    if open.len() >= spec.behaviour.sessions_max {
        let message = "too many open sessions; end some or wait until they expire";
        return Ok(answer::error(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_SESSIONS", message, None));
    }
    open.insert(token.clone(), expires_at);
    drop(open);
    face.world.counters().add(&face.array, "logins");
    let body = json!({"token": token, "expires_at": expires_at.to_string()});
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// DELETE /sessions
pub(super) async fn log_out(caller: Caller) -> Response {
    lock(&caller.face.sessions.open).remove(&caller.token.0);
    StatusCode::NO_CONTENT.into_response()
}
