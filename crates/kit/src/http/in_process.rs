//! The in-process twin: requests go to a tower service in the same thread, without sockets.

use super::{HttpClient, HttpError};
use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use std::{fmt, sync::Arc};

type Handler =
    dyn Fn(http::Request<Bytes>) -> BoxFuture<'static, Result<http::Response<Bytes>, HttpError>> + Send + Sync;

/// Answers from a function. A simulator's axum router is wrapped by the caller, so that kit knows no simulator.
#[derive(Clone)]
pub struct InProcess {
    handler: Arc<Handler>,
}

impl InProcess {
    /// Every request goes to `handler`; what it returns is the answer.
    pub fn new<F>(handler: F) -> Self
    where
        F: Fn(http::Request<Bytes>) -> BoxFuture<'static, Result<http::Response<Bytes>, HttpError>>
            + Send
            + Sync
            + 'static,
    {
        Self { handler: Arc::new(handler) }
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

#[async_trait]
impl HttpClient for InProcess {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        (self.handler)(request).await
    }
}
