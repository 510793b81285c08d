//! The tower layer that keeps the contract.

use super::{Deadline, GRPC_TIMEOUT, GuardedBody, deadline_exceeded, overloaded, panicked, parse_timeout};
use crate::{
    clock::{SharedClock, SystemClock},
    health,
    status::{StatusBuilder, to_status},
};
use futures::{FutureExt as _, future::BoxFuture};
use http::{HeaderValue, StatusCode, header};
use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use strata_model::ErrorKind;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};

/// What the layer enforces.
#[derive(Debug, Clone)]
pub struct ContractOptions {
    /// Longest deadline that a caller gets, whatever it asked; `None`: as it asked, and none if it asked for none.
    pub deadline_max: Option<Duration>,
    /// Most calls under way in this process; health and reflection do not count. `None`: no limit.
    pub calls_max: Option<usize>,
    /// What deadlines wait on.
    pub clock: SharedClock,
}

impl Default for ContractOptions {
    fn default() -> Self {
        Self { deadline_max: None, calls_max: None, clock: SystemClock::shared() }
    }
}

/// Makes a [`Contract`] of a service.
#[derive(Debug, Clone)]
pub struct ContractLayer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: ContractOptions,
    calls: Option<Arc<Semaphore>>,
}

impl ContractLayer {
    /// All services that this layer wraps share one limit of calls.
    pub fn new(options: ContractOptions) -> Self {
        let calls = options.calls_max.map(|max| Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS))));
        Self { shared: Arc::new(Shared { options, calls }) }
    }
}

impl<S> Layer<S> for ContractLayer {
    type Service = Contract<S>;

    fn layer(&self, inner: S) -> Contract<S> {
        Contract { inner, shared: self.shared.clone() }
    }
}

/// See the module. Requests that are no gRPC (by path: `/package.Service/Method`, and by content type) pass untouched.
#[derive(Debug, Clone)]
pub struct Contract<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<http::Request<Body>> for Contract<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let is_grpc = has_grpc_content_type(&request);
        if !is_grpc && !has_grpc_path(request.uri().path()) {
            return Box::pin(self.inner.call(request));
        }
        if !is_grpc {
            let mut response = http::Response::new(Body::empty());
            *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            response.headers_mut().insert("accept-post", HeaderValue::from_static("application/grpc"));
            return Box::pin(std::future::ready(Ok(response)));
        }
        let method = request.uri().path().trim_start_matches('/').to_owned();
        let admitted = deadline_of(&request, &self.shared.options)
            .and_then(|deadline| Ok((deadline, permit_for(&method, &self.shared)?)));
        let (deadline, permit) = match admitted {
            Ok(admitted) => admitted,
            Err(status) => return Box::pin(std::future::ready(Ok(status.into_http()))),
        };
        if let Some(deadline) = deadline {
            request.extensions_mut().insert(deadline);
        }
        let clock = self.shared.options.clock.clone();
        let answer = AssertUnwindSafe(Deadline::scope(deadline, self.inner.call(request))).catch_unwind();
        Box::pin(async move {
            let response = tokio::select! {
                biased;
                answer = answer => match answer {
                    Ok(Ok(response)) => response,
                    Err(_panic) => panicked(&method).into_http(),
                },
                () = wait(deadline, &clock) => deadline_exceeded(&method).into_http(),
            };
            let response = too_large_is_exhausted(response);
            Ok(response.map(|body| Body::new(GuardedBody::new(body, &method, deadline, &clock, permit))))
        })
    }
}

/// `application/grpc`, with or without a suffix (PROTOCOL-HTTP2.md, Content-Type).
fn has_grpc_content_type(request: &http::Request<Body>) -> bool {
    request.headers().get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// `/package.Service/Method`: two segments, the first with a dot inside. No REST path of ours looks like this.
fn has_grpc_path(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    let (Some(service), Some(method), None) = (segments.next(), segments.next(), segments.next()) else {
        return false;
    };
    !method.is_empty() && service.trim_matches('.').contains('.')
}

/// The caller's deadline, within the server's bound (T4: a malformed header is an error, not infinity).
fn deadline_of(request: &http::Request<Body>, options: &ContractOptions) -> Result<Option<Deadline>, Status> {
    let asked = match request.headers().get(GRPC_TIMEOUT) {
        None => None,
        Some(value) => Some(parse_timeout(value.as_bytes()).ok_or_else(|| {
            StatusBuilder::new(
                ErrorKind::InvalidArgument,
                "GRPC_TIMEOUT_MALFORMED",
                "the grpc-timeout header is malformed: it takes at most 8 digits and one of the units H M S m u n",
            )
            .build()
        })?),
    };
    let period = match (asked, options.deadline_max) {
        (Some(asked), Some(max)) => Some(asked.min(max)),
        (asked, max) => asked.or(max),
    };
    Ok(period.map(Deadline::after))
}

/// A place among the calls under way; none is needed for health and reflection (T9).
fn permit_for(method: &str, shared: &Shared) -> Result<Option<OwnedSemaphorePermit>, Status> {
    let service = method.split('/').next().unwrap_or_default();
    if service == health::SERVICE_NAME || service.starts_with("grpc.reflection.") {
        return Ok(None);
    }
    let Some(calls) = &shared.calls else {
        return Ok(None);
    };
    let limit = shared.options.calls_max.unwrap_or_default();
    calls.clone().try_acquire_owned().map(Some).map_err(|_full| overloaded(limit))
}

async fn wait(deadline: Option<Deadline>, clock: &SharedClock) {
    match deadline {
        Some(deadline) => clock.sleep(deadline.remaining()).await,
        None => std::future::pending().await,
    }
}

/// Tonic answers OUT_OF_RANGE to a request beyond the limit; the contract says RESOURCE_EXHAUSTED (T5).
fn too_large_is_exhausted(response: http::Response<Body>) -> http::Response<Body> {
    const TONICS_TEXT: &str = "decoded message length too large";
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() == Code::OutOfRange && status.message().contains(TONICS_TEXT) => {
            let message = format!("the request is too large: {}", status.message());
            to_status(ErrorKind::Exhausted, "REQUEST_TOO_LARGE", message).into_http()
        }
        _ => response,
    }
}
