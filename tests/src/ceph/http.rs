//! A client between the driver and the real dashboard, which hurts on demand.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response, header};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use strata_kit::http::{HttpClient, HttpError, SharedHttp};

/// Passes everything on, but for what it was told.
#[derive(Debug)]
pub struct Hurt {
    inner: SharedHttp,
    losses: Mutex<Vec<Loss>>,
    before: Mutex<Vec<Before>>,
    ends_session: AtomicBool,
}

#[derive(Debug)]
struct Loss {
    method: Method,
    is_hit: fn(&str) -> bool,
    times: u64,
}

/// What is done before a call, once.
struct Before {
    method: Method,
    is_hit: fn(&str) -> bool,
    act: Box<dyn FnOnce() + Send>,
}

impl std::fmt::Debug for Before {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Before({})", self.method)
    }
}

impl Hurt {
    /// Over the real client.
    pub fn new(inner: SharedHttp) -> Self {
        Self { inner, losses: Mutex::default(), before: Mutex::default(), ends_session: AtomicBool::new(false) }
    }

    /// Answers of such calls are lost after their effect, this many times.
    pub fn lose(&self, method: Method, is_hit: fn(&str) -> bool, times: u64) {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner).push(Loss { method, is_hit, times });
    }

    /// Does this once, just before the next such call is sent.
    pub fn before(&self, method: Method, is_hit: fn(&str) -> bool, act: impl FnOnce() + Send + 'static) {
        let before = Before { method, is_hit, act: Box::new(act) };
        self.before.lock().unwrap_or_else(PoisonError::into_inner).push(before);
    }

    fn act_before(&self, method: &Method, path: &str) {
        let mut all = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(index) = all.iter().position(|it| it.method == *method && (it.is_hit)(path)) else { return };
        let before = all.remove(index);
        drop(all);
        (before.act)();
    }

    /// The session of the next call is logged out before it.
    pub fn end_session(&self) {
        self.ends_session.store(true, Ordering::SeqCst);
    }

    fn is_lost(&self, method: &Method, path: &str) -> bool {
        let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        let hit = losses.iter_mut().find(|loss| loss.times > 0 && loss.method == *method && (loss.is_hit)(path));
        hit.map(|loss| loss.times -= 1).is_some()
    }

    async fn log_out(&self, request: &Request<Bytes>) -> Result<(), HttpError> {
        let uri = request.uri();
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let odd = |error: http::Error| HttpError::Broken { host: host.clone(), source: Box::new(error) };
        let mut logout = Request::post(format!("{}://{host}/api/auth/logout", uri.scheme_str().unwrap_or("https")))
            .header(header::ACCEPT, "application/vnd.ceph.api.v1.0+json")
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = request.headers().get(header::AUTHORIZATION) {
            logout = logout.header(header::AUTHORIZATION, token);
        }
        let answer = self.inner.send(logout.body(Bytes::from_static(b"{}")).map_err(odd)?).await?;
        if answer.status().is_success() {
            return Ok(());
        }
        let text = format!("the logout was answered with {}", answer.status());
        Err(HttpError::Broken { host, source: text.into() })
    }
}

#[async_trait]
impl HttpClient for Hurt {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let has_session = request.headers().contains_key(header::AUTHORIZATION);
        if has_session && self.ends_session.swap(false, Ordering::SeqCst) {
            self.log_out(&request).await?;
        }
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        self.act_before(&method, &path);
        let answer = self.inner.send(request).await?;
        if self.is_lost(&method, &path) {
            return Err(HttpError::Timeout { host });
        }
        Ok(answer)
    }
}
