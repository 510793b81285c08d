//! A network that loses one answer after the effect happened, and remembers what was asked.

use async_trait::async_trait;
use bytes::Bytes;
use std::sync::{Arc, Mutex};
use strata_kit::http::{HttpClient, HttpError, SharedHttp};

/// Methods that only look, log in, or make views.
const READS: &[&str] = &[
    "RetrieveServiceContent",
    "Login",
    "CurrentTime",
    "CreateContainerView",
    "DestroyView",
    "RetrievePropertiesEx",
    "ContinueRetrievePropertiesEx",
    "CreatePropertyCollector",
    "DestroyPropertyCollector",
    "CreateFilter",
    "WaitForUpdatesEx",
    "FindByUuid",
    "FindByDatastorePath",
    "SearchDatastoreSubFolders_Task",
    "QueryUnresolvedVmfsVolumes",
];

#[derive(Debug, Default)]
struct Log {
    /// Methods that change something, in their order.
    changes: Vec<String>,
    /// The answer to the change with this number is lost.
    lose: Option<usize>,
    lost: usize,
    /// The first answer to this method comes too late.
    late: Option<&'static str>,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Lossy {
    inner: SharedHttp,
    log: Arc<Mutex<Log>>,
}

impl Lossy {
    /// In front of a server; loses nothing yet.
    pub fn new(inner: SharedHttp) -> Self {
        Self { inner, log: Arc::default() }
    }

    /// Forgets what was asked, and loses the answer to the change with this number, counted from 0.
    pub fn lose(&self, number: usize) {
        *self.log.lock().expect("no panic") = Log { lose: Some(number), ..Log::default() };
    }

    /// Forgets what was asked; the first call of this method takes longer than a call may.
    pub fn be_late(&self, method: &'static str) {
        *self.log.lock().expect("no panic") = Log { late: Some(method), ..Log::default() };
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        *self.log.lock().expect("no panic") = Log::default();
    }

    /// How many answers were lost.
    pub fn lost(&self) -> usize {
        self.log.lock().expect("no panic").lost
    }

    /// Methods that changed something, in their order.
    pub fn changes(&self) -> Vec<String> {
        self.log.lock().expect("no panic").changes.clone()
    }

    /// Why the answer to this request does not arrive, where it does not.
    fn note(&self, request: &http::Request<Bytes>) -> Option<HttpError> {
        let body = String::from_utf8_lossy(request.body());
        let method = body.split("Body><").nth(1).and_then(|rest| rest.split(' ').next())?;
        if READS.contains(&method) {
            return None;
        }
        let mut log = self.log.lock().expect("no panic");
        let is_lost = log.lose == Some(log.changes.len());
        log.changes.push(method.to_owned());
        log.lost += usize::from(is_lost);
        if log.late.take_if(|late| *late == method).is_some() {
            return Some(HttpError::Timeout { host: "vc".to_owned() });
        }
        is_lost.then(|| HttpError::Broken { host: "vc".to_owned(), source: "the answer was lost".into() })
    }
}

#[async_trait]
impl HttpClient for Lossy {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let lost = if request.uri().path() == "/sdk" { self.note(&request) } else { None };
        let answer = self.inner.send(request).await?;
        lost.map_or(Ok(answer), Err)
    }
}
