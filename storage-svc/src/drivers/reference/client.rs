//! HTTP with the array: login and its renewal, paging, jobs, errors.

use super::{
    config::ReferenceConfig,
    error::{odd, refusal, transport},
    wire::{ErrorBody, Job, JobAnswer, JobState, Session, Snapshot, Snapshots, Volume, Volumes},
};
use crate::driver::{DriverError, Progress, Reason};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use strata_kit::{config::Secret, http::SharedHttp};
use strata_model::names::encode;

/// How long to wait before a job is asked for again.
pub(super) const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// One array's REST face.
#[derive(Debug)]
pub(super) struct Client {
    url: String,
    user: String,
    password: Secret,
    http: SharedHttp,
    token: tokio::sync::Mutex<Option<String>>,
}

/// How a change was answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Done.
    Done,
    /// The array does it later.
    Queued(String),
}

impl Client {
    pub(super) fn new(config: &ReferenceConfig, http: SharedHttp) -> Self {
        Self {
            url: config.url.trim_end_matches('/').to_owned(),
            user: config.user.clone(),
            password: config.password.clone(),
            http,
            token: tokio::sync::Mutex::default(),
        }
    }

    /// For messages.
    pub(super) fn name(&self) -> &str {
        &self.url
    }

    /// An object.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<T, DriverError> {
        let answer = self.send(&Method::GET, path, None, what).await?;
        serde_json::from_slice(answer.body()).map_err(|error| odd(self.name(), what, error))
    }

    /// The same; `None` where it is not there.
    pub(super) async fn find<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<Option<T>, DriverError> {
        match self.get(path, what).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.reason == Reason::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Bytes.
    pub(super) async fn bytes(&self, path: &str, what: &str) -> Result<Bytes, DriverError> {
        Ok(self.send(&Method::GET, path, None, what).await?.into_body())
    }

    /// A change.
    pub(super) async fn change(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        what: &str,
    ) -> Result<Change, DriverError> {
        let answer = self.send(&method, path, body.as_ref(), what).await?;
        if answer.status() != StatusCode::ACCEPTED {
            return Ok(Change::Done);
        }
        let job: JobAnswer = serde_json::from_slice(answer.body()).map_err(|error| odd(self.name(), what, error))?;
        Ok(Change::Queued(job.job.id))
    }

    /// All volumes that fit the query (`name=x`, or empty), every page.
    pub(super) async fn volumes(&self, query: &str) -> Result<Vec<Volume>, DriverError> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page: Volumes =
                self.get(&paged("/volumes", query, cursor.as_deref(), None), "list its volumes").await?;
            all.extend(page.volumes);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// All snapshots of a volume, oldest first, every page.
    pub(super) async fn snapshots(&self, volume: &str) -> Result<Vec<Snapshot>, DriverError> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let path = paged(&format!("/volumes/{volume}/snapshots"), "", cursor.as_deref(), None);
            let page: Snapshots = self.get(&path, "list a volume's snapshots").await?;
            all.extend(page.snapshots);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// The state of an earlier call's job; none where there is none, or the array no longer knows it.
    pub(super) async fn job_state(&self, resume: Option<&str>) -> Result<Option<JobState>, DriverError> {
        let Some(id) = resume else {
            return Ok(None);
        };
        let job = self.find::<Job>(&format!("/jobs/{}", encode(id)), "show a job").await?;
        Ok(job.map(|job| job.state))
    }

    /// Where an earlier call's job is: still queued (the same answer again), or over. A job that failed is the call's
    /// failure, but for a name that is taken: whoever repeats looks whether what stands there is what was wanted.
    pub(super) async fn settle<T>(&self, resume: Option<&str>) -> Result<Option<Progress<T>>, DriverError> {
        let Some(id) = resume else {
            return Ok(None);
        };
        let Some(job) = self.find::<Job>(&format!("/jobs/{}", encode(id)), "show a job").await? else {
            return Ok(None);
        };
        match (job.state, job.error) {
            (JobState::Queued, _) => Ok(Some(pending(id))),
            (JobState::Failed, Some(body)) => {
                let status = body.status.and_then(|status| StatusCode::from_u16(status).ok());
                let error = refusal(self.name(), "do it", status.unwrap_or(StatusCode::CONFLICT), body);
                if matches!(error.reason, Reason::TargetExists | Reason::NotFound) { Ok(None) } else { Err(error) }
            }
            _ => Ok(None),
        }
    }

    /// One call; a login that ended is renewed once.
    async fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        what: &str,
    ) -> Result<Response<Bytes>, DriverError> {
        let token = self.token(None).await?;
        let answer = self.exchange(method, path, body, Some(&token), what).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return self.accepted(answer, what);
        }
        let token = self.token(Some(&token)).await?;
        let answer = self.exchange(method, path, body, Some(&token), what).await?;
        self.accepted(answer, what)
    }

    fn accepted(&self, answer: Response<Bytes>, what: &str) -> Result<Response<Bytes>, DriverError> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        let text = String::from_utf8_lossy(answer.body()).chars().take(200).collect();
        let body = serde_json::from_slice(answer.body())
            .unwrap_or_else(|_| ErrorBody { message: text, ..ErrorBody::default() });
        Err(refusal(self.name(), what, answer.status(), body))
    }

    /// The session's token; a new one where there is none, or where `ended` is still the one that is known.
    async fn token(&self, ended: Option<&str>) -> Result<String, DriverError> {
        let mut token = self.token.lock().await;
        if let Some(known) = token.as_ref()
            && ended != Some(known.as_str())
        {
            return Ok(known.clone());
        }
        *token = None;
        let login = json!({"user": self.user, "password": self.password.expose()});
        let answer = self.exchange(&Method::POST, "/sessions", Some(&login), None, "log in").await?;
        let answer = self.accepted(answer, "log in")?;
        let session: Session =
            serde_json::from_slice(answer.body()).map_err(|error| odd(self.name(), "log in", error))?;
        *token = Some(session.token.clone());
        Ok(session.token)
    }

    async fn exchange(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        token: Option<&str>,
        what: &str,
    ) -> Result<Response<Bytes>, DriverError> {
        let mut request = Request::builder().method(method).uri(format!("{}/api/v1{path}", self.url));
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(bytes).map_err(|error| odd(self.name(), what, error))?;
        self.http.send(request).await.map_err(|error| transport(self.name(), what, error))
    }
}

/// The answer while a job runs.
pub(super) fn pending<T>(job: &str) -> Progress<T> {
    Progress::Pending { ask_again_after: ASK_AGAIN_AFTER, resume: job.to_owned(), percent: None }
}

/// A list's path with query, cursor and limit.
pub(super) fn paged(path: &str, query: &str, cursor: Option<&str>, limit: Option<usize>) -> String {
    let parts = [
        (!query.is_empty()).then(|| query.to_owned()),
        cursor.map(|cursor| format!("cursor={}", encode(cursor))),
        limit.map(|limit| format!("limit={limit}")),
    ];
    let query: Vec<String> = parts.into_iter().flatten().collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}
