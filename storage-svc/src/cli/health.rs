//! `storage-svc health`: for containers and load balancers that run a command.

use super::{Output, load, storage_svc::SERVICE_NAME};
use anyhow::Context as _;
use std::{net::SocketAddr, path::Path, time::Duration};
use strata_kit::{
    health::{HealthCheckRequest, HealthCheckResponse, ServingStatus},
    http::ServerTrust,
    upstream::{Upstream, UpstreamOptions},
};

const TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn run(path: &Path, address: Option<SocketAddr>, output: &Output) -> anyhow::Result<()> {
    let config = match address {
        Some(_) if !path.exists() => None,
        _ => Some(load(path)?),
    };
    let address = address.or(config.as_ref().map(|config| config.listen)).context("give --address or --config")?;
    let tls = config.and_then(|config| config.tls);
    let scheme = if tls.is_some() { "https" } else { "http" };
    let mut options = UpstreamOptions::new(format!("{scheme}://{address}"));
    options.call_timeout = Some(TIMEOUT);
    // The service's own certificate is the one that it must show.
    if let Some(tls) = tls {
        options.trust = ServerTrust::CaFile(tls.cert_file);
    }
    let mut client = tonic::client::Grpc::new(Upstream::connect(&options)?);
    client.ready().await?;
    let request = tonic::Request::new(HealthCheckRequest { service: SERVICE_NAME.to_owned() });
    let codec = tonic_prost::ProstCodec::<HealthCheckRequest, HealthCheckResponse>::default();
    let method = http::uri::PathAndQuery::from_static("/grpc.health.v1.Health/Check");
    let answer = client.unary(request, method, codec).await;
    let answer = answer.map_err(|status| anyhow::anyhow!("{address} did not answer: {}", status.message()))?;
    let status = answer.into_inner().status();
    anyhow::ensure!(status == ServingStatus::Serving, "{address} says {status:?}");
    output.line(&format!("{address} serves"));
    Ok(())
}
