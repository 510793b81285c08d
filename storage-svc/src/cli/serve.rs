//! `storage-svc serve`.

use super::{Output, load, storage_svc::StorageSvc};
use std::{net::SocketAddr, path::Path, sync::Arc};
use strata_kit::{
    clock::SystemClock,
    health::HealthHandle,
    http::{ReqwestClient, SharedHttp, TlsOptions},
    serve::ServeOptions,
    tls::ServerTls,
};
use tokio_util::sync::CancellationToken;

/// The real HTTP client, one a array.
pub(super) fn http(_array: &str, options: &TlsOptions) -> Result<SharedHttp, String> {
    Ok(Arc::new(ReqwestClient::new(options)?))
}

pub(super) async fn run(
    path: &Path,
    listen: Option<SocketAddr>,
    insecure: bool,
    output: &Output,
) -> anyhow::Result<()> {
    let config = load(path)?;
    let svc = StorageSvc::new(&config, &http, &SystemClock::shared())?;
    let mut options = ServeOptions::new(listen.unwrap_or(config.listen));
    options.insecure = insecure || config.insecure;
    options.tls = config.tls.map(|tls| ServerTls {
        cert_file: tls.cert_file,
        key_file: tls.key_file,
        client_ca_file: tls.client_ca_file,
    });
    let health = HealthHandle::new([super::storage_svc::SERVICE_NAME]);
    let routes = strata_kit::reflection::add(svc.routes(), &[strata_proto::DESCRIPTOR_SET])?;
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let running = strata_kit::serve::serve(options, routes, health.clone(), shutdown).await?;
    output.line(&format!("storage-svc listens on {}", running.local_addr()));
    // Ready at once: an array that does not answer is told by ListArrays and does not make the service unready.
    health.set_all_serving();
    tokio::spawn(async move {
        wait_for_signal().await;
        stop.cancel();
    });
    running.wait().await;
    Ok(())
}

async fn wait_for_signal() {
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    match terminate {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}
