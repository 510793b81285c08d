//! Rpcs with many answers: server-sent events where the caller takes them, else one line of JSON an answer (`{"result": ...}`, at a
//! failure `{"error": ...}`).
//!
//! What stands between may cut a connection that is silent, so that a stream says something every few seconds; and it ends by
//! itself after a while, so that what stands between needs no patience either: the caller asks again, after the last event it saw.

use super::answer::{dressed, error_json, json_of};
use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::stream::unfold;
use http::{HeaderMap, HeaderValue, header};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value};
use std::{convert::Infallible, time::Duration};
use strata_kit::clock::SharedClock;
use tonic::Streaming;

/// Longest silence.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Heartbeats after which a stream ends, where nothing else ends it: five minutes.
const HEARTBEATS_MAX: u32 = 30;
/// What a browser sends when it connects again.
const LAST_EVENT_ID: &str = "last-event-id";

/// True where the caller takes server-sent events.
pub fn takes_events(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts.flat_map(|value| value.split(',')).any(|kind| kind.trim().starts_with("text/event-stream"))
}

/// A browser that connects again says after which event; the request has a field for that.
pub fn resume(request: &mut DynamicMessage, headers: &HeaderMap) {
    let last = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if let Some(last) = last {
        // A request without the field goes on from its beginning.
        let _ = request.try_set_field_by_name("after_sequence", Value::U64(last));
    }
}

struct Flow {
    answers: Streaming<Bytes>,
    message: MessageDescriptor,
    pool: DescriptorPool,
    clock: SharedClock,
    events: bool,
    heartbeats: u32,
    ended: bool,
}

/// The answer that goes on.
pub fn flowing(
    answers: Streaming<Bytes>,
    message: MessageDescriptor,
    pool: DescriptorPool,
    clock: SharedClock,
    events: bool,
) -> Response {
    let flow = Flow { answers, message, pool, clock, events, heartbeats: 0, ended: false };
    let lines = unfold(flow, |mut flow| async move {
        let line = flow.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(line)), flow))
    });
    let mut response = dressed(Body::from_stream(lines).into_response());
    let kind = if events { "text/event-stream" } else { "application/x-ndjson" };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

impl Flow {
    async fn next(&mut self) -> Option<String> {
        if self.ended {
            return None;
        }
        let clock = self.clock.clone();
        tokio::select! {
            biased;
            answer = self.answers.message() => match answer {
                Ok(Some(bytes)) => {
                    self.heartbeats = 0;
                    Some(self.result(&bytes))
                }
                Ok(None) => None,
                Err(status) => {
                    self.ended = true;
                    let error = error_json(&self.pool, &status);
                    Some(if self.events { format!("event: error\ndata: {error}\n\n") } else { format!("{{\"error\":{error}}}\n") })
                }
            },
            () = clock.sleep(HEARTBEAT) => {
                self.heartbeats += 1;
                self.ended = self.heartbeats >= HEARTBEATS_MAX;
                // An empty line means nothing to a reader of lines, a comment nothing to one of events.
                Some(if self.events { ": alive\n\n".to_owned() } else { "\n".to_owned() })
            }
        }
    }

    fn result(&self, bytes: &[u8]) -> String {
        let json = json_of(&self.message, bytes).unwrap_or_else(|why| serde_json::json!({ "unreadable": why }));
        if !self.events {
            return format!("{{\"result\":{json}}}\n");
        }
        let sequence = json.get("sequence").and_then(|value| value.as_str()).unwrap_or_default();
        match sequence {
            "" => format!("data: {json}\n\n"),
            id => format!("id: {id}\ndata: {json}\n\n"),
        }
    }
}
