//! The gRPC service of [`super::HealthHandle`], as a tower service.

use super::{
    HealthHandle, Phase,
    wire::{
        HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse, SERVICE_NAME, ServingStatus,
    },
};
use crate::status::StatusBuilder;
use futures::{future::BoxFuture, stream::BoxStream};
use std::{
    convert::Infallible,
    task::{Context, Poll},
};
use strata_model::ErrorKind;
use tonic::{Request, Response, Status, body::Body, server::Grpc, server::NamedService};
use tonic_prost::ProstCodec;
use tower::Service;

/// See the module. Check of an unknown name is NOT_FOUND; Watch of one answers SERVICE_UNKNOWN and stays open.
#[derive(Debug, Clone)]
pub struct HealthServer {
    handle: HealthHandle,
}

impl HealthServer {
    pub(super) fn new(handle: HealthHandle) -> Self {
        Self { handle }
    }
}

impl NamedService for HealthServer {
    const NAME: &'static str = SERVICE_NAME;
}

impl Service<http::Request<Body>> for HealthServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let handle = self.handle.clone();
        Box::pin(async move {
            let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
            Ok(match method.as_str() {
                "Check" => {
                    let check = tower::service_fn(move |request| std::future::ready(check(&handle, request)));
                    Grpc::new(ProstCodec::default()).unary(check, request).await
                }
                "List" => {
                    let list = tower::service_fn(move |request| std::future::ready(list(&handle, request)));
                    Grpc::new(ProstCodec::default()).unary(list, request).await
                }
                "Watch" => {
                    let watch = tower::service_fn(move |request: Request<HealthCheckRequest>| {
                        std::future::ready(Ok(Response::new(watch(&handle, request.into_inner().service))))
                    });
                    Grpc::new(ProstCodec::default()).server_streaming(watch, request).await
                }
                _ => Status::unimplemented("grpc.health.v1.Health has Check, List and Watch").into_http(),
            })
        })
    }
}

fn check(handle: &HealthHandle, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
    let service = request.into_inner().service;
    match handle.status(&service) {
        ServingStatus::ServiceUnknown => {
            let message = format!("no service '{service}' here; List names those that are");
            Err(StatusBuilder::new(ErrorKind::NotFound, "SERVICE_UNKNOWN", message)
                .metadata("service", service)
                .build())
        }
        status => Ok(Response::new(HealthCheckResponse { status: status as i32 })),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a unary handler")]
fn list(handle: &HealthHandle, _request: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
    let statuses = handle
        .statuses()
        .into_iter()
        .map(|(name, status)| (name, HealthCheckResponse { status: status as i32 }))
        .collect();
    Ok(Response::new(HealthListResponse { statuses }))
}

/// The status now, then every change of it; ends when the process closes its health.
fn watch(handle: &HealthHandle, service: String) -> BoxStream<'static, Result<HealthCheckResponse, Status>> {
    let receiver = handle.subscribe();
    let changes = futures::stream::unfold((receiver, service, None), |(mut receiver, service, last)| async move {
        loop {
            let (status, phase) = {
                let state = receiver.borrow_and_update();
                (state.status(&service), state.phase)
            };
            if last != Some(status) {
                let answer = HealthCheckResponse { status: status as i32 };
                return Some((Ok(answer), (receiver, service, Some(status))));
            }
            if phase == Phase::Closed || receiver.changed().await.is_err() {
                return None;
            }
        }
    });
    Box::pin(changes)
}
