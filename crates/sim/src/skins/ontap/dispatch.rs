//! From a path to its act.

use super::{
    Face, Release, acts,
    call::Call,
    jobs,
    refusal::Refusal,
    reply::{Reply, send},
};
use axum::{
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, Method, header};
use serde_json::json;
use std::sync::Arc;

/// Does one call; the ids are the parts of the path that the pattern leaves open.
pub(super) type Handler = fn(&Call, &[&str]) -> Result<Reply, Refusal>;

/// One call: since which release, method, path after `/api` with `{}` for an id.
pub(super) type Route = (Release, &'static str, &'static str, Handler);

const ROUTES: &[Route] = &[
    (Release::V9_8, "GET", "cluster/jobs", jobs::all),
    (Release::V9_8, "GET", "cluster/jobs/{}", jobs::one),
    (Release::V9_8, "PATCH", "cluster/jobs/{}", jobs::act_on),
];

fn routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().chain(acts::ROUTES.iter().copied().flatten())
}

/// The open parts of a path that fits the pattern.
fn matched<'p>(pattern: &str, parts: &'p [String]) -> Option<Vec<&'p str>> {
    let mut ids = Vec::new();
    let mut given = parts.iter();
    for wanted in pattern.split('/') {
        let part = given.next()?;
        if wanted == "{}" {
            ids.push(part.as_str());
        } else if wanted != part {
            return None;
        }
    }
    given.next().is_none().then_some(ids)
}

async fn act(call: &Call) -> Result<Response, Refusal> {
    call.face.adopt()?;
    let release = call.face.release();
    let mut methods: Vec<&str> = Vec::new();
    for (since, method, pattern, handler) in routes().filter(|(since, ..)| *since <= release) {
        debug_assert!(*since <= release);
        let Some(ids) = matched(pattern, &call.parts) else { continue };
        if *method == call.method.as_str() {
            return handler(call, &ids)?.answer(call).await;
        }
        methods.push(method);
    }
    if methods.is_empty() {
        return Err(Refusal::no_such_api());
    }
    if call.method == Method::OPTIONS {
        methods.extend(["HEAD", "OPTIONS"]);
        let mut response = send(200, &json!({}));
        if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        return Ok(response);
    }
    Err(Refusal::new(405, "3", "operation not supported"))
}

/// Every request.
pub(super) async fn answer(State(face): State<Arc<Face>>, request: Request) -> Response {
    let answered = match Call::read(face, request).await {
        Ok(call) => act(&call).await,
        Err(refusal) => Err(refusal),
    };
    answered.unwrap_or_else(Refusal::into_response)
}
