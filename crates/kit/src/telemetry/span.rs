//! A span around each request and one line when its answer is complete.

use crate::{
    contract::{GRPC_TIMEOUT, parse_timeout},
    health::SERVICE_NAME as HEALTH,
    status::code_name,
};
use bytes::Bytes;
use futures::future::BoxFuture;
use http_body::{Frame, SizeHint};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::Instrument as _;

/// Makes a [`Span`] of a service.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpanLayer;

impl<S> Layer<S> for SpanLayer {
    type Service = Span<S>;

    fn layer(&self, inner: S) -> Span<S> {
        Span { inner }
    }
}

/// See the module. Names after OpenTelemetry's rpc conventions: `rpc.method`, `rpc.response.status_code`.
#[derive(Debug, Clone)]
pub struct Span<S> {
    inner: S,
}

impl<S> Service<http::Request<Body>> for Span<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = request.uri().path().trim_start_matches('/').to_owned();
        let deadline = request.headers().get(GRPC_TIMEOUT).and_then(|value| parse_timeout(value.as_bytes()));
        let span = tracing::info_span!("request", rpc.method = %method);
        let line = Line { method, deadline, started: Instant::now(), span: span.clone() };
        // Held by the future, so that a caller who leaves before the answer's head is logged as well.
        let mut guard = Watched { inner: None, line: Some(line) };
        let answer = self.inner.call(request);
        Box::pin(
            async move {
                let response = answer.await?;
                let (parts, body) = response.into_parts();
                if !http_body::Body::is_end_stream(&body) {
                    guard.inner = Some(body);
                    return Ok(http::Response::from_parts(parts, Body::new(guard)));
                }
                if let Some(line) = guard.line.take() {
                    match Status::from_header_map(&parts.headers) {
                        Some(status) => line.write(code_name(status.code()), Some(status.code())),
                        None => line.write(parts.status.as_str(), None),
                    }
                }
                Ok(http::Response::from_parts(parts, body))
            }
            .instrument(span),
        )
    }
}

/// What the line will say.
struct Line {
    method: String,
    deadline: Option<Duration>,
    started: Instant,
    span: tracing::Span,
}

impl Line {
    fn write(self, outcome: &str, code: Option<Code>) {
        let duration_ms = milliseconds(self.started.elapsed());
        let deadline_ms = self.deadline.map(milliseconds);
        let _inside = self.span.enter();
        match code {
            // The server's own faults, after OpenTelemetry; the others are the caller's business.
            Some(Code::Unknown | Code::DeadlineExceeded | Code::Internal | Code::Unavailable | Code::DataLoss) => {
                tracing::warn!(rpc.response.status_code = outcome, duration_ms, deadline_ms, "call failed");
            }
            _ if self.method.starts_with(HEALTH) => {
                tracing::debug!(rpc.response.status_code = outcome, duration_ms, deadline_ms, "call done");
            }
            _ => tracing::info!(rpc.response.status_code = outcome, duration_ms, deadline_ms, "call done"),
        }
    }
}

/// To the microsecond, which JSON then shows in few digits.
fn milliseconds(period: Duration) -> f64 {
    (period.as_secs_f64() * 1e6).round() / 1e3
}

/// A response body that writes the line when it ends; dropped before, the caller went away.
struct Watched {
    inner: Option<Body>,
    line: Option<Line>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            line.write("CANCELLED", Some(Code::Cancelled));
        }
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(inner) = self.inner.as_mut() else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(inner).poll_frame(cx);
        let code = match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                frame.trailers_ref().and_then(Status::from_header_map).map(|status| status.code())
            }
            Poll::Ready(Some(Err(status))) => Some(status.code()),
            Poll::Ready(None) => Some(Code::Ok),
            Poll::Pending => None,
        };
        if let Some(code) = code
            && let Some(line) = self.line.take()
        {
            line.write(code_name(code), Some(code));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map(http_body::Body::size_hint).unwrap_or_default()
    }
}
