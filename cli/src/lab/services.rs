//! The three services as libraries in this process, speaking gRPC to one another over sockets as they do anywhere.

use super::{
    facts::{Facts, ServiceFacts},
    fault,
    options::LabOptions,
};
use crate::failure::Failure;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};
use strata_gateway::{
    Gateway,
    ports::{Inventory, Ports, Storage},
};
use strata_inventory_svc::{
    InventorySvc,
    config::{InventoryConfig, VcenterConfig},
    footing::Footing,
};
use strata_kit::{
    clock::SharedClock,
    config::Secret,
    health::HealthHandle,
    http::{ReqwestClient, SharedHttp, TlsOptions},
    serve::{Running, ServeOptions, serve},
    upstream::{Upstream, UpstreamOptions},
};
use strata_model::ErrorKind;
use strata_storage_svc::{StorageSvc, config::StorageConfig};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// The services at work.
pub struct Services {
    gateway: Gateway,
    inventory: InventorySvc,
    keep_alive: tokio::task::JoinHandle<()>,
    running: Vec<(CancellationToken, Running)>,
}

impl Services {
    /// Starts inventory and storage, then the gateway over them, and writes down where they are.
    pub async fn start(
        facts: &mut Facts,
        options: &LabOptions,
        tables: &[Value],
        directory: &Path,
        clock: SharedClock,
        zone: TimeZone,
    ) -> Result<Self, Failure> {
        let mut running = Vec::new();
        let inventory = inventory(facts, options, &clock)?;
        let name = strata_inventory_svc::SERVICE_NAME;
        facts.inventory = start(inventory.routes(), &[name], &mut running).await?;
        let storage = storage(tables, &clock)?;
        let name = strata_storage_svc::SERVICE_NAME;
        facts.storage = start(storage.routes(), &[name], &mut running).await?;
        let ports = Ports {
            inventory: Inventory::new(connect(&facts.inventory)?),
            storage: Storage::new(connect(&facts.storage)?),
        };
        let gateway = strata_gateway::open::with_stores(&directory.join("gateway"), ports, clock.clone(), zone)
            .await
            .map_err(|error| fault("the gateway", error))?;
        let routes =
            strata_gateway::rest::add(gateway.api.routes(), clock).map_err(|error| fault("the gateway", error))?;
        facts.gateway = start(routes, &strata_gateway::api::SERVICE_NAMES, &mut running).await?;
        let kept = inventory.clone();
        let keep_alive = tokio::spawn(async move { kept.keep_alive().await });
        Ok(Self { gateway, inventory, keep_alive, running })
    }

    /// Drains in the order of callers before called, and logs out of the vCenters.
    pub async fn stop(self) {
        let mut running = self.running;
        while let Some((token, server)) = running.pop() {
            token.cancel();
            server.wait().await;
            // The gateway was started last; what it has under way needs the two others.
            if running.len() == 2 {
                self.gateway.drain().await;
            }
        }
        self.keep_alive.abort();
        self.inventory.log_out().await;
    }
}

fn http(_name: &str, options: &TlsOptions) -> Result<SharedHttp, String> {
    Ok(Arc::new(ReqwestClient::new(options)?))
}

fn inventory(facts: &Facts, options: &LabOptions, clock: &SharedClock) -> Result<InventorySvc, Failure> {
    let vcenters = facts.vcenters.iter().map(|vcenter| VcenterConfig {
        name: vcenter.name.clone(),
        url: vcenter.url.clone(),
        username: vcenter.username.clone(),
        password: Secret::new(vcenter.password.clone()),
        ca_file: vcenter.ca_file.clone(),
        thumbprint: options.vcenter.as_ref().and_then(|external| external.thumbprint.clone()),
        insecure: false,
        task_wait: None,
    });
    let config = InventoryConfig { server: Default::default(), log: Default::default(), vcenters: vcenters.collect() };
    let faults: Vec<String> = config.faults().iter().map(|fault| format!("{}: {}", fault.path, fault.reason)).collect();
    if !faults.is_empty() {
        let message = format!("the vCenter cannot be used: {}", faults.join("; "));
        return Err(Failure::new(ErrorKind::InvalidArgument, "VCENTER_NOT_USABLE", message));
    }
    // A simulated vCenter's VMs are nobody's footing; those of a real one may be ours.
    let footing = options.vcenter.as_ref().map(|_| Footing::of_this_machine()).unwrap_or_default();
    InventorySvc::on(&footing, &config, &http, clock).map_err(|error| fault("inventory-svc", error))
}

fn storage(tables: &[Value], clock: &SharedClock) -> Result<StorageSvc, Failure> {
    let config: StorageConfig =
        serde_json::from_value(json!({ "array": tables })).map_err(|error| fault("storage-svc", error))?;
    StorageSvc::new(&config, &http, clock).map_err(|error| fault("storage-svc", error))
}

async fn start(
    routes: Routes,
    names: &[&'static str],
    running: &mut Vec<(CancellationToken, Running)>,
) -> Result<ServiceFacts, Failure> {
    let health = HealthHandle::new(names.iter().copied());
    let routes = strata_kit::reflection::add_served(routes, &[strata_proto::DESCRIPTOR_SET], &health)
        .map_err(|error| fault("reflection", error))?;
    let token = CancellationToken::new();
    let server = serve(ServeOptions::loopback(), routes, health.clone(), token.clone())
        .await
        .map_err(|error| fault("a service", error))?;
    health.set_all_serving();
    let grpc = format!("http://{}", server.local_addr());
    running.push((token, server));
    Ok(ServiceFacts { grpc, ca_file: None })
}

fn connect(service: &ServiceFacts) -> Result<Upstream, Failure> {
    Upstream::connect(&UpstreamOptions::new(&service.grpc)).map_err(|error| fault("a service", error))
}
