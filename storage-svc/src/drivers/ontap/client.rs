//! HTTP with ONTAP: login, tunnel to an SVM, paging, errors. Every call carries its login; there is no session to renew.

use super::{
    config::{OntapConfig, Scope},
    error::{Refused, odd, refusal, transport},
    wire::{ErrorAnswer, ErrorBody, JobAnswer, Records},
};
use crate::driver::{DriverError, Reason};
use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use strata_kit::{config::Secret, http::SharedHttp};
use strata_model::names::encode;
use uuid::Uuid;

/// How long the array itself waits for a job before it answers with it, in seconds: most are done by then.
pub(super) const WAIT: &str = "return_timeout=3";
/// Records a page.
const PAGE_RECORDS: usize = 1000;
/// A list with more pages than this has no end.
const PAGES_MAX: usize = 10_000;

/// One cluster's or SVM's REST face.
#[derive(Debug)]
pub(super) struct Client {
    url: String,
    login: Login,
    /// Cluster scope with one SVM: what its objects are asked through.
    tunnel: Option<HeaderValue>,
    http: SharedHttp,
}

#[derive(Debug)]
enum Login {
    Basic(String, Secret),
    Token(Secret),
    Certificate,
}

/// How a change was answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Done.
    Done,
    /// The array does it later: the job's uuid.
    Queued(String),
}

impl Client {
    pub(super) fn new(config: &OntapConfig, http: SharedHttp) -> Self {
        let login = match (&config.user, &config.password, &config.token) {
            (Some(user), Some(password), _) => Login::Basic(user.clone(), password.clone()),
            (_, _, Some(token)) => Login::Token(token.clone()),
            _ => Login::Certificate,
        };
        let tunnel = config.svm.as_ref().filter(|_| config.scope == Scope::Cluster);
        Self {
            url: config.url.trim_end_matches('/').to_owned(),
            login,
            tunnel: tunnel.and_then(|svm| HeaderValue::from_str(svm).ok()),
            http,
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

    /// Every record of a list, all pages. `path` has its query, with `fields`.
    pub(super) async fn list<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<Vec<T>, DriverError> {
        let mut all = Vec::new();
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut path = format!("{path}{separator}max_records={PAGE_RECORDS}");
        for _ in 0..PAGES_MAX {
            let page: Records<T> = self.get(&path, what).await?;
            all.extend(page.records);
            // A page may be empty and yet not the last.
            let Some(next) = page.links.next else { return Ok(all) };
            path = below_api(&next.href).ok_or_else(|| odd(self.name(), what, format!("next page '{}'", next.href)))?;
        }
        Err(odd(self.name(), what, "a list without an end"))
    }

    /// Bytes, and their content type.
    pub(super) async fn bytes(&self, path: &str, what: &str) -> Result<Response<Bytes>, DriverError> {
        let request = self.request(&Method::GET, path, what)?.header(header::ACCEPT, "multipart/form-data");
        let request = request.body(Bytes::new()).map_err(|error| odd(self.name(), what, error))?;
        let answer = self.http.send(request).await.map_err(|error| transport(self.name(), what, error))?;
        self.accepted(answer, &Method::GET, path, what)
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
        let of_link = || job.job.links.own.as_ref().and_then(|link| link.href.rsplit('/').next()).unwrap_or_default();
        let id = if job.job.uuid.is_empty() { of_link() } else { &job.job.uuid };
        match Uuid::parse_str(id) {
            Ok(_) => Ok(Change::Queued(id.to_owned())),
            Err(error) => Err(odd(self.name(), what, error)),
        }
    }

    async fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        what: &str,
    ) -> Result<Response<Bytes>, DriverError> {
        let mut request = self.request(method, path, what)?.header(header::ACCEPT, "application/json");
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(bytes).map_err(|error| odd(self.name(), what, error))?;
        let answer = self.http.send(request).await.map_err(|error| transport(self.name(), what, error))?;
        self.accepted(answer, method, path, what)
    }

    fn request(&self, method: &Method, path: &str, what: &str) -> Result<http::request::Builder, DriverError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/api{path}", self.url))
            .header("X-Dot-Client-App", "strata");
        // What belongs to the cluster is asked of the cluster.
        if let Some(svm) = self.tunnel.as_ref().filter(|_| !path.starts_with("/cluster")) {
            request = request.header("X-Dot-SVM-Name", svm);
        }
        let authorization = match &self.login {
            Login::Basic(user, password) => {
                let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{}", password.expose()));
                Some(format!("Basic {pair}"))
            }
            Login::Token(token) => Some(format!("Bearer {}", token.expose())),
            Login::Certificate => None,
        };
        if let Some(text) = authorization {
            let mut value = HeaderValue::from_str(&text).map_err(|_| {
                // The value itself is not told.
                odd(self.name(), what, "the login holds characters that HTTP cannot carry")
            })?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        Ok(request)
    }

    fn accepted(
        &self,
        answer: Response<Bytes>,
        method: &Method,
        path: &str,
        what: &str,
    ) -> Result<Response<Bytes>, DriverError> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        let text: String = String::from_utf8_lossy(answer.body()).chars().take(200).collect();
        let body = serde_json::from_slice::<ErrorAnswer>(answer.body())
            .map(|answer| answer.error)
            .ok()
            .filter(|body| !body.code.is_empty() || !body.message.is_empty())
            .unwrap_or_else(|| ErrorBody { message: text, ..ErrorBody::default() });
        let after =
            answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let asked = Refused {
            array: self.name(),
            what,
            right: &right(method, path),
            status: Some(answer.status()),
            retry_after: after.map(Duration::from_secs),
        };
        Err(refusal(&asked, body))
    }
}

/// The path of a link, below `/api`; links may be relative or whole. Nothing else is followed.
fn below_api(href: &str) -> Option<String> {
    let at = href.find("/api/")?;
    Some(href[at + "/api".len()..].to_owned())
}

/// What a role must grant for a call: `create on /api/storage/volumes/*/snapshots`.
pub(super) fn right(method: &Method, path: &str) -> String {
    let verb = match *method {
        Method::POST => "create",
        Method::PATCH => "modify",
        Method::DELETE => "delete",
        _ => "readonly",
    };
    let path = path.split(['?']).next().unwrap_or_default();
    let mut parts: Vec<&str> = path.split('/').collect();
    // The role's path of an object is that of its list, and a list below an object has `*` for it.
    while parts.last().is_some_and(|part| is_id(part)) {
        parts.pop();
    }
    if let Some(files) = parts.iter().position(|part| *part == "files") {
        parts.truncate(files + 1);
    }
    let parts: Vec<&str> = parts.into_iter().map(|part| if is_id(part) { "*" } else { part }).collect();
    format!("{verb} on /api{}", parts.join("/"))
}

fn is_id(part: &str) -> bool {
    Uuid::parse_str(part).is_ok() || (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A value in a query, taken literally: `*`, `|` and the like mean themselves between quotes.
pub(super) fn literal(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':');
    if value.bytes().all(plain) { encode(value) } else { encode(&format!("\"{value}\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_nowhere_but_to_the_api() {
        let cases = [
            ("/api/storage/volumes?start.uuid=u&max_records=1", Some("/storage/volumes?start.uuid=u&max_records=1")),
            ("https://svm1.example/api/storage/volumes?start.uuid=u", Some("/storage/volumes?start.uuid=u")),
            ("https://elsewhere.example/x", None),
            ("", None),
        ];
        for (href, path) in cases {
            assert_eq!(below_api(href).as_deref(), path, "{href}");
        }
    }

    #[test]
    fn rights_are_named_as_roles_write_them() {
        let uuid = "7f1a2b3c-11aa-4bbb-8ccc-000000000001";
        let cases = [
            (Method::GET, "/storage/volumes?fields=name".to_owned(), "readonly on /api/storage/volumes"),
            (Method::PATCH, format!("/storage/volumes/{uuid}?x=1"), "modify on /api/storage/volumes"),
            (
                Method::POST,
                format!("/storage/volumes/{uuid}/snapshots?{WAIT}"),
                "create on /api/storage/volumes/*/snapshots",
            ),
            (
                Method::DELETE,
                format!("/storage/volumes/{uuid}/snapshots/{uuid}"),
                "delete on /api/storage/volumes/*/snapshots",
            ),
            (Method::POST, format!("/storage/volumes/{uuid}/files/a%2Fb"), "create on /api/storage/volumes/*/files"),
            (
                Method::DELETE,
                "/protocols/nfs/export-policies/12/rules/1".to_owned(),
                "delete on /api/protocols/nfs/export-policies/*/rules",
            ),
        ];
        for (method, path, expected) in cases {
            assert_eq!(right(&method, &path), expected, "{path}");
        }
    }

    #[test]
    fn literals() {
        for (value, text) in
            [("ds_1", "ds_1"), ("a*b", "%22a%2Ab%22"), ("/vol/a", "%2Fvol%2Fa"), ("a|b", "%22a%7Cb%22")]
        {
            assert_eq!(literal(value), text);
        }
    }
}
