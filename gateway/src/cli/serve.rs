//! `gateway serve`.

use super::{Output, load};
use std::{net::SocketAddr, path::Path, time::Duration};
use strata_gateway::api::SERVICE_NAMES;
use strata_kit::{clock::SystemClock, health::HealthHandle, serve::ServeOptions};
use tokio_util::sync::CancellationToken;

pub(super) async fn run(
    path: &Path,
    listen: Option<SocketAddr>,
    insecure: bool,
    output: &Output,
) -> anyhow::Result<()> {
    let config = load(path)?;
    let mut options = ServeOptions::new(listen.unwrap_or(config.listen));
    options.insecure = insecure || config.insecure;
    options.tls.clone_from(&config.tls);
    options.lameduck = Duration::from_secs(config.lameduck_s);
    options.drain_timeout = Duration::from_secs(config.drain_s);
    let gateway = strata_gateway::open::open(&config, SystemClock::shared()).await.map_err(anyhow::Error::msg)?;
    let health = HealthHandle::new(SERVICE_NAMES);
    let routes = strata_kit::reflection::add(gateway.api.routes(), &[strata_proto::DESCRIPTOR_SET])?;
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let running = strata_kit::serve::serve(options, routes, health.clone(), shutdown).await?;
    output.line(&format!("gateway listens on {}", running.local_addr()));
    // Recovery is done and the stores are open; a vCenter or array that does not answer is told by the calls that need it.
    health.set_all_serving();
    tokio::spawn(async move {
        wait_for_signal().await;
        stop.cancel();
    });
    running.wait().await;
    gateway.drain().await;
    Ok(())
}

async fn wait_for_signal() {
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}
