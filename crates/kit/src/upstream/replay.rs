//! A request that can be sent a second time, where its body is small and all there.

use bytes::{Bytes, BytesMut};
use futures::{FutureExt as _, StreamExt as _};
use http_body::Frame;
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use std::task::Poll;
use tonic::{Status, body::Body};

/// Larger bodies are not kept for a second time.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// What a request was, to be sent as often as need be.
pub(super) struct Replay {
    parts: http::request::Parts,
    body: Bytes,
}

impl Replay {
    /// The request to send, and what is kept of it if its whole body was at hand (that of a unary call always is). A stream's
    /// body is neither awaited nor kept.
    pub(super) async fn split(request: http::Request<Body>) -> (http::Request<Body>, Option<Self>) {
        let (parts, mut body) = request.into_parts();
        let mut read = BytesMut::new();
        let stopper = loop {
            match std::future::poll_fn(|cx| Poll::Ready(body.frame().poll_unpin(cx))).await {
                Poll::Ready(None) => {
                    let kept = Self { parts, body: read.freeze() };
                    return (kept.request(), Some(kept));
                }
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        read.extend_from_slice(&data);
                        if read.len() > KEPT_BYTES_MAX {
                            break None;
                        }
                    }
                    Err(other) => break Some(Ok(other)),
                },
                Poll::Ready(Some(Err(status))) => break Some(Err(status)),
                Poll::Pending => break None,
            }
        };
        (http::Request::from_parts(parts, chained(read.freeze(), stopper, body)), None)
    }

    /// The request once more.
    pub(super) fn request(&self) -> http::Request<Body> {
        // As a stream, because a body of known length would add a content-length, which gRPC has not.
        http::Request::from_parts(self.parts.clone(), chained(self.body.clone(), None, Body::empty()))
    }
}

/// What was read already, then the frame that stopped the reading, then the rest.
fn chained(read: Bytes, stopper: Option<Result<Frame<Bytes>, Status>>, rest: Body) -> Body {
    let read = (!read.is_empty()).then(|| Ok(Frame::data(read)));
    let start = futures::stream::iter(read.into_iter().chain(stopper));
    Body::new(StreamBody::new(start.chain(BodyStream::new(rest))))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn text(body: Body) -> Result<Vec<u8>, Status> {
        body.collect().await.map(|all| all.to_bytes().to_vec())
    }

    fn streamed(frames: Vec<Result<Frame<Bytes>, Status>>, then_hang: bool) -> http::Request<Body> {
        let frames = futures::stream::iter(frames);
        let body = if then_hang {
            Body::new(StreamBody::new(frames.chain(futures::stream::pending())))
        } else {
            Body::new(StreamBody::new(frames))
        };
        http::Request::post("/a.B/C").header("x", "y").body(body).unwrap()
    }

    fn data(bytes: &'static [u8]) -> Result<Frame<Bytes>, Status> {
        Ok(Frame::data(Bytes::from_static(bytes)))
    }

    #[tokio::test]
    async fn a_whole_body_is_kept_and_sent_twice_alike() {
        let (first, kept) = Replay::split(streamed(vec![data(b"one "), data(b"two")], false)).await;
        let again = kept.unwrap().request();
        assert_eq!((again.uri(), again.headers()), (first.uri(), first.headers()));
        assert_eq!(http_body::Body::size_hint(first.body()).exact(), None, "no content-length");
        assert_eq!(text(first.into_body()).await.unwrap(), b"one two");
        assert_eq!(text(again.into_body()).await.unwrap(), b"one two");
    }

    #[tokio::test]
    async fn what_is_not_all_there_passes_unharmed_and_once() {
        let (mut first, kept) = Replay::split(streamed(vec![data(b"one"), data(b" two")], true)).await;
        assert!(kept.is_none(), "a stream");
        let frame = first.body_mut().frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "one two");

        let (first, kept) = Replay::split(streamed(vec![data(b"one"), Err(Status::aborted("x"))], false)).await;
        assert!(kept.is_none(), "an error");
        assert_eq!(text(first.into_body()).await.unwrap_err().code(), tonic::Code::Aborted);

        let large = Bytes::from(vec![7; KEPT_BYTES_MAX + 1]);
        let frames = vec![Ok(Frame::data(large.clone())), data(b"!")];
        let (first, kept) = Replay::split(streamed(frames, false)).await;
        assert!(kept.is_none(), "too large");
        assert_eq!(text(first.into_body()).await.unwrap(), [large.as_ref(), b"!"].concat());
    }
}
