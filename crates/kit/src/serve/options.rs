//! What a server is told.

use crate::{contract::ContractOptions, tls::ServerTls, tls::TlsFilesError};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use strata_model::ErrorKind;

/// How to serve. [`ServeOptions::new`] has the values for production.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate and key; without them only loopback may be bound.
    pub tls: Option<ServerTls>,
    /// Allows a bind beyond loopback without TLS.
    pub insecure: bool,
    /// Most streams at once on one connection (T11).
    pub max_concurrent_streams: u32,
    /// Longest TLS handshake, and longest silence of a peer before its first request.
    pub handshake_timeout: Duration,
    /// How long health says NOT_SERVING before the listener closes.
    pub lameduck: Duration,
    /// How long calls under way may take after that.
    pub drain_timeout: Duration,
    /// Age at which a connection gets GOAWAY, with 10 % of jitter; `None`: never.
    pub connection_age_max: Option<Duration>,
    /// How long calls under way may take after the age's GOAWAY.
    pub connection_age_grace: Duration,
    /// Pings an idle peer at this interval, to notice one that is gone.
    pub keepalive_interval: Duration,
    /// Longest wait for the answer to a ping.
    pub keepalive_timeout: Duration,
    /// Deadlines and limits; its clock is the server's clock.
    pub contract: ContractOptions,
}

impl ServeOptions {
    /// The values for production at an address.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            insecure: false,
            max_concurrent_streams: 256,
            handshake_timeout: Duration::from_secs(30),
            lameduck: Duration::from_secs(3),
            drain_timeout: Duration::from_secs(30),
            connection_age_max: Some(Duration::from_secs(30 * 60)),
            connection_age_grace: Duration::from_secs(5 * 60),
            keepalive_interval: Duration::from_secs(60),
            keepalive_timeout: Duration::from_secs(20),
            contract: ContractOptions::default(),
        }
    }

    /// A free port of 127.0.0.1 and no lameduck: for tests and the lab.
    pub fn loopback() -> Self {
        Self { lameduck: Duration::ZERO, ..Self::new((Ipv4Addr::LOCALHOST, 0).into()) }
    }
}

/// A server that did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Refused: everybody on the network could read and send calls.
    #[error(
        "refusing to listen on {listen} without TLS: give tls.cert_file and tls.key_file, listen on 127.0.0.1, or pass --insecure"
    )]
    Insecure {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// A TLS file cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsFilesError),
    /// The address cannot be bound.
    #[error("cannot listen on {listen}")]
    Bind {
        /// The address asked for.
        listen: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl ServeError {
    /// What the operator can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            ServeError::Insecure { .. } => ErrorKind::InvalidArgument,
            ServeError::Tls(error) => error.kind(),
            ServeError::Bind { .. } => ErrorKind::Conflict,
        }
    }
}
