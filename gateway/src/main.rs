//! gateway: serves gateway.v1, or checks its configuration or its health.

use async_trait::async_trait;
use std::process::ExitCode;
use strata_gateway::{Gateway, api::SERVICE_NAMES, config::GatewayConfig, open, ports::Ports, rest};
use strata_kit::{
    clock::SharedClock,
    config::{Fault, LogSection, ServerSection},
    program::{self, Binary, Output, Service},
};
use strata_proto::strata::inventory::v1::ListVcentersRequest;
use tonic::service::Routes;

struct Program(Gateway);

#[async_trait]
impl Service for Program {
    type Config = GatewayConfig;

    const BINARY: Binary = Binary {
        name: "gateway",
        about: "Orchestrates snapshots, clones and reverts of VMs, over gRPC",
        version: env!("CARGO_PKG_VERSION"),
        config_variable: "STRATA_GATEWAY_CONFIG",
        config_file: "/etc/strata/gateway.toml",
        listen: std::net::SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 7001)),
        services: &SERVICE_NAMES,
    };

    fn server(config: &mut GatewayConfig) -> &mut ServerSection {
        &mut config.server
    }

    fn log(config: &GatewayConfig) -> &LogSection {
        &config.log
    }

    fn faults(config: &GatewayConfig) -> Vec<Fault> {
        config.faults()
    }

    async fn start(config: &GatewayConfig, clock: SharedClock) -> Result<(Self, Routes), String> {
        let gateway = open::open(config, clock.clone()).await?;
        let routes = rest::add(gateway.api.routes(), clock)?;
        Ok((Self(gateway), routes))
    }

    async fn stop(self) {
        self.0.drain().await;
    }

    async fn check(config: &GatewayConfig, clock: SharedClock, output: &Output) -> Result<(), String> {
        let Ports { inventory, storage } = open::ports(config, &clock)?;
        let vcenters =
            inventory.list_vcenters(ListVcentersRequest {}).await.map_err(|error| error.to_string())?.vcenters;
        output.line(&format!("inventory-svc answers and knows {} vCenters", vcenters.len()));
        let arrays = storage.list_arrays().await.map_err(|error| error.to_string())?;
        output.line(&format!("storage-svc answers and knows {} arrays", arrays.len()));
        Ok(())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    program::main::<Program>().await
}
