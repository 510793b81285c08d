//! A request that can be sent a second time, where its body is small and all there.

use bytes::{Bytes, BytesMut};
use futures::{FutureExt as _, StreamExt as _};
use http_body::Frame;
use http_body_util::{BodyExt as _, BodyStream, Full, StreamBody};
use tonic::{Status, body::Body};

/// Larger bodies are not kept for a second time.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// See the module.
pub(super) struct Replay;

impl Replay {
    /// The request to send, and its copy if the whole body was at hand (that of a unary call always is). A stream's body is
    /// neither awaited nor copied.
    pub(super) async fn split(request: http::Request<Body>) -> (http::Request<Body>, Option<http::Request<Body>>) {
        let (parts, mut body) = request.into_parts();
        let mut kept = BytesMut::new();
        loop {
            let next = std::future::poll_fn(|cx| std::task::Poll::Ready(body.frame().poll_unpin(cx))).await;
            match next {
                std::task::Poll::Ready(None) => {
                    let bytes = kept.freeze();
                    let copy = http::Request::from_parts(parts.clone(), full(bytes.clone()));
                    return (http::Request::from_parts(parts, full(bytes)), Some(copy));
                }
                std::task::Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        kept.extend_from_slice(&data);
                        if kept.len() > KEPT_BYTES_MAX {
                            return (http::Request::from_parts(parts, chained(kept.freeze(), None, body)), None);
                        }
                    }
                    Err(other) => {
                        let body = chained(kept.freeze(), Some(Ok(other)), body);
                        return (http::Request::from_parts(parts, body), None);
                    }
                },
                std::task::Poll::Ready(Some(Err(status))) => {
                    let body = chained(kept.freeze(), Some(Err(status)), body);
                    return (http::Request::from_parts(parts, body), None);
                }
                std::task::Poll::Pending => {
                    return (http::Request::from_parts(parts, chained(kept.freeze(), None, body)), None);
                }
            }
        }
    }
}

fn full(bytes: Bytes) -> Body {
    Body::new(Full::new(bytes))
}

/// What was read already, then the frame that stopped the reading, then the rest.
fn chained(read: Bytes, stopper: Option<Result<Frame<Bytes>, Status>>, rest: Body) -> Body {
    let read = (!read.is_empty()).then(|| Ok(Frame::data(read)));
    let start = futures::stream::iter(read.into_iter().chain(stopper));
    Body::new(StreamBody::new(start.chain(BodyStream::new(rest))))
}
