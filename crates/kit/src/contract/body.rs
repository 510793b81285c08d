//! A response body that ends at the deadline and holds what the call holds.

use super::{Deadline, deadline_exceeded};
use crate::clock::SharedClock;
use bytes::Bytes;
use futures::future::BoxFuture;
use http_body::{Frame, SizeHint};
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::OwnedSemaphorePermit;
use tonic::{Status, body::Body};

/// Passes frames on until the deadline; then sends trailers with DEADLINE_EXCEEDED and drops the inner body (T2).
pub struct GuardedBody {
    inner: Option<Body>,
    method: String,
    deadline: Option<BoxFuture<'static, ()>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl GuardedBody {
    /// `permit` is given back when the body ends or is dropped.
    pub fn new(
        inner: Body,
        method: &str,
        deadline: Option<Deadline>,
        clock: &SharedClock,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let deadline = deadline.map(|deadline| {
            let clock = clock.clone();
            let future: BoxFuture<'static, ()> = Box::pin(async move { clock.sleep(deadline.remaining()).await });
            future
        });
        Self { inner: Some(inner), method: method.to_owned(), deadline, _permit: permit }
    }
}

impl fmt::Debug for GuardedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedBody").field("method", &self.method).finish_non_exhaustive()
    }
}

impl http_body::Body for GuardedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(inner) = self.inner.as_mut() else {
            return Poll::Ready(None);
        };
        // What is ready is sent even at the deadline's very moment, but only while the deadline has not fired: a body that is
        // always ready would outrun it otherwise.
        let frame = Pin::new(inner).poll_frame(cx);
        if matches!(&frame, Poll::Ready(Some(Ok(frame))) if frame.is_trailers()) {
            return frame;
        }
        if let Some(deadline) = self.deadline.as_mut()
            && deadline.as_mut().poll(cx).is_ready()
        {
            self.inner = None;
            self.deadline = None;
            let mut trailers = http::HeaderMap::new();
            return match deadline_exceeded(&self.method).add_header(&mut trailers) {
                Ok(()) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
                Err(status) => Poll::Ready(Some(Err(status))),
            };
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
