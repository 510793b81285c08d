//! `storage-svc serve`.

use super::{http, load};
use std::{net::SocketAddr, path::Path};
use strata_kit::{
    clock::SystemClock,
    program::{Output, Program},
    telemetry,
};
use strata_storage_svc::{SERVICE_NAME, StorageSvc, config::DEFAULT_LISTEN};

pub(super) async fn run(
    path: &Path,
    listen: Option<SocketAddr>,
    insecure: bool,
    output: &Output,
) -> anyhow::Result<()> {
    let loaded = load(path)?;
    let config = loaded.value;
    telemetry::init(&config.log, std::env::var(telemetry::LEVEL_VARIABLE).ok().as_deref())?;
    for warning in loaded.warnings {
        tracing::warn!("{warning}");
    }
    let clock = SystemClock::shared();
    let svc = StorageSvc::new(&config, &http, &clock)?;
    let mut options = config.server.options(DEFAULT_LISTEN, clock);
    options.listen = listen.unwrap_or(options.listen);
    options.insecure |= insecure;
    let reflection_off = config.server.reflection_off;
    let program =
        Program { name: "storage-svc", services: &[SERVICE_NAME], routes: svc.routes(), options, reflection_off };
    program.run(output).await.map_err(anyhow::Error::msg)
}
