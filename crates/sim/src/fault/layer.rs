//! The rules applied to an HTTP face, before and after its effect.

use super::{Action, Ask};
use crate::world::World;
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use std::{
    future::pending,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// The largest request that a face reads, in bytes.
const BODY_LIMIT_BYTES: usize = 16 << 20;

/// Marks a response that must not be sent: whoever serves it breaks the connection instead.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionDropped;

/// Set on a request whose effect has to come later.
#[derive(Debug, Clone, Copy)]
pub struct EffectLater(pub Duration);

/// A body that breaks, for those who look at the response without [`crate::serve`].
#[derive(Debug)]
struct Broken;

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }
}

/// The response that stands for a broken connection.
pub fn dropped() -> Response {
    let mut response = Response::new(Body::new(Broken));
    *response.status_mut() = http::StatusCode::BAD_GATEWAY;
    response.extensions_mut().insert(ConnectionDropped);
    response
}

/// Runs `next` as the rules of the world say. `face` is `<kind>/<name>`; `refuse` tells (status, code, message) in the
/// face's own words. Use it from `axum::middleware::from_fn`.
pub async fn around(
    world: Arc<World>,
    face: &str,
    refuse: fn(u16, &str, &str) -> Response,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_LIMIT_BYTES).await else {
        return refuse(413, "TOO_LARGE", "the request's body is too large or broke off");
    };
    let object = format!("{}\n{}", parts.uri.query().unwrap_or_default(), String::from_utf8_lossy(&bytes));
    let ask = Ask { face, method: parts.method.as_str(), path: parts.uri.path(), object: &object };
    let verdict = world.faults().decide(&ask);
    world.counters().add(face, "requests");
    let mut request = Request::from_parts(parts, Body::from(bytes));
    if verdict.delay_ms > 0 {
        world.clock().sleep(Duration::from_millis(verdict.delay_ms)).await;
    }
    match verdict.action {
        None | Some(Action::Delay { .. }) => next.run(request).await,
        Some(Action::Refuse { status, code, message }) => refuse(status, &code, &message),
        Some(Action::Hang) => pending().await,
        Some(Action::Drop) => dropped(),
        Some(Action::LoseAnswer) => {
            next.run(request).await;
            dropped()
        }
        Some(Action::HangAfterEffect) => {
            next.run(request).await;
            pending().await
        }
        Some(Action::EffectLater { ms }) => {
            request.extensions_mut().insert(EffectLater(Duration::from_millis(ms)));
            next.run(request).await
        }
    }
}
