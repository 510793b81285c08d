//! The connection to the gateway, and how a call is made on it.

use crate::{config::GatewayConfig, failure::Failure};
use std::{future::Future, time::Duration};
use strata_kit::clock::SharedClock;
use strata_model::ErrorKind;
use strata_proto::{
    google::longrunning::operations_client::OperationsClient,
    strata::gateway::v1::{
        clone_service_client::CloneServiceClient, operation_service_client::OperationServiceClient,
        plan_service_client::PlanServiceClient, snapshot_service_client::SnapshotServiceClient,
        vm_service_client::VmServiceClient,
    },
};
use tonic::{
    Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

/// What the generated clients run over.
pub type Transport = InterceptedService<Channel, Bearer>;

/// Puts the token on every call.
#[derive(Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

/// Clients of the gateway's services; cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    transport: Transport,
    clock: SharedClock,
    timeout: Duration,
    url: String,
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
        pub fn $name(&self) -> $client<Transport> {
            $client::new(self.transport.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
        }
    )+};
}

impl Gateway {
    /// Clients for this gateway. Connects at the first call.
    ///
    /// # Errors
    /// The address is none, or a file cannot be read.
    pub fn new(config: &GatewayConfig, clock: SharedClock) -> Result<Self, Failure> {
        let invalid = |message: String| Failure::new(ErrorKind::InvalidArgument, "GATEWAY_ADDRESS_INVALID", message);
        let mut endpoint = Endpoint::from_shared(config.url.clone())
            .map_err(|_| invalid(format!("'{}' is no address; write https://host:port", config.url)))?
            .connect_timeout(Duration::from_secs(10))
            .http2_keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(20));
        if config.url.starts_with("https://") {
            let mut tls = ClientTlsConfig::new();
            if let Some(path) = &config.ca_file {
                let pem = fs_err::read(path).map_err(|error| invalid(error.to_string()))?;
                tls = tls.ca_certificate(Certificate::from_pem(pem));
            }
            endpoint = endpoint.tls_config(tls).map_err(|error| invalid(error.to_string()))?;
        }
        let bearer = match &config.token {
            Some(token) => Some(
                format!("Bearer {}", token.0)
                    .parse()
                    .map_err(|_| invalid("the token holds characters that no header may hold".to_owned()))?,
            ),
            None => None,
        };
        let transport = InterceptedService::new(endpoint.connect_lazy(), Bearer(bearer));
        Ok(Self { transport, clock, timeout: config.timeout, url: config.url.clone() })
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
                _ => return Err(self.told(status)),
            }
        }
    }

    /// A failure of the gateway as it said it; where it said nothing, with its address.
    fn told(&self, status: Status) -> Failure {
        let silent = status.code() == tonic::Code::Unavailable && status.details().is_empty();
        let failure = Failure::from(status);
        if silent {
            return failure.hint(format!("the gateway is expected at {}; see --gateway", self.url));
        }
        failure
    }

    /// Waits before watching is tried again.
    pub async fn pause(&self, period: Duration) {
        self.clock.sleep(period).await;
    }
}
