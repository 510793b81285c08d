//! A place between the gateway and a service: every call passes a [`Keeper`], who may count, measure or hold it.

mod serve;

pub use serve::{Face, serve};

use bytes::Bytes;
use futures::future::BoxFuture;
use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};
use strata_kit::{contract::Stack, upstream::Upstream};
use tonic::{Status, body::Body};
use tower::{Service, util::BoxCloneSyncService};

/// What becomes of a call.
#[derive(Debug)]
pub struct Ticket {
    /// Tells [`Keeper::after`] which one it was.
    pub number: usize,
    /// It is answered with this and does not reach the service.
    pub refused: Option<Status>,
}

/// Who stands between. A call whose caller went away is dropped where it is held, and goes no further.
pub trait Keeper: Send + Sync + 'static {
    /// Before the call reaches the service; what is returned comes back in [`Keeper::after`].
    fn before(&self, method: &str) -> impl Future<Output = Ticket> + Send;
    /// After the service has done it, before the caller hears of it.
    fn after(&self, number: usize) -> impl Future<Output = ()> + Send;
}

/// The way to a service, past a keeper.
#[derive(Debug)]
pub struct Between<K> {
    to: Upstream,
    keeper: Arc<K>,
}

impl<K> Clone for Between<K> {
    fn clone(&self) -> Self {
        Self { to: self.to.clone(), keeper: self.keeper.clone() }
    }
}

impl<K: Keeper> Between<K> {
    /// Before the service behind `to`.
    pub fn new(to: Upstream, keeper: Arc<K>) -> Self {
        Self { to, keeper }
    }

    /// For clients in this process.
    pub fn upstream(self, name: &str) -> Upstream {
        let stack: Stack = BoxCloneSyncService::new(self);
        Upstream::in_process(name, stack)
    }
}

impl<K, B> Service<http::Request<B>> for Between<K>
where
    K: Keeper,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let Self { mut to, keeper } = self.clone();
        Box::pin(async move {
            let ticket = keeper.before(request.uri().path()).await;
            let answer = match ticket.refused {
                Some(status) => Err(status),
                None => to.call(request.map(Body::new)).await,
            };
            keeper.after(ticket.number).await;
            Ok(answer.unwrap_or_else(|status| status.into_http()))
        })
    }
}
