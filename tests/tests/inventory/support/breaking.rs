//! A network that breaks when it is told to, with what is under way on it, and knows when vCenter last told of a change.

use async_trait::async_trait;
use bytes::Bytes;
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};
use strata_kit::http::{HttpClient, HttpError, SharedHttp};
use tokio::sync::watch;

/// See the module.
#[derive(Debug, Clone)]
pub struct Breaking {
    inner: SharedHttp,
    broken: watch::Sender<bool>,
    told: Arc<Mutex<Option<Instant>>>,
}

impl Breaking {
    /// In front of a server; whole.
    pub fn new(inner: SharedHttp) -> Self {
        Self { inner, broken: watch::Sender::new(false), told: Arc::default() }
    }

    /// Breaks it, or mends it.
    pub fn set_broken(&self, broken: bool) {
        self.broken.send_replace(broken);
    }

    /// When the last answer to WaitForUpdatesEx came.
    pub fn told(&self) -> Option<Instant> {
        *self.told.lock().expect("no panic")
    }
}

#[async_trait]
impl HttpClient for Breaking {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let is_wait = String::from_utf8_lossy(request.body()).contains("<WaitForUpdatesEx ");
        let mut broken = self.broken.subscribe();
        tokio::select! {
            biased;
            _ = broken.wait_for(|broken| *broken) => {
                let source = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                Err(HttpError::Broken { host: "vc".to_owned(), source: source.into() })
            }
            answer = self.inner.send(request) => {
                if is_wait {
                    *self.told.lock().expect("no panic") = Some(Instant::now());
                }
                answer
            }
        }
    }
}
