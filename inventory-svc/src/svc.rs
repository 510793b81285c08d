//! The service as a library: from a configuration or from clients to routes that any server can carry.

use crate::{
    cache::{Caches, HTTP_LIMIT},
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
        let mut followers = Vec::new();
        for vcenter in &config.vcenters {
            let client = |tls: TlsOptions| {
                let http = http(&vcenter.name, &tls).map_err(|reason| format!("vCenter {}: {reason}", vcenter.name))?;
                let options = ClientOptions {
                    name: vcenter.name.clone(),
                    url: vcenter.url.clone(),
                    username: vcenter.username.clone(),
                    password: vcenter.password.inner().clone(),
                    task_wait: vcenter.task_wait.unwrap_or(TASK_WAIT),
                    footing: footing.clone(),
                };
                Ok::<_, String>(Client::new(options, http, clock.clone()))
            };
            clients.push(client(vcenter.tls_options())?);
            // A session and a connection of its own: a wait for updates keeps both busy.
            followers.push(client(TlsOptions { request_timeout: HTTP_LIMIT, ..vcenter.tls_options() })?);
        }
        Ok(Self { vcenters: Vcenters::with_caches(clients, Caches::new(followers)) })
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

    /// Keeps all sessions alive, and the inventory in memory up to date; run it beside the server, and drop it with it. Without
    /// it nothing is held in memory, and each list is read from vCenter.
    pub async fn keep_alive(&self) {
        let alive = join_all(self.vcenters.all().map(|client| client.clone().keep_alive()));
        let followed = join_all(self.vcenters.caches().all().map(|cache| cache.follow()));
        futures::future::join(alive, followed).await;
    }

    /// Ends all sessions, so that they do not count against vCenter's limit until they time out.
    pub async fn log_out(&self) {
        let followers = self.vcenters.caches().all().map(|cache| cache.client());
        join_all(self.vcenters.all().chain(followers).map(|client| client.log_out())).await;
    }
}
