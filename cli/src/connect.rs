//! The connection to the gateway, and how a call is made on it.

use crate::{config::GatewayConfig, failure::Failure};
use std::{future::Future, time::Duration};
use strata_kit::{
    clock::SharedClock,
    http::ServerTrust,
    upstream::{Upstream, UpstreamOptions},
};
use strata_proto::{
    google::longrunning::operations_client::OperationsClient,
    strata::gateway::v1::{
        clone_service_client::CloneServiceClient, operation_service_client::OperationServiceClient,
        plan_service_client::PlanServiceClient, snapshot_service_client::SnapshotServiceClient,
        vm_service_client::VmServiceClient,
    },
};
use tonic::{Request, Response, Status};

/// Clients of the gateway's services; cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    upstream: Upstream,
    clock: SharedClock,
    timeout: Duration,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Makes a call of a generated client: `call!(gateway, vms.list_vms(request))`. See [`Gateway::call`].
macro_rules! call {
    ($gateway:expr, $service:ident.$method:ident($message:expr)) => {
        $gateway
            .call(|| {
                let mut client = $gateway.$service();
                let request = $gateway.request($message.clone());
                async move { client.$method(request).await }
            })
            .await
    };
}
pub(crate) use call;

/// Answers with a page of plans and VMs can be large; the servers limit requests, not answers.
const ANSWER_BYTES_MAX: usize = 64 << 20;

macro_rules! clients {
    ($($(#[$doc:meta])* $name:ident: $client:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub fn $name(&self) -> $client<Upstream> {
            $client::new(self.upstream.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
        }
    )+};
}

impl Gateway {
    /// Clients for this gateway. Connects at the first call.
    ///
    /// # Errors
    /// The address is none, or a file cannot be read.
    pub fn new(config: &GatewayConfig, clock: SharedClock) -> Result<Self, Failure> {
        let mut options = UpstreamOptions::new(&config.url);
        if let Some(path) = &config.ca_file {
            options.trust = ServerTrust::CaFile(path.clone());
        }
        options.token = config.token.clone();
        options.insecure = config.insecure;
        let upstream = Upstream::connect(&options)
            .map_err(|error| Failure::new(error.kind(), "GATEWAY_NOT_USABLE", format!("the gateway: {error}")))?;
        Ok(Self { upstream, clock, timeout: config.timeout })
    }

    clients! {
        /// VMs.
        vms: VmServiceClient,
        /// Restore points.
        snapshots: SnapshotServiceClient,
        /// Clones.
        clones: CloneServiceClient,
        /// Plans and preflight.
        plans: PlanServiceClient,
        /// What google.longrunning lacks.
        operations: OperationServiceClient,
        /// google.longrunning.
        longrunning: OperationsClient,
    }

    /// A request with this program's time limit.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout);
        request
    }

    /// Makes a call, and makes it again a few times while the gateway is busy or away. For reads, and for changes that
    /// carry a request id: the gateway knows them again.
    ///
    /// # Errors
    /// The gateway's last answer.
    pub async fn call<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut waits_ms = [200, 1_000, 3_000].into_iter();
        loop {
            let status = match call().await {
                Ok(response) => return Ok(response.into_inner()),
                Err(status) => status,
            };
            match (status.code(), waits_ms.next()) {
                (tonic::Code::Unavailable, Some(wait_ms)) => self.clock.sleep(Duration::from_millis(wait_ms)).await,
                _ => return Err(status.into()),
            }
        }
    }

    /// Waits before watching is tried again.
    pub async fn pause(&self, period: Duration) {
        self.clock.sleep(period).await;
    }
}
