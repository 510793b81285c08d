//! A small gRPC service by hand, `strata.test.v1.Lab`, whose methods do one thing each that a contract can get wrong.

use futures::future::BoxFuture;
use std::{
    collections::HashSet,
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};
use strata_kit::{
    contract::{ContractOptions, Deadline, Stack, stack},
    health::{HealthCheckRequest, HealthCheckResponse, HealthHandle},
    mutation::run_to_end,
    serve::{Peer, Running, ServeOptions, serve},
    upstream::{Upstream, UpstreamOptions},
};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status,
    body::Body,
    client::Grpc as Client,
    server::{Grpc, NamedService},
    service::Routes,
};
use tonic_prost::ProstCodec;
use tower::Service;

/// Messages are borrowed from health: a string one way, a number the other.
pub type Ask = HealthCheckRequest;
pub type Answer = HealthCheckResponse;

/// What tests look at and pull on from outside.
#[derive(Clone, Default)]
pub struct Lab {
    pub calls: Arc<AtomicUsize>,
    pub entered: Arc<Notify>,
    pub go_on: Arc<Notify>,
    pub mutation_done: Arc<Notify>,
    pub dropped_early: Arc<AtomicUsize>,
    pub peers: Arc<Mutex<HashSet<SocketAddr>>>,
    pub upstream: Option<Upstream>,
}

impl NamedService for Lab {
    const NAME: &'static str = "strata.test.v1.Lab";
}

/// Counts handlers that were dropped before their end.
struct Guard(Option<Arc<AtomicUsize>>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(count) = self.0.take() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Service<http::Request<Body>> for Lab {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let lab = self.clone();
        Box::pin(async move {
            lab.calls.fetch_add(1, Ordering::SeqCst);
            let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
            Ok(if method == "Stream" {
                let stream =
                    tower::service_fn(move |_: Request<Ask>| std::future::ready(Ok(Response::new(lab.stream()))));
                Grpc::new(ProstCodec::default()).server_streaming(stream, request).await
            } else {
                let unary = tower::service_fn(move |request| lab.clone().unary(method.clone(), request));
                Grpc::new(ProstCodec::<Answer, Ask>::default()).unary(unary, request).await
            })
        })
    }
}

impl Lab {
    async fn unary(self, method: String, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        let deadline = request.extensions().get::<Deadline>().copied();
        if let Some(peer) = request.extensions().get::<Peer>() {
            self.peers.lock().unwrap().insert(peer.address);
        }
        let left_ms =
            deadline.map_or(-1, |deadline| i32::try_from(deadline.remaining().as_millis()).unwrap_or(i32::MAX));
        match method.as_str() {
            // What is left of the caller's deadline, -1 for none.
            "Echo" => {}
            "Hang" => {
                let mut guard = Guard(Some(self.dropped_early.clone()));
                self.entered.notify_one();
                self.go_on.notified().await;
                guard.0 = None;
            }
            "Mutate" => {
                run_to_end(async move {
                    self.entered.notify_one();
                    self.go_on.notified().await;
                    self.mutation_done.notify_one();
                    Ok(())
                })
                .await?;
            }
            "Panic" => panic!("on purpose"),
            "Relay" => {
                let upstream = self.upstream.clone().expect("an upstream");
                return call(&upstream, "Echo", "").await;
            }
            other => return Err(Status::unimplemented(other.to_owned())),
        }
        Ok(Response::new(Answer { status: left_ms }))
    }

    /// One message, then one more each time that `go_on` says.
    fn stream(&self) -> futures::stream::BoxStream<'static, Result<Answer, Status>> {
        let (sender, receiver) = mpsc::channel(1);
        let go_on = self.go_on.clone();
        tokio::spawn(async move {
            while sender.send(Ok(Answer { status: 7 })).await.is_ok() {
                go_on.notified().await;
            }
        });
        Box::pin(tokio_stream::wrappers::ReceiverStream::new(receiver))
    }

    pub fn health() -> HealthHandle {
        HealthHandle::new([Self::NAME])
    }

    pub fn stack(&self, options: ContractOptions) -> Stack {
        stack(Routes::new(self.clone()), &Self::health(), options)
    }

    pub async fn serve(&self, options: ServeOptions) -> (Running, HealthHandle, CancellationToken) {
        let (health, shutdown) = (Self::health(), CancellationToken::new());
        let routes = Routes::new(self.clone());
        let running = serve(options, routes, health.clone(), shutdown.clone()).await.unwrap();
        (running, health, shutdown)
    }
}

/// A plain client of a server on loopback.
pub fn client_of(running: &Running) -> Upstream {
    Upstream::connect(&UpstreamOptions::new(format!("http://{}", running.local_addr()))).unwrap()
}

/// A unary call of the lab.
pub async fn call(upstream: &Upstream, method: &str, text: &str) -> Result<Response<Answer>, Status> {
    call_with(upstream, method, Request::new(Ask { service: text.to_owned() })).await
}

/// As [`call`], with metadata and timeout of the caller's.
pub async fn call_with(upstream: &Upstream, method: &str, request: Request<Ask>) -> Result<Response<Answer>, Status> {
    let path = format!("/strata.test.v1.Lab/{method}").parse().unwrap();
    Client::new(upstream.clone()).unary(request, path, ProstCodec::default()).await
}

/// A server stream of the lab or of health.
pub async fn stream_of(
    upstream: &Upstream,
    path: &'static str,
    request: Request<Ask>,
) -> Result<tonic::Streaming<Answer>, Status> {
    let path = http::uri::PathAndQuery::from_static(path);
    let response = Client::new(upstream.clone()).server_streaming(request, path, ProstCodec::default()).await?;
    Ok(response.into_inner())
}
