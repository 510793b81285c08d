//! What the binary of every service does the same way: print, serve until a signal, answer whether a running one is ready.

use crate::{
    config::ServerSection,
    health::{HealthHandle, ServingStatus},
    http::ServerTrust,
    serve::{ServeOptions, serve},
    shutdown,
    upstream::{Upstream, UpstreamOptions},
};
use std::{net::SocketAddr, time::Duration};
use tonic::service::Routes;

/// Longest wait of `health` for an answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// The one place that prints: standard output for answers, standard error for failures.
#[derive(Debug, Default, Clone, Copy)]
pub struct Output;

impl Output {
    /// A line of the answer.
    #[expect(clippy::print_stdout, reason = "this is the printer that the ban points to")]
    pub fn line(&self, text: &str) {
        println!("{text}");
    }

    /// Why it failed.
    #[expect(clippy::print_stderr, reason = "this is the printer that the ban points to")]
    pub fn fail(&self, text: &str) {
        eprintln!("error: {text}");
    }
}

/// A service that is ready to be served.
pub struct Program {
    /// Name of the binary, for the line that says where it listens.
    pub name: &'static str,
    /// Full names of its gRPC services, for health.
    pub services: &'static [&'static str],
    /// What answers, without health and reflection.
    pub routes: Routes,
    /// Where and how.
    pub options: ServeOptions,
    /// Whether reflection is left out.
    pub reflection_off: bool,
}

impl Program {
    /// Serves until SIGTERM or SIGINT and the drain after it. Prints `NAME listens on ADDRESS` once it accepts calls.
    ///
    /// # Errors
    /// The address, TLS files or signal handlers; the text says which.
    pub async fn run(self, output: &Output) -> Result<(), String> {
        let health = HealthHandle::new(self.services.iter().copied());
        let sets: &[&[u8]] = &[strata_proto::DESCRIPTOR_SET];
        let routes = match self.reflection_off {
            true => self.routes,
            false => crate::reflection::add_served(self.routes, sets, &health)
                .map_err(|error| crate::status::report(&error))?,
        };
        let stop = shutdown::on_signal().map_err(|error| format!("signals cannot be handled: {error}"))?;
        let running =
            serve(self.options, routes, health.clone(), stop).await.map_err(|error| crate::status::report(&error))?;
        // Ready at once: a vCenter or array that does not answer is told by the calls that need it, and must not take the
        // service out of rotation.
        health.set_all_serving();
        output.line(&format!("{} listens on {}", self.name, running.local_addr()));
        running.wait().await;
        Ok(())
    }
}

/// Asks a running service whether it is ready; for containers and load balancers that run a command. Answers whom it asked.
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
    options.call_timeout = Some(PROBE_TIMEOUT);
    // The service's own certificate is the one that it must show.
    if let Some(tls) = &server.tls {
        options.trust = ServerTrust::CaFile(tls.cert_file.clone());
    }
    let upstream = Upstream::connect(&options).map_err(|error| crate::status::report(&error))?;
    match crate::health::check(&upstream, "").await {
        Ok(ServingStatus::Serving) => Ok(address),
        Ok(other) => Err(format!("{address} says {other:?}")),
        Err(status) => Err(format!("{address} did not answer: {}", status.message())),
    }
}
