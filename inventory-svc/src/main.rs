//! inventory-svc: serves inventory.v1, or checks its configuration or its health.

use async_trait::async_trait;
use std::{process::ExitCode, sync::Arc};
use strata_inventory_svc::{
    InventorySvc, SERVICE_NAME,
    config::{DEFAULT_LISTEN, InventoryConfig},
    footing::Footing,
};
use strata_kit::{
    clock::SharedClock,
    config::{Fault, LogSection, ServerSection},
    http::{ReqwestClient, SharedHttp, TlsOptions},
    program::{self, Binary, Output, Service},
    status::report,
};
use tokio::task::JoinHandle;
use tonic::service::Routes;

struct Program {
    svc: InventorySvc,
    keeping_alive: JoinHandle<()>,
}

/// The real HTTP client, one a vCenter.
fn http(_vcenter: &str, options: &TlsOptions) -> Result<SharedHttp, String> {
    Ok(Arc::new(ReqwestClient::new(options)?))
}

#[async_trait]
impl Service for Program {
    type Config = InventoryConfig;

    const BINARY: Binary = Binary {
        name: "inventory-svc",
        about: "vCenter as VMs, disks, datastores, hosts and tasks, over gRPC",
        version: env!("CARGO_PKG_VERSION"),
        config_variable: "STRATA_INVENTORY_CONFIG",
        config_file: "/etc/strata/inventory.toml",
        listen: DEFAULT_LISTEN,
        services: &[SERVICE_NAME],
    };

    fn server(config: &mut InventoryConfig) -> &mut ServerSection {
        &mut config.server
    }

    fn log(config: &InventoryConfig) -> &LogSection {
        &config.log
    }

    fn faults(config: &InventoryConfig) -> Vec<Fault> {
        config.faults()
    }

    async fn start(config: &InventoryConfig, clock: SharedClock) -> Result<(Self, Routes), String> {
        let footing = Footing::of_this_machine();
        if footing.machine.bios_uuids.is_empty() {
            tracing::warn!(
                "this machine's BIOS uuid cannot be read; if it is a VM, name it in protected_vms of the gateway's configuration"
            );
        }
        let svc = InventorySvc::on(&footing, config, &http, &clock)?;
        let (routes, beside) = (svc.routes(), svc.clone());
        let keeping_alive = tokio::spawn(async move { beside.keep_alive().await });
        Ok((Self { svc, keeping_alive }, routes))
    }

    async fn stop(self) {
        self.keeping_alive.abort();
        self.svc.log_out().await;
    }

    async fn check(config: &InventoryConfig, clock: SharedClock, output: &Output) -> Result<(), String> {
        let svc = InventorySvc::new(config, &http, &clock)?;
        let mut unready = 0;
        for client in svc.vcenters().all() {
            match client.check().await {
                Ok(content) => output.line(&format!("{}: {} {}", client.name(), content.product, content.version)),
                Err(error) => {
                    unready += 1;
                    output.line(&format!("{}: {}", client.name(), report(&error)));
                }
            }
        }
        svc.log_out().await;
        if unready == 0 { Ok(()) } else { Err(format!("{unready} vCenters cannot be used")) }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    program::main::<Program>().await
}
