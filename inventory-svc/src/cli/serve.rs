//! `inventory-svc serve`.

use super::{Output, load};
use std::{net::SocketAddr, path::Path, sync::Arc};
use strata_inventory_svc::{InventorySvc, SERVICE_NAME, config::DEFAULT_LISTEN};
use strata_kit::{
    clock::SystemClock,
    health::HealthHandle,
    http::{ReqwestClient, SharedHttp, TlsOptions},
    telemetry,
};

/// The real HTTP client, one a vCenter.
pub(super) fn http(_vcenter: &str, options: &TlsOptions) -> Result<SharedHttp, String> {
    Ok(Arc::new(ReqwestClient::new(options)?))
}

pub(super) async fn run(
    path: &Path,
    listen: Option<SocketAddr>,
    insecure: bool,
    output: &Output,
) -> anyhow::Result<()> {
    let loaded = load(path)?;
    let config = loaded.value;
    telemetry::init(&config.log, std::env::var(telemetry::LEVEL_VARIABLE).ok().as_deref())?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let clock = SystemClock::shared();
    let svc = InventorySvc::new(&config, &http, &clock).map_err(anyhow::Error::msg)?;
    let mut options = config.server.options(DEFAULT_LISTEN, clock);
    options.listen = listen.unwrap_or(options.listen);
    options.insecure |= insecure;
    let health = HealthHandle::new([SERVICE_NAME]);
    let routes = match config.server.reflection_off {
        true => svc.routes(),
        false => strata_kit::reflection::add(svc.routes(), &[strata_proto::DESCRIPTOR_SET])?,
    };
    let shutdown = strata_kit::shutdown::on_signal()?;
    let running = strata_kit::serve::serve(options, routes, health.clone(), shutdown).await?;
    output.line(&format!("inventory-svc listens on {}", running.local_addr()));
    // Ready at once: a vCenter that does not answer is told by ListVcenters and does not make the service unready.
    health.set_all_serving();
    let beside = svc.clone();
    let keeping = tokio::spawn(async move { beside.keep_alive().await });
    running.wait().await;
    keeping.abort();
    svc.log_out().await;
    Ok(())
}
