//! HTTP as a client: one trait with a real and an in-process twin. reqwest appears nowhere else.

mod in_process;
mod reqwest_client;

pub use in_process::InProcess;
pub use reqwest_client::{ReqwestClient, ServerTrust, TlsOptions};

use async_trait::async_trait;
use bytes::Bytes;
use std::{fmt::Debug, sync::Arc};
use strata_model::ErrorKind;

/// Sends one request and reads the whole answer. Never retries, never follows redirects, keeps no cookies.
#[async_trait]
pub trait HttpClient: Debug + Send + Sync {
    /// Any HTTP status is an `Ok`; an error means that no whole answer came.
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError>;
}

/// How a client is handed around.
pub type SharedHttp = Arc<dyn HttpClient>;

/// No whole answer came.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection: nothing was sent, the effect did not happen.
    #[error("cannot connect to {host}")]
    Connect {
        /// Host and port that were asked.
        host: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server's certificate is not trusted.
    #[error("the certificate of {host} is not trusted: {reason}")]
    Certificate {
        /// Host and port that were asked.
        host: String,
        /// What the verifier said.
        reason: String,
    },
    /// No answer in time; the effect may have happened.
    #[error("{host} did not answer in time")]
    Timeout {
        /// Host and port that were asked.
        host: String,
    },
    /// The connection broke after the request may have been sent; the effect may have happened.
    #[error("the connection to {host} broke")]
    Broken {
        /// Host and port that were asked.
        host: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is larger than the client's limit.
    #[error("the answer of {host} is larger than {limit_bytes} bytes")]
    TooLarge {
        /// Host and port that were asked.
        host: String,
        /// The limit.
        limit_bytes: usize,
    },
}

impl HttpError {
    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            HttpError::Connect { .. } | HttpError::Broken { .. } => ErrorKind::Unavailable,
            HttpError::Certificate { .. } => ErrorKind::Unauthenticated,
            HttpError::Timeout { .. } => ErrorKind::Timeout,
            HttpError::TooLarge { .. } => ErrorKind::Exhausted,
        }
    }
}
