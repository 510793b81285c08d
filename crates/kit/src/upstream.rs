//! Calling another service of ours: one clonable type that generated clients are built on, over a socket or in process.
//!
//! What stock tonic lacks is added here: the remaining deadline travels with each call and ends it (T14), and a call that a
//! server going away never accepted is sent again at once (T13). Nothing else is retried.

mod bearer;
mod connect;
mod local;
mod options;
mod replay;

pub use options::{ClientIdentity, UpstreamError, UpstreamOptions};

use crate::{
    clock::{SharedClock, SystemClock},
    contract::{Deadline, GRPC_TIMEOUT, GuardedBody, Stack, deadline_exceeded, format_timeout, parse_timeout},
};
use futures::future::BoxFuture;
use http::HeaderValue;
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tonic::{Status, body::Body};
use tower::{Service, ServiceExt as _, util::BoxCloneSyncService};

/// The way to one peer: `Client::new(upstream.clone())` for any generated client.
///
/// A call's deadline is the nearest of: a [`Deadline`] in its extensions, its `grpc-timeout` header
/// (`Request::set_timeout`), the deadline of the call that this task answers, and the configured time per call.
#[derive(Clone)]
pub struct Upstream {
    peer: Arc<str>,
    transport: BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Status>,
    call_timeout: Option<Duration>,
    token: Option<HeaderValue>,
    clock: SharedClock,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Upstream {
    /// A peer behind a URL. Nothing is sent yet: the connection is made by the first call and again after each loss, so that
    /// services start in any order.
    ///
    /// # Errors
    /// The URL is wrong, would send calls in the clear beyond loopback, or a TLS file cannot be used.
    pub fn connect(options: &UpstreamOptions) -> Result<Self, UpstreamError> {
        Ok(Self {
            peer: options.url.as_str().into(),
            transport: BoxCloneSyncService::new(connect::Transport::new(options)?),
            call_timeout: options.call_timeout,
            token: options.token.as_ref().map(bearer::header).transpose()?,
            clock: options.clock.clone(),
        })
    }

    /// A server in this process, without a socket; `name` stands in messages.
    pub fn in_process(name: &str, stack: Stack) -> Self {
        Self {
            peer: name.into(),
            transport: BoxCloneSyncService::new(local::Local::new(stack)),
            call_timeout: None,
            token: None,
            clock: SystemClock::shared(),
        }
    }

    /// Sends another bearer token, or none.
    ///
    /// # Errors
    /// The token holds a character that no header may hold.
    pub fn with_token(mut self, token: Option<&secrecy::SecretString>) -> Result<Self, UpstreamError> {
        self.token = token.map(bearer::header).transpose()?;
        Ok(self)
    }

    /// Bounds every call that has no nearer deadline; streams too.
    #[must_use]
    pub fn with_call_timeout(mut self, call_timeout: Option<Duration>) -> Self {
        self.call_timeout = call_timeout;
        self
    }

    /// Whom calls go to, for messages.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// The nearest of all deadlines that bind this call.
    fn deadline(&self, request: &http::Request<Body>) -> Option<Deadline> {
        let header = request.headers().get(GRPC_TIMEOUT).and_then(|value| parse_timeout(value.as_bytes()));
        [
            request.extensions().get::<Deadline>().copied(),
            header.map(Deadline::after),
            Deadline::current(),
            self.call_timeout.map(Deadline::after),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

impl Service<http::Request<Body>> for Upstream {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Status>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        // Waiting for the connection belongs to the call, where the deadline bounds it.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let deadline = self.deadline(&request);
        if let Some(token) = &self.token {
            request.headers_mut().insert(http::header::AUTHORIZATION, token.clone());
        }
        let (transport, clock) = (self.transport.clone(), self.clock.clone());
        let method = request.uri().path().trim_start_matches('/').to_owned();
        Box::pin(async move {
            let Some(deadline) = deadline else {
                return transport.oneshot(request).await;
            };
            let remaining = deadline.remaining();
            if remaining.is_zero() {
                return Err(deadline_exceeded(&method));
            }
            if let Ok(value) = HeaderValue::try_from(format_timeout(remaining)) {
                request.headers_mut().insert(GRPC_TIMEOUT, value);
            }
            let response = tokio::select! {
                biased;
                response = transport.oneshot(request) => response?,
                () = clock.sleep(remaining) => return Err(deadline_exceeded(&method)),
            };
            Ok(response.map(|body| Body::new(GuardedBody::new(body, &method, Some(deadline), &clock, None))))
        })
    }
}
