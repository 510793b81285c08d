//! The service as a library: from a configuration or from clients to routes that any server can carry.

use crate::{
    config::InventoryConfig,
    footing::Footing,
    grpc::InventoryFace,
    vcenter::{Client, ClientOptions},
    vcenters::Vcenters,
};
use futures::future::join_all;
use std::{sync::Arc, time::Duration};
use strata_kit::{
    clock::SharedClock,
    http::{SharedHttp, TlsOptions},
};
use strata_proto::strata::inventory::v1::inventory_service_server::InventoryServiceServer;
use tonic::service::Routes;

/// inventory.v1's full name, for health.
pub const SERVICE_NAME: &str = "strata.inventory.v1.InventoryService";
/// How long one call waits for a task where the configuration does not say.
const TASK_WAIT: Duration = Duration::from_secs(10);

/// Makes the HTTP client of a vCenter by its name; in tests and in the lab, one that calls a simulator in process.
pub type HttpFactory<'a> = &'a dyn Fn(&str, &TlsOptions) -> Result<SharedHttp, String>;

/// The service, without a socket.
#[derive(Debug, Clone)]
pub struct InventorySvc {
    vcenters: Vcenters,
}

impl InventorySvc {
    /// With the vCenters of a configuration, on a footing that is not known. Asks none of them.
    ///
    /// # Errors
    /// As [`InventorySvc::on`].
    pub fn new(config: &InventoryConfig, http: HttpFactory<'_>, clock: &SharedClock) -> Result<Self, String> {
        Self::on(&Footing::default(), config, http, clock)
    }

    /// The same where it is known what Strata stands on.
    ///
    /// # Errors
    /// A vCenter's CA file or thumbprint cannot be used; the text names it.
    pub fn on(
        footing: &Footing,
        config: &InventoryConfig,
        http: HttpFactory<'_>,
        clock: &SharedClock,
    ) -> Result<Self, String> {
        let mut clients = Vec::new();
        for vcenter in &config.vcenters {
            let http = http(&vcenter.name, &vcenter.tls_options())
                .map_err(|reason| format!("vCenter {}: {reason}", vcenter.name))?;
            let options = ClientOptions {
                name: vcenter.name.clone(),
                url: vcenter.url.clone(),
                username: vcenter.username.clone(),
                password: vcenter.password.inner().clone(),
                task_wait: vcenter.task_wait.unwrap_or(TASK_WAIT),
                footing: footing.clone(),
            };
            clients.push(Client::new(options, http, clock.clone()));
        }
        Ok(Self::from_clients(clients))
    }

    /// With clients that exist already.
    pub fn from_clients(clients: impl IntoIterator<Item = Arc<Client>>) -> Self {
        Self { vcenters: Vcenters::new(clients) }
    }

    /// The vCenters.
    pub fn vcenters(&self) -> &Vcenters {
        &self.vcenters
    }

    /// inventory.v1; add reflection and health with kit.
    pub fn routes(&self) -> Routes {
        Routes::new(InventoryServiceServer::new(InventoryFace::new(self.vcenters.clone())))
    }

    /// Keeps all sessions alive; run it beside the server, and drop it with it.
    pub async fn keep_alive(&self) {
        join_all(self.vcenters.all().map(|client| client.clone().keep_alive())).await;
    }

    /// Ends all sessions, so that they do not count against vCenter's limit until they time out.
    pub async fn log_out(&self) {
        join_all(self.vcenters.all().map(|client| client.log_out())).await;
    }
}
