//! The transport over a socket, with the only retries that are always right.

use super::{ClientIdentity, UpstreamError, UpstreamOptions, replay::Replay};
use crate::{http::ServerTrust, status::StatusBuilder, tls};
use futures::future::BoxFuture;
use std::{
    error::Error,
    net::IpAddr,
    path::Path,
    sync::Arc,
    task::{Context, Poll},
};
use strata_model::ErrorKind;
use tonic::{
    Status,
    body::Body,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tower::{Service, ServiceExt as _};

/// A channel that connects when it is used.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    channel: Channel,
    url: Arc<str>,
}

impl Transport {
    pub(super) fn new(options: &UpstreamOptions) -> Result<Self, UpstreamError> {
        let url = options.url.clone();
        let wrong = || UpstreamError::Url { url: url.clone() };
        let endpoint = Endpoint::from_shared(options.url.clone()).map_err(|_| wrong())?;
        let host = endpoint.uri().host().ok_or_else(wrong)?.to_owned();
        let endpoint = endpoint
            .connect_timeout(options.connect_timeout)
            .http2_keep_alive_interval(options.keepalive_interval)
            .keep_alive_timeout(options.keepalive_timeout)
            .keep_alive_while_idle(true);
        let endpoint = match endpoint.uri().scheme_str() {
            Some("https") => with_tls(endpoint, options)?,
            Some("http") if options.insecure || is_loopback(&host) => endpoint,
            Some("http") => return Err(UpstreamError::Insecure { url }),
            _ => return Err(wrong()),
        };
        Ok(Self { channel: endpoint.connect_lazy(), url: url.into() })
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn with_tls(endpoint: Endpoint, options: &UpstreamOptions) -> Result<Endpoint, UpstreamError> {
    let fault = |reason: String| UpstreamError::Tls { url: options.url.clone(), reason };
    let read =
        |path: &Path| std::fs::read(path).map_err(|error| fault(format!("cannot read {}: {error}", path.display())));
    let mut config = ClientTlsConfig::new().timeout(options.connect_timeout);
    if let Some(name) = &options.server_name {
        config = config.domain_name(name);
    }
    if let Some(ClientIdentity { cert_file, key_file }) = &options.identity {
        config = config.identity(Identity::from_pem(read(cert_file)?, read(key_file)?));
    }
    let endpoint = match &options.trust {
        ServerTrust::SystemRoots => endpoint.tls_config(config.with_native_roots()),
        ServerTrust::CaFile(path) => {
            let pem = read(path)?;
            if !pem.windows(11).any(|window| window == b"CERTIFICATE") {
                return Err(fault(format!("CA file {} holds no certificate", path.display())));
            }
            endpoint.tls_config(config.ca_certificate(Certificate::from_pem(pem)))
        }
        ServerTrust::Thumbprint(text) => {
            endpoint.tls_config_with_verifier(config, tls::pinned_verifier(text).map_err(fault)?)
        }
    };
    endpoint.map_err(|error| fault(crate::status::report(&error)))
}

impl Service<http::Request<Body>> for Transport {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Status>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let (channel, url) = (self.channel.clone(), self.url.clone());
        Box::pin(async move {
            let (mut next, kept) = Replay::split(request).await;
            let (mut unsent, mut refused) = (0, 0);
            loop {
                let error = match channel.clone().oneshot(next).await {
                    Ok(response) => return Ok(response),
                    Err(error) => error,
                };
                let again = match fate(&error) {
                    Fate::Unsent => {
                        unsent += 1;
                        unsent <= UNSENT_MAX
                    }
                    Fate::Refused => {
                        refused += 1;
                        refused <= REFUSED_MAX
                    }
                    Fate::Unknown => false,
                };
                let Some(kept) = kept.as_ref().filter(|_| again) else {
                    return Err(explain(&url, &error));
                };
                tracing::debug!(peer = %url, "the peer is going away; sending the call once more");
                // Lets the channel notice that its connection is gone.
                tokio::task::yield_now().await;
                next = kept.request();
            }
        })
    }
}

/// A call that the peer refused is sent again once (gRFC A6, transparent retries).
const REFUSED_MAX: u32 = 1;

/// A call that never left this process may be sent again without limit; a small one ends a loop that no reconnect ends.
const UNSENT_MAX: u32 = 8;

/// How far a failed call came.
enum Fate {
    /// It was still queued here when the connection closed.
    Unsent,
    /// The peer said that it has not looked at it: a refused stream, or one beyond the last of a graceful GOAWAY.
    Refused,
    /// It may have been seen.
    Unknown,
}

fn fate(error: &(dyn Error + 'static)) -> Fate {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if inner.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled) {
            return Fate::Unsent;
        }
        if let Some(h2) = inner.downcast_ref::<h2::Error>() {
            return match h2.reason() {
                Some(h2::Reason::NO_ERROR) if h2.is_go_away() && h2.is_remote() => Fate::Refused,
                Some(h2::Reason::REFUSED_STREAM) if h2.is_remote() => Fate::Refused,
                _ => Fate::Unknown,
            };
        }
        cause = inner.source();
    }
    Fate::Unknown
}

/// A transport's error as a status that names the peer and the remedy.
fn explain(url: &str, error: &tonic::transport::Error) -> Status {
    if let Some(reason) = tls::certificate_fault(error) {
        let message = format!("the TLS of {url} is not trusted: {reason}");
        return StatusBuilder::new(ErrorKind::Unauthenticated, "PEER_CERTIFICATE", message)
            .metadata("peer", url)
            .build();
    }
    let message = format!("cannot reach {url}: {}", crate::status::report(error));
    StatusBuilder::new(ErrorKind::Unavailable, "PEER_UNREACHABLE", message)
        .metadata("peer", url)
        .hint("check that it runs, that the URL is right, and that http or https is what it speaks")
        .build()
}
