//! HTTP with the dashboard: login and its renewal, the version that each call must name, tasks, errors.

use super::{
    config::CephConfig,
    error::{odd, refusal, transport},
    wire::{ErrorBody, Session, Task, Tasks},
};
use crate::driver::{DriverError, Progress, Reason};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use strata_kit::{config::Secret, http::SharedHttp};
use strata_model::names::encode;

/// How long to wait before a task is asked for again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Rights, as scope and verb of the dashboard's roles.
pub(super) mod right {
    pub(in super::super) const READ: &str = "rbd-image read";
    pub(in super::super) const CREATE: &str = "rbd-image create";
    pub(in super::super) const UPDATE: &str = "rbd-image update";
    pub(in super::super) const DELETE: &str = "rbd-image delete";
    pub(in super::super) const POOL: &str = "pool read";
    pub(in super::super) const MONITOR: &str = "monitor read";
}

/// One call.
#[derive(Debug)]
pub(super) struct Call<'c> {
    pub(super) method: Method,
    /// Below `/api`.
    pub(super) path: &'c str,
    pub(super) body: Option<Value>,
    /// For people: what it is for.
    pub(super) what: &'c str,
    /// Which right it needs.
    pub(super) right: &'static str,
    /// The version of the endpoint; any other is refused with 415.
    pub(super) version: &'static str,
}

impl<'c> Call<'c> {
    pub(super) fn get(path: &'c str, what: &'c str, right: &'static str) -> Self {
        Self { method: Method::GET, path, body: None, what, right, version: "1.0" }
    }

    pub(super) fn change(method: Method, path: &'c str, body: Value, what: &'c str, right: &'static str) -> Self {
        Self { method, path, body: Some(body), what, right, version: "1.0" }
    }
}

/// How a change was answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Done.
    Done,
    /// The manager goes on with it; the text is what [`Client::task`] takes.
    Queued(String),
}

/// Where an earlier call's task is.
#[derive(Debug)]
pub(super) enum TaskState {
    Running,
    Done,
    /// With the failure that only the task knows.
    Failed(DriverError),
    /// Forgotten: the manager keeps a task for a minute, and another manager never knew it.
    Unknown,
}

/// One cluster's dashboard.
#[derive(Debug)]
pub(super) struct Client {
    url: String,
    user: String,
    password: Secret,
    http: SharedHttp,
    token: tokio::sync::Mutex<Option<Secret>>,
}

impl Client {
    pub(super) fn new(config: &CephConfig, http: SharedHttp) -> Self {
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

    /// For messages.
    pub(super) fn user(&self) -> &str {
        &self.user
    }

    /// An object.
    pub(super) async fn read<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, DriverError> {
        self.read_with_total(call).await.map(|(found, _)| found)
    }

    /// A part of a list, and how long the whole list is.
    pub(super) async fn read_with_total<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
    ) -> Result<(T, Option<usize>), DriverError> {
        let answer = self.send(&call).await?;
        let total = answer.headers().get("x-total-count");
        let total = total.and_then(|total| total.to_str().ok()?.parse().ok());
        let found = serde_json::from_slice(answer.body()).map_err(|error| odd(self.name(), call.what, error))?;
        Ok((found, total))
    }

    /// A change. The manager answers after two to five seconds at the latest, and then goes on by itself.
    pub(super) async fn change(&self, call: Call<'_>) -> Result<Change, DriverError> {
        let answer = self.send(&call).await?;
        if answer.status() != StatusCode::ACCEPTED {
            return Ok(Change::Done);
        }
        let task: Task = serde_json::from_slice(answer.body()).map_err(|error| odd(self.name(), call.what, error))?;
        Ok(Change::Queued(json!({"name": task.name, "metadata": task.metadata}).to_string()))
    }

    /// Where an earlier call's task is. Two tasks of one name and metadata are the same work; of several that ended the
    /// newest counts.
    pub(super) async fn task(&self, resume: &str) -> Result<TaskState, DriverError> {
        let Ok(wanted) = serde_json::from_str::<Task>(resume) else {
            return Ok(TaskState::Unknown);
        };
        let path = format!("/task?name={}", encode(&wanted.name));
        let tasks: Tasks = self.read(Call::get(&path, "show its tasks", right::READ)).await?;
        let is_it = |task: &&Task| task.name == wanted.name && task.metadata == wanted.metadata;
        if tasks.executing_tasks.iter().any(|task| is_it(&task)) {
            return Ok(TaskState::Running);
        }
        Ok(match tasks.finished_tasks.iter().find(is_it) {
            None => TaskState::Unknown,
            Some(task) if task.success == Some(true) => TaskState::Done,
            Some(task) => {
                let body = task.exception.clone().and_then(|told| serde_json::from_value(told).ok());
                let body: ErrorBody = body.unwrap_or_default();
                let what = format!("do {}", task.name);
                TaskState::Failed(refusal(self.name(), &what, "", StatusCode::BAD_REQUEST, &body))
            }
        })
    }

    /// For calls whose effect can be looked for: still running (the same answer again), or over. A task that failed is the
    /// call's failure, but for what is there or gone already: whoever repeats looks at it.
    pub(super) async fn settle<T>(&self, resume: Option<&str>) -> Result<Option<Progress<T>>, DriverError> {
        let Some(resume) = resume else {
            return Ok(None);
        };
        match self.task(resume).await? {
            TaskState::Running => Ok(Some(pending(resume))),
            TaskState::Failed(error) if !matches!(error.reason, Reason::TargetExists | Reason::NotFound) => Err(error),
            _ => Ok(None),
        }
    }

    /// Logs in anew and tells which rights the user has, by scope.
    pub(super) async fn rights(&self) -> Result<BTreeMap<String, Vec<String>>, DriverError> {
        let session = self.log_in().await?;
        *self.token.lock().await = Some(Secret::new(session.token));
        Ok(session.permissions)
    }

    /// One call; a login that ended is renewed once.
    async fn send(&self, call: &Call<'_>) -> Result<Response<Bytes>, DriverError> {
        let token = self.token(None).await?;
        let answer = self.exchange(call, Some(&token)).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return self.accepted(answer, call);
        }
        let token = self.token(Some(&token)).await?;
        let answer = self.exchange(call, Some(&token)).await?;
        self.accepted(answer, call)
    }

    fn accepted(&self, answer: Response<Bytes>, call: &Call<'_>) -> Result<Response<Bytes>, DriverError> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        let text = String::from_utf8_lossy(answer.body()).chars().take(200).collect();
        let body = serde_json::from_slice(answer.body())
            .unwrap_or_else(|_| ErrorBody { detail: text, ..ErrorBody::default() });
        Err(refusal(self.name(), call.what, call.right, answer.status(), &body))
    }

    /// The session's token; a new one where there is none, or where `ended` is still the one that is known.
    async fn token(&self, ended: Option<&Secret>) -> Result<Secret, DriverError> {
        let mut token = self.token.lock().await;
        if let Some(known) = token.as_ref()
            && ended.is_none_or(|ended| ended.expose() != known.expose())
        {
            return Ok(known.clone());
        }
        *token = None;
        let new = Secret::new(self.log_in().await?.token);
        *token = Some(new.clone());
        Ok(new)
    }

    /// Never repeated: after ten wrong passwords in a row the dashboard locks the user.
    async fn log_in(&self) -> Result<Session, DriverError> {
        let body = json!({"username": self.user, "password": self.password.expose()});
        let call = Call::change(Method::POST, "/auth", body, "log in", "");
        let answer = self.exchange(&call, None).await?;
        let answer = self.accepted(answer, &call)?;
        // The error is not passed on: serde's text may hold what it read.
        let session: Session = serde_json::from_slice(answer.body()).map_err(|_| {
            DriverError::new(Reason::Unexpected, format!("array {} answered a login without a token", self.name()))
        })?;
        if session.password_update_required {
            return Err(DriverError::new(
                Reason::CredentialsRefused,
                format!("array {} wants user '{}' to change the password first", self.name(), self.user),
            ));
        }
        Ok(session)
    }

    async fn exchange(&self, call: &Call<'_>, token: Option<&Secret>) -> Result<Response<Bytes>, DriverError> {
        let mut request = Request::builder()
            .method(&call.method)
            .uri(format!("{}/api{}", self.url, call.path))
            .header(header::ACCEPT, format!("application/vnd.ceph.api.v{}+json", call.version));
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        if call.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let bytes = call.body.as_ref().map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(bytes).map_err(|error| odd(self.name(), call.what, error))?;
        self.http.send(request).await.map_err(|error| transport(self.name(), call.what, error))
    }
}

/// The answer while a task runs.
pub(super) fn pending<T>(resume: &str) -> Progress<T> {
    Progress::Pending { ask_again_after: ASK_AGAIN_AFTER, resume: resume.to_owned(), percent: None }
}
