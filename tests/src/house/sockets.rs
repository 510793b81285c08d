//! The three services of an installation on sockets of 127.0.0.1, for software that nobody here wrote.

use super::House;
use std::net::SocketAddr;
use strata_kit::{
    clock::SystemClock,
    health::HealthHandle,
    serve::{Running, ServeOptions, serve},
};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// Where they listen. Dropping it stops them.
#[derive(Debug)]
pub struct Sockets {
    /// The gateway.
    pub gateway: SocketAddr,
    /// inventory-svc.
    pub inventory: SocketAddr,
    /// storage-svc.
    pub storage: SocketAddr,
    stop: CancellationToken,
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl House {
    /// Serves all three with health and reflection, as their binaries do.
    pub async fn serve(&self) -> anyhow::Result<Sockets> {
        let stop = CancellationToken::new();
        let routes =
            strata_gateway::rest::add(self.gateway.api.routes(), SystemClock::shared()).map_err(anyhow::Error::msg)?;
        let gateway = one(routes, &strata_gateway::api::SERVICE_NAMES, &stop).await?;
        let inventory = one(self.inventory_svc.routes(), &[strata_inventory_svc::SERVICE_NAME], &stop).await?;
        let storage = one(self.storage_svc.routes(), &[strata_storage_svc::SERVICE_NAME], &stop).await?;
        Ok(Sockets {
            gateway: gateway.local_addr(),
            inventory: inventory.local_addr(),
            storage: storage.local_addr(),
            stop,
        })
    }
}

async fn one(routes: Routes, names: &[&str], stop: &CancellationToken) -> anyhow::Result<Running> {
    let health = HealthHandle::new(names.iter().copied());
    let routes = strata_kit::reflection::add_served(routes, &[strata_proto::DESCRIPTOR_SET], &health)?;
    let running = serve(ServeOptions::loopback(), routes, health.clone(), stop.clone()).await?;
    health.set_all_serving();
    Ok(running)
}
