//! `health`: for containers and load balancers that run a command.

use crate::{
    config::ServerSection,
    health::{self, ServingStatus},
    http::ServerTrust,
    status::report,
    upstream::{Upstream, UpstreamOptions},
};
use std::{net::SocketAddr, time::Duration};

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks a running service whether it is ready, and answers whom it asked. `listen` is where it listens unless told otherwise.
///
/// # Errors
/// It does not answer, or says that it does not serve.
pub async fn probe(
    server: &ServerSection,
    listen: SocketAddr,
    address: Option<SocketAddr>,
) -> Result<SocketAddr, String> {
    let mut address = address.or(server.listen).unwrap_or(listen);
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    let scheme = if server.tls.is_some() { "https" } else { "http" };
    let mut options = UpstreamOptions::new(format!("{scheme}://{address}"));
    options.call_timeout = Some(TIMEOUT);
    // The service's own certificate is the one that it must show.
    if let Some(tls) = &server.tls {
        options.trust = ServerTrust::CaFile(tls.cert_file.clone());
    }
    let upstream = Upstream::connect(&options).map_err(|error| report(&error))?;
    match health::check(&upstream, "").await {
        Ok(ServingStatus::Serving) => Ok(address),
        Ok(other) => Err(format!("{address} says {other:?}")),
        Err(status) => Err(format!("{address} did not answer: {}", status.message())),
    }
}
