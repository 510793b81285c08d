//! The sections that every service has: `[server]`, `[log]`, and one for each peer.

use super::{Secret, duration};
use crate::{
    clock::SharedClock,
    contract::ContractOptions,
    http::ServerTrust,
    serve::ServeOptions,
    tls::ServerTls,
    upstream::{ClientIdentity, UpstreamOptions},
};
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// `[server]`: how a service is served. What is left out has the value of [`ServeOptions::new`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerSection {
    /// Address and port.
    pub listen: Option<SocketAddr>,
    /// Certificate, key, and the CA of clients.
    pub tls: Option<ServerTls>,
    /// Allows to listen beyond loopback without TLS.
    pub insecure: bool,
    /// Time between NOT_SERVING and the closed listener.
    #[serde(with = "duration::optional")]
    pub lameduck: Option<Duration>,
    /// Time that calls under way get at a drain.
    #[serde(with = "duration::optional")]
    pub drain_timeout: Option<Duration>,
    /// Age at which connections are renewed.
    #[serde(with = "duration::optional")]
    pub connection_age_max: Option<Duration>,
    /// Longest deadline of a call.
    #[serde(with = "duration::optional")]
    pub deadline_max: Option<Duration>,
    /// Most calls under way.
    pub calls_max: Option<usize>,
    /// Switches server reflection off.
    pub reflection_off: bool,
}

impl ServerSection {
    /// What [`crate::serve::serve`] takes; `listen` where the section names no address.
    pub fn options(&self, listen: SocketAddr, clock: SharedClock) -> ServeOptions {
        let production = ServeOptions::new(self.listen.unwrap_or(listen));
        ServeOptions {
            tls: self.tls.clone(),
            insecure: self.insecure,
            lameduck: self.lameduck.unwrap_or(production.lameduck),
            drain_timeout: self.drain_timeout.unwrap_or(production.drain_timeout),
            connection_age_max: self.connection_age_max.or(production.connection_age_max),
            contract: ContractOptions { deadline_max: self.deadline_max, calls_max: self.calls_max, clock },
            ..production
        }
    }
}

/// A peer that is called over gRPC: `[inventory]`, `[storage]` of the gateway.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerSection {
    /// `https://host:port`, or `http://127.0.0.1:port`.
    pub url: String,
    /// PEM: trust only these CAs.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// SHA-256: trust only this certificate.
    #[serde(default)]
    pub thumbprint: Option<String>,
    /// Name in the certificate, where it is not the URL's host.
    #[serde(default)]
    pub server_name: Option<String>,
    /// The client's own certificate.
    #[serde(default)]
    pub identity: Option<ClientIdentity>,
    /// Bearer token: `token_file` or `token_env`.
    #[serde(default)]
    pub token: Option<Secret>,
    /// Allows http beyond loopback.
    #[serde(default)]
    pub insecure: bool,
    /// Bound of calls that have no nearer deadline.
    #[serde(default, with = "duration::optional")]
    pub call_timeout: Option<Duration>,
}

impl PeerSection {
    /// What [`crate::upstream::Upstream::connect`] takes. A thumbprint goes before a CA file.
    pub fn options(&self, clock: SharedClock) -> UpstreamOptions {
        let trust = match (&self.thumbprint, &self.ca_file) {
            (Some(text), _) => ServerTrust::Thumbprint(text.clone()),
            (None, Some(path)) => ServerTrust::CaFile(path.clone()),
            (None, None) => ServerTrust::SystemRoots,
        };
        UpstreamOptions {
            trust,
            server_name: self.server_name.clone(),
            identity: self.identity.clone(),
            token: self.token.as_ref().map(|token| token.inner().clone()),
            insecure: self.insecure,
            call_timeout: self.call_timeout,
            clock,
            ..UpstreamOptions::new(&self.url)
        }
    }
}

/// `[log]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    /// A level (`info`) or filters (`info,strata_gateway=debug`); `STRATA_LOG` goes before it.
    pub level: Option<String>,
    /// How lines look.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// Plain text where stderr is a terminal, else JSON.
    Auto,
}
