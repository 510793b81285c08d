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
    /// Age at which connections are renewed; `"0s"`: never.
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
            connection_age_max: self.connection_age_max.or(production.connection_age_max).filter(|age| !age.is_zero()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::SystemClock, config::load_text};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Service {
        #[serde(default)]
        server: ServerSection,
        #[serde(default)]
        log: LogSection,
        storage: PeerSection,
    }

    fn read(text: &str) -> Service {
        load_text("test", text, []).unwrap().value
    }

    #[test]
    fn the_shortest_file_gives_the_values_for_production() {
        let service = read("storage.url = 'https://storage:7000'");
        let options = service.server.options("127.0.0.1:7001".parse().unwrap(), SystemClock::shared());
        let production = ServeOptions::new("127.0.0.1:7001".parse().unwrap());
        assert_eq!(options.listen, production.listen);
        assert_eq!(options.connection_age_max, production.connection_age_max);
        assert_eq!((options.lameduck, options.drain_timeout), (production.lameduck, production.drain_timeout));
        assert!(!options.insecure);
        assert_eq!(service.log.format, LogFormat::Json);
        assert_eq!(service.storage.options(SystemClock::shared()).trust, ServerTrust::SystemRoots);
    }

    #[test]
    fn every_value_arrives() {
        let service = read(
            "[server]
            listen = '[::1]:1'
            tls = { cert_file = 'c', key_file = 'k', client_ca_file = 'a' }
            lameduck = '1s'
            drain_timeout = '1m'
            connection_age_max = '0s'
            deadline_max = '10m'
            calls_max = 9
            [storage]
            url = 'https://storage:7000'
            thumbprint = 'ab'
            call_timeout = '5s'
            identity = { cert_file = 'c', key_file = 'k' }",
        );
        let options = service.server.options("127.0.0.1:7001".parse().unwrap(), SystemClock::shared());
        assert_eq!(options.listen, "[::1]:1".parse().unwrap());
        assert_eq!((options.lameduck.as_secs(), options.drain_timeout.as_secs()), (1, 60));
        assert_eq!(options.connection_age_max, None);
        assert_eq!(options.contract.deadline_max, Some(Duration::from_secs(600)));
        assert_eq!(options.contract.calls_max, Some(9));
        assert!(options.tls.is_some_and(|tls| tls.client_ca_file.is_some()));
        let peer = service.storage.options(SystemClock::shared());
        assert_eq!(peer.trust, ServerTrust::Thumbprint("ab".to_owned()));
        assert_eq!(peer.call_timeout, Some(Duration::from_secs(5)));
        assert!(peer.identity.is_some());
    }
}
