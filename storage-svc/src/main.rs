//! storage-svc: serves storage.v1, or checks its configuration or its health.

use async_trait::async_trait;
use std::{process::ExitCode, sync::Arc};
use strata_kit::{
    clock::SharedClock,
    config::{Fault, LogSection, ServerSection},
    http::{ReqwestClient, SharedHttp, TlsOptions},
    program::{self, Binary, Output, Service},
    status::report,
};
use strata_storage_svc::{
    SERVICE_NAME, StorageSvc,
    arrays::Health,
    config::{DEFAULT_LISTEN, StorageConfig},
};
use tonic::service::Routes;

struct Program;

/// The real HTTP client, one an array.
fn http(_array: &str, options: &TlsOptions) -> Result<SharedHttp, String> {
    Ok(Arc::new(ReqwestClient::new(options)?))
}

#[async_trait]
impl Service for Program {
    type Config = StorageConfig;

    const BINARY: Binary = Binary {
        name: "storage-svc",
        about: "Storage arrays as volumes, snapshots, clones and exports, over gRPC",
        version: env!("CARGO_PKG_VERSION"),
        config_variable: "STRATA_STORAGE_CONFIG",
        config_file: "/etc/strata/storage.toml",
        listen: DEFAULT_LISTEN,
        services: &[SERVICE_NAME],
    };

    fn server(config: &mut StorageConfig) -> &mut ServerSection {
        &mut config.server
    }

    fn log(config: &StorageConfig) -> &LogSection {
        &config.log
    }

    fn faults(config: &StorageConfig) -> Vec<Fault> {
        config.faults()
    }

    async fn start(config: &StorageConfig, clock: SharedClock) -> Result<(Self, Routes), String> {
        let svc = StorageSvc::new(config, &http, &clock).map_err(|error| report(&error))?;
        Ok((Self, svc.routes()))
    }

    async fn stop(self) {}

    async fn check(config: &StorageConfig, clock: SharedClock, output: &Output) -> Result<(), String> {
        let svc = StorageSvc::new(config, &http, &clock).map_err(|error| report(&error))?;
        let mut unready = 0;
        for (array, health) in svc.arrays().check_all().await {
            match health {
                Health::Ready => {
                    let version = array.identity().map(|identity| identity.version).unwrap_or_default();
                    output.line(&format!("{}: ready, {version}", array.name));
                    let found = array.driver.preflight().await.map_err(|error| report(&error))?;
                    for right in found.missing {
                        output
                            .line(&format!("  MISSING {} on {} for {}", right.privilege, right.object, right.feature));
                    }
                    found.remarks.iter().for_each(|remark| output.line(&format!("  {remark}")));
                }
                Health::Unreachable(reason) | Health::Denied(reason) => {
                    unready += 1;
                    output.line(&format!("{}: {reason}", array.name));
                }
            }
        }
        if unready == 0 { Ok(()) } else { Err(format!("{unready} arrays cannot be used")) }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    program::main::<Program>().await
}
