//! `storage-svc health`: for containers and load balancers that run a command.

use super::load;
use std::{net::SocketAddr, path::Path};
use strata_kit::program::{Output, probe};
use strata_storage_svc::config::{DEFAULT_LISTEN, StorageConfig};

pub(super) async fn run(path: &Path, address: Option<SocketAddr>, output: &Output) -> anyhow::Result<()> {
    // With an address, a file is needed only for TLS.
    let config = if address.is_some() && !path.exists() { StorageConfig::default() } else { load(path)?.value };
    let asked = probe(&config.server, DEFAULT_LISTEN, address).await.map_err(anyhow::Error::msg)?;
    output.line(&format!("{asked} serves"));
    Ok(())
}
