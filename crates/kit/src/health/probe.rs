//! Asking a peer for its health: what a service's `health` subcommand does for a container that has no other program.

use super::wire::{HealthCheckRequest, HealthCheckResponse, ServingStatus};
use crate::upstream::Upstream;
use tonic::{Request, Status, client::Grpc};
use tonic_prost::ProstCodec;

/// One Check. The empty name asks for the process.
///
/// # Errors
/// NOT_FOUND for a service that the peer does not know; UNAVAILABLE where nobody answers.
pub async fn check(peer: &Upstream, service: &str) -> Result<ServingStatus, Status> {
    let request = Request::new(HealthCheckRequest { service: service.to_owned() });
    let path = http::uri::PathAndQuery::from_static("/grpc.health.v1.Health/Check");
    let answer: tonic::Response<HealthCheckResponse> =
        Grpc::new(peer.clone()).unary(request, path, ProstCodec::default()).await?;
    Ok(answer.into_inner().status())
}
