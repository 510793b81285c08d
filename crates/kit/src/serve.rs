//! Serving: our own accept loop over h1 and h2, with TLS, limits, connection age and a bounded drain (T6, T7, T10, T11).
//!
//! Drain: health says NOT_SERVING while the listener still accepts for the lameduck time (callers learn it before anything is
//! refused), then the listener closes, watches end, each connection gets GOAWAY, calls under way get the drain time, and
//! what is left is dropped.

mod accept;
mod connection;
mod first_bytes;
mod options;

pub use connection::Peer;
pub use options::{ServeError, ServeOptions};

use crate::{contract::stack, health::HealthHandle, tls::server_config};
use accept::Listening;
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// A server at work.
#[derive(Debug)]
pub struct Running {
    local_addr: SocketAddr,
    task: JoinHandle<Drained>,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that still had calls when the drain time was over, and were dropped.
    pub connections_dropped: usize,
}

impl Running {
    /// The bound address; the real port where 0 was asked.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Returns when the drain is over. Dropping this value does not stop the server; its token does.
    pub async fn wait(self) -> Drained {
        self.task.await.unwrap_or(Drained { connections_dropped: 0 })
    }
}

/// Binds and serves until `shutdown` is cancelled, then drains. Health is added to `routes` by this function; reflection is
/// added by [`crate::reflection::add`]. An axum router is good as routes, and its REST paths pass the contract layer untouched.
///
/// # Errors
/// The address is not loopback while TLS is absent, a TLS file cannot be used, or the address cannot be bound.
pub async fn serve(
    options: ServeOptions,
    routes: impl Into<Routes>,
    health: HealthHandle,
    shutdown: CancellationToken,
) -> Result<Running, ServeError> {
    if options.tls.is_none() && !options.insecure && !options.listen.ip().is_loopback() {
        return Err(ServeError::Insecure { listen: options.listen });
    }
    let tls = match &options.tls {
        None => None,
        Some(files) => Some(TlsAcceptor::from(Arc::new(server_config(files)?))),
    };
    let bind = |source| ServeError::Bind { listen: options.listen, source };
    let listener = TcpListener::bind(options.listen).await.map_err(bind)?;
    let local_addr = listener.local_addr().map_err(bind)?;
    let stack = stack(routes, &health, options.contract.clone());
    tracing::info!(%local_addr, tls = tls.is_some(), "listening");
    let task = tokio::spawn(Listening { listener, tls, stack, health, options: Arc::new(options) }.run(shutdown));
    Ok(Running { local_addr, task })
}
