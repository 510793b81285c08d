//! The in-process transport.

use crate::contract::Stack;
use std::task::{Context, Poll};
use tonic::{Status, body::Body};
use tower::Service;

/// Calls a stack. Extensions stay behind, as they would on a wire.
#[derive(Debug, Clone)]
pub(super) struct Local {
    stack: Stack,
}

impl Local {
    pub(super) fn new(stack: Stack) -> Self {
        Self { stack }
    }
}

impl Service<http::Request<Body>> for Local {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = futures::future::BoxFuture<'static, Result<http::Response<Body>, Status>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.stack.poll_ready(cx).map_err(|never| match never {})
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        request.extensions_mut().clear();
        let answer = self.stack.call(request);
        Box::pin(async move { answer.await.map_err(|never| match never {}) })
    }
}
