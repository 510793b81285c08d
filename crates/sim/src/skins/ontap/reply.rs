//! Answers: what a call's act comes to, and how it looks on the wire.

use super::{
    Face,
    call::Call,
    jobs::JobRefusal,
    query::{Cut, Kind, list, select},
    refusal::Refusal,
};
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use std::time::Duration;

/// What an act does when its time has come; the answer is the record that it made, or null.
pub(super) type Act = Box<dyn FnOnce(&Face) -> Result<Value, Refusal> + Send>;

/// What a call comes to.
pub(super) enum Reply {
    /// A list.
    List(&'static Kind, Vec<Value>),
    /// One object.
    One(&'static Kind, Value),
    /// Done: 200 with this body.
    Done(Value),
    /// Bytes of a file, as a form of one part.
    Form(Vec<u8>),
    /// Made: 201. The kind, the record, and the address of its own in `Location`.
    Made(&'static Kind, Value),
    /// To be done as a job.
    Work(Work),
}

/// A change that ONTAP makes as a job.
pub(super) struct Work {
    /// Beyond what every job of the array takes.
    pub(super) extra_delay: Duration,
    /// Where a client finds what is made; for POST.
    pub(super) location: Option<String>,
    /// The kind of what is made.
    pub(super) kind: Option<&'static Kind>,
    pub(super) act: Act,
}

impl Work {
    /// A change without a new object.
    pub(super) fn changing(act: impl FnOnce(&Face) -> Result<(), Refusal> + Send + 'static) -> Reply {
        let act: Act = Box::new(move |face| act(face).map(|()| Value::Null));
        Reply::Work(Work { extra_delay: Duration::ZERO, location: None, kind: None, act })
    }

    /// Makes an object that is found by its name: `/api/storage/volumes/?name=x`.
    pub(super) fn making(
        kind: &'static Kind,
        collection: &str,
        name: &str,
        act: impl FnOnce(&Face) -> Result<Value, Refusal> + Send + 'static,
    ) -> Reply {
        let location = format!("{collection}/?name={}", super::params::encode(name));
        Reply::Work(Work {
            extra_delay: Duration::ZERO,
            location: Some(location),
            kind: Some(kind),
            act: Box::new(act),
        })
    }
}

/// A body with ONTAP's headers.
pub(super) fn send(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, body.to_string()).into_response();
    for (name, value) in [
        ("content-type", "application/hal+json"),
        ("server", "libzapid-httpd"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-cache,no-store,must-revalidate"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The part is called `file`, as in what clients send.
fn form(bytes: &[u8]) -> Response {
    const BOUNDARY: &str = "----ontap-form-5d1a1f1e9a3f4f0e";
    let mut body = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n").into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    with_header(Response::new(Body::from(body)), header::CONTENT_TYPE, &kind)
}

fn with_header(mut response: Response, name: header::HeaderName, value: &str) -> Response {
    // What is no header value (a control character) cannot be in a percent-encoded address.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// 201 or 200 with the address of what was made.
fn made(call: &Call, kind: &'static Kind, record: &Value, job: Option<&Value>) -> Result<Response, Refusal> {
    let mut body = json!({});
    if call.params.flag("return_records")? == Some(true) {
        let mut shown = select(kind, record, Some("*"), &[], true)?;
        if call.with_links {
            shown["_links"] = kind.links(record);
        }
        body = json!({"num_records": 1, "records": [shown]});
    }
    if let Some(job) = job {
        body["job"] = job.clone();
    }
    Ok(with_header(send(201, &body), header::LOCATION, &kind.href_of(record)))
}

impl Reply {
    /// The answer on the wire; work is queued, and waited for as long as the caller asked.
    pub(super) async fn answer(self, call: &Call) -> Result<Response, Refusal> {
        match self {
            Reply::Done(body) => Ok(send(200, &body)),
            Reply::Form(bytes) => Ok(form(&bytes)),
            Reply::Made(kind, record) => made(call, kind, &record, None),
            Reply::One(kind, record) => {
                let mut shown = select(kind, &record, call.params.get("fields"), &[], true)?;
                if call.with_links {
                    shown["_links"] = kind.links(&record);
                }
                Ok(send(200, &shown))
            }
            Reply::List(kind, records) => {
                call.params.number("return_timeout", (0_u64, 120))?;
                let page_max = call.face.array()?.info()?.spec.behaviour.page_max;
                let empty_last_page = call.face.settings().empty_last_page;
                let cut = Cut { page_max, empty_last_page, with_links: call.with_links };
                let listing = list(kind, records, &call.params, &call.path, cut)?;
                let response = send(200, &listing.body);
                Ok(match listing.next {
                    Some(next) => with_header(response, header::LINK, &format!("<{next}>; rel=\"next\"")),
                    None => response,
                })
            }
            Reply::Work(work) => work.answer(call).await,
        }
    }
}

impl Work {
    async fn answer(self, call: &Call) -> Result<Response, Refusal> {
        let timeout = call.params.number("return_timeout", (0_u64, 120))?.unwrap_or(0);
        let face = &call.face;
        let behaviour = face.array()?.info()?.spec.behaviour;
        let usual = Duration::from_millis(behaviour.job_delay_ms) + self.extra_delay;
        let delay = call.later.unwrap_or(usual);
        let act: Act = if face.settings().early_checks && call.later.is_none() {
            let done = (self.act)(face)?;
            Box::new(move |_| Ok(done))
        } else {
            self.act
        };
        let id = face.queue(call, delay, act)?;
        let href = format!("/api/cluster/jobs/{id}");
        // The job's address is sent whatever the client accepts: clients depend on it.
        let job = json!({"uuid": id, "_links": {"self": {"href": href}}});
        let timeout = Duration::from_secs(timeout);
        if !timeout.is_zero() {
            if !delay.is_zero() {
                face.world.clock().sleep(delay.min(timeout)).await;
            }
            match face.outcome(id)? {
                Some(Ok(record)) => {
                    return match self.kind {
                        Some(kind) if !record.is_null() => made(call, kind, &record, Some(&job)),
                        _ => Ok(send(200, &json!({"job": job}))),
                    };
                }
                Some(Err(refusal)) => return Err(refusal),
                None => {}
            }
        }
        let response = send(202, &json!({"job": job}));
        Ok(match self.location {
            Some(location) => with_header(response, header::LOCATION, &location),
            None => response,
        })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let response = send(self.status, &json!({"error": self.shown()}));
        match self.status {
            429 | 503 => with_header(response, header::RETRY_AFTER, "1"),
            401 => with_header(response, header::WWW_AUTHENTICATE, "Basic realm=\"ONTAP\""),
            _ => response,
        }
    }
}

/// A refusal that a fault rule asked for. With status 202 the call is taken and its job fails with the code.
pub(super) fn injected(status: u16, code: &str, message: &str) -> Response {
    let refusal = Refusal::new(status, code, message);
    if status == 202 {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(JobRefusal(refusal));
        return response;
    }
    refusal.into_response()
}
