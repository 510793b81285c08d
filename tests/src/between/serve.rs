//! The same place on a socket, for a gateway in another process.

use super::{Between, Keeper};
use std::{net::SocketAddr, time::Duration};
use strata_kit::{health::HealthHandle, serve::ServeOptions};
use tokio_util::sync::CancellationToken;

/// Where it listens. Dropping it stops it.
#[derive(Debug)]
pub struct Face {
    /// A free port of 127.0.0.1.
    pub address: SocketAddr,
    stop: CancellationToken,
}

impl Face {
    /// `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Face {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Serves it.
///
/// # Errors
/// No free port.
pub async fn serve<K: Keeper>(between: Between<K>) -> anyhow::Result<Face> {
    let stop = CancellationToken::new();
    let routes = axum::Router::new().fallback_service(between);
    // Calls that are held for good must not hold the end of the test.
    let options = ServeOptions { drain_timeout: Duration::ZERO, ..ServeOptions::loopback() };
    let running =
        strata_kit::serve::serve(options, routes, HealthHandle::new(Vec::<String>::new()), stop.clone()).await?;
    Ok(Face { address: running.local_addr(), stop })
}
