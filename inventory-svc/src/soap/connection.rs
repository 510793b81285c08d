//! One vCenter's HTTP face: sends envelopes, keeps the cookie, tells answers from what proxies say.

use super::{Element, Fault, Request, reader, version};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use std::sync::{
    Mutex, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};
use strata_kit::http::{HttpError, SharedHttp};
use strata_model::ErrorKind;

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum SoapError {
    /// No whole answer came.
    #[error("no answer to {method}")]
    Http {
        /// The method that was called, or the path that was asked for.
        method: String,
        /// Why.
        #[source]
        source: HttpError,
    },
    /// The server refused or failed.
    #[error("{method} failed: {}", fault.describe())]
    Fault {
        /// The method that was called.
        method: String,
        /// What the server said.
        fault: Box<Fault>,
    },
    /// Something answered that is not the SDK: a proxy in front of a vCenter that restarts, an empty body.
    #[error("{method} was answered with HTTP {status}, which is no SOAP answer: {reason}")]
    NotSoap {
        /// The method that was called, or the path that was asked for.
        method: String,
        /// HTTP status.
        status: u16,
        /// What was wrong with it.
        reason: String,
    },
}

impl SoapError {
    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            SoapError::Http { source, .. } => source.kind(),
            SoapError::Fault { fault, .. } => fault.kind(),
            SoapError::NotSoap { status: 401, .. } => ErrorKind::Unauthenticated,
            SoapError::NotSoap { status: 403, .. } => ErrorKind::Forbidden,
            SoapError::NotSoap { status: 404, .. } => ErrorKind::NotFound,
            SoapError::NotSoap { status: 500..=599, .. } => ErrorKind::Unavailable,
            SoapError::NotSoap { .. } => ErrorKind::Unexpected,
        }
    }

    /// The fault, where it is one.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            SoapError::Fault { fault, .. } => Some(fault),
            _ => None,
        }
    }
}

/// See the module. Sends each call once: repeating is the session's business.
#[derive(Debug)]
pub struct Connection {
    http: SharedHttp,
    base_url: String,
    api_version: RwLock<String>,
    cookie: Mutex<Option<HeaderValue>>,
    calls: AtomicU64,
}

impl Connection {
    /// To `https://host[:port]`; a path such as `/sdk` at its end is taken off.
    pub fn new(http: SharedHttp, url: &str) -> Self {
        let base = url.trim_end_matches('/');
        let base = base.strip_suffix("/sdk").unwrap_or(base);
        Self {
            http,
            base_url: base.to_owned(),
            api_version: RwLock::new(version::OLDEST.to_owned()),
            cookie: Mutex::new(None),
            calls: AtomicU64::new(0),
        }
    }

    /// The address without `/sdk`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The version that is announced and therefore spoken by the server.
    pub fn api_version(&self) -> String {
        self.api_version.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the server for its versions and takes the best. A server that does not tell is spoken to in the oldest.
    ///
    /// # Errors
    /// No answer came.
    pub async fn negotiate(&self) -> Result<(), SoapError> {
        let answer = self.send(Method::GET, "/sdk/vimServiceVersions.xml", Bytes::new(), None).await?;
        let text = String::from_utf8_lossy(answer.body());
        let chosen = if answer.status().is_success() { version::choose(&text) } else { version::OLDEST.to_owned() };
        *self.api_version.write().unwrap_or_else(PoisonError::into_inner) = chosen;
        Ok(())
    }

    /// Sends one call and gives its answer's bytes, which hold no fault.
    ///
    /// # Errors
    /// No answer, a fault, or an answer that is no SOAP.
    pub async fn post(&self, request: &Request) -> Result<Bytes, SoapError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let envelope = request.envelope(&format!("strata-{number:x}"));
        let action = format!("\"urn:vim25/{}\"", self.api_version());
        let answer =
            self.send(Method::POST, "/sdk", envelope.into(), Some(&action)).await.map_err(|error| match error {
                SoapError::Http { source, .. } => SoapError::Http { method: request.method.to_owned(), source },
                other => other,
            })?;
        let not_soap = |reason: String| SoapError::NotSoap {
            method: request.method.to_owned(),
            status: answer.status().as_u16(),
            reason,
        };
        match answer.status() {
            StatusCode::OK if answer.body().is_empty() => Err(not_soap("the body is empty".to_owned())),
            StatusCode::OK => Ok(answer.into_body()),
            StatusCode::INTERNAL_SERVER_ERROR => match reader::read_values(answer.body()) {
                Err(reader::ReadError::Fault(fault)) => {
                    Err(SoapError::Fault { method: request.method.to_owned(), fault })
                }
                Err(error) => Err(not_soap(error.to_string())),
                Ok(_) => Err(not_soap("an error without a fault".to_owned())),
            },
            _ => Err(not_soap("not the status of a SOAP answer".to_owned())),
        }
    }

    /// All `returnval`s of a call.
    ///
    /// # Errors
    /// As [`Connection::post`].
    pub async fn call(&self, request: &Request) -> Result<Vec<Element>, SoapError> {
        let body = self.post(request).await?;
        reader::read_values(&body).map_err(|error| read_failed(request.method, error))
    }

    /// Sends any request with our cookie, and takes in a new one.
    ///
    /// # Errors
    /// No whole answer came.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        soap_action: Option<&str>,
    ) -> Result<http::Response<Bytes>, SoapError> {
        let bad_url = |error: http::Error| SoapError::NotSoap {
            method: path.to_owned(),
            status: 0,
            reason: format!("'{}' is no usable address: {error}", self.base_url),
        };
        let mut request = http::Request::builder().method(method).uri(format!("{}{path}", self.base_url));
        if let Some(action) = soap_action {
            request = request.header(header::CONTENT_TYPE, "text/xml; charset=utf-8").header("SOAPAction", action);
        }
        if let Some(cookie) = self.cookie() {
            request = request.header(header::COOKIE, cookie);
        }
        let request = request.body(body).map_err(bad_url)?;
        let answer =
            self.http.send(request).await.map_err(|source| SoapError::Http { method: path.to_owned(), source })?;
        self.take_cookie(answer.headers());
        Ok(answer)
    }

    /// Forgets the session.
    pub fn forget_cookie(&self) {
        *self.cookie.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn cookie(&self) -> Option<HeaderValue> {
        self.cookie.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps `name=value` verbatim: vCenter quotes the value and wants the quotes back.
    fn take_cookie(&self, headers: &http::HeaderMap) {
        for value in headers.get_all(header::SET_COOKIE) {
            let pair = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
            if pair.starts_with(b"vmware_soap_session=")
                && let Ok(mut pair) = HeaderValue::from_bytes(pair)
            {
                pair.set_sensitive(true);
                *self.cookie.lock().unwrap_or_else(PoisonError::into_inner) = Some(pair);
            }
        }
    }
}

/// An answer that came whole and could not be read.
pub fn read_failed(method: &str, error: reader::ReadError) -> SoapError {
    match error {
        reader::ReadError::Fault(fault) => SoapError::Fault { method: method.to_owned(), fault },
        other => SoapError::NotSoap { method: method.to_owned(), status: 200, reason: other.to_string() },
    }
}
