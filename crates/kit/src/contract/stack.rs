//! A whole server as one tower service: health, contract, routes.

use super::{ContractLayer, ContractOptions};
use crate::health::HealthHandle;
use std::convert::Infallible;
use tonic::{body::Body, service::Routes};
use tower::{Layer as _, util::BoxCloneSyncService};

/// A server without its socket.
pub type Stack = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Infallible>;

/// Health is added to `routes` (do not add it yourself); the contract layer and the request span go around it.
pub fn stack(routes: impl Into<Routes>, health: &HealthHandle, options: ContractOptions) -> Stack {
    let routes: Routes = routes.into();
    let routes = routes.add_service(health.service()).prepare();
    BoxCloneSyncService::new(crate::telemetry::SpanLayer.layer(ContractLayer::new(options).layer(routes)))
}
