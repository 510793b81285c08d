//! What a client is told.

use crate::{
    clock::{SharedClock, SystemClock},
    http::ServerTrust,
};
use secrecy::SecretString;
use std::{path::PathBuf, time::Duration};
use strata_model::ErrorKind;

/// How to reach a peer. [`UpstreamOptions::new`] has the values for production.
#[derive(Debug, Clone)]
pub struct UpstreamOptions {
    /// `https://host:port`, or `http://127.0.0.1:port`.
    pub url: String,
    /// Whom to trust, with https.
    pub trust: ServerTrust,
    /// The name that the server's certificate must hold, where it is not the URL's host.
    pub server_name: Option<String>,
    /// The client's own certificate (mTLS).
    pub identity: Option<ClientIdentity>,
    /// Sent as `authorization: Bearer`.
    pub token: Option<SecretString>,
    /// Allows http beyond loopback.
    pub insecure: bool,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Interval of pings, also while idle (gRFC A8 frowns on less than a minute).
    pub keepalive_interval: Duration,
    /// Longest wait for the answer to a ping.
    pub keepalive_timeout: Duration,
    /// Bound of each call that has no nearer deadline; streams too.
    pub call_timeout: Option<Duration>,
    /// What deadlines wait on.
    pub clock: SharedClock,
}

/// A client's certificate and key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientIdentity {
    /// PEM: the certificate, then its intermediates.
    pub cert_file: PathBuf,
    /// PEM: its key.
    pub key_file: PathBuf,
}

impl UpstreamOptions {
    /// The values for production at a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            trust: ServerTrust::SystemRoots,
            server_name: None,
            identity: None,
            token: None,
            insecure: false,
            connect_timeout: Duration::from_secs(10),
            keepalive_interval: Duration::from_secs(60),
            keepalive_timeout: Duration::from_secs(20),
            call_timeout: None,
            clock: SystemClock::shared(),
        }
    }
}

/// A client that cannot be set up. Failures of calls are statuses.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// No URL of ours.
    #[error("'{url}' is not of the form https://host:port (or http://127.0.0.1:port)")]
    Url {
        /// What was given.
        url: String,
    },
    /// Refused: everybody on the way could read and change the calls.
    #[error("refusing to send calls to {url} without TLS: use https, a loopback address, or --insecure")]
    Insecure {
        /// What was given.
        url: String,
    },
    /// A TLS file or thumbprint cannot be used.
    #[error("TLS to {url} cannot be set up: {reason}")]
    Tls {
        /// The peer.
        url: String,
        /// Which file, and what is wrong with it.
        reason: String,
    },
    /// The token holds a character that no header may hold. The token itself is not shown.
    #[error("the bearer token holds a line break or another character that no HTTP header may hold")]
    Token,
}

impl UpstreamError {
    /// Always a mistake in the configuration.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidArgument
    }
}
