//! The accept loop and the drain.

use super::{Drained, ServeOptions, connection::Connection};
use crate::{contract::Stack, health::HealthHandle};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Everything that a listening server holds.
pub(super) struct Listening {
    pub(super) listener: TcpListener,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) stack: Stack,
    pub(super) health: HealthHandle,
    pub(super) options: Arc<ServeOptions>,
}

impl Listening {
    /// Accepts until the end of the lameduck time, then drains.
    pub(super) async fn run(self, shutdown: CancellationToken) -> Drained {
        let (goaway, kill) = (CancellationToken::new(), CancellationToken::new());
        let connections = TaskTracker::new();
        let clock = self.options.contract.clock.clone();
        let lameduck = async {
            shutdown.cancelled().await;
            self.health.drain();
            let lameduck_ms = u64::try_from(self.options.lameduck.as_millis()).unwrap_or(u64::MAX);
            tracing::info!(lameduck_ms, "draining");
            clock.sleep(self.options.lameduck).await;
        };
        tokio::pin!(lameduck);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut lameduck => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(self.connection(stream, peer, &goaway, &kill).run());
                }
                Err(error) => {
                    // Out of file descriptors, most likely: accepting again at once would only spin.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::select! {
                        () = &mut lameduck => break,
                        () = clock.sleep(Duration::from_millis(100)) => {}
                    }
                }
            }
        }
        drop(self.listener);
        self.health.close();
        goaway.cancel();
        connections.close();
        let connections_dropped = tokio::select! {
            biased;
            () = connections.wait() => 0,
            () = clock.sleep(self.options.drain_timeout) => connections.len(),
        };
        kill.cancel();
        connections.wait().await;
        tracing::info!(connections_dropped, "drained");
        Drained { connections_dropped }
    }

    fn connection(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        goaway: &CancellationToken,
        kill: &CancellationToken,
    ) -> Connection {
        Connection {
            stream,
            address,
            tls: self.tls.clone(),
            stack: self.stack.clone(),
            options: self.options.clone(),
            goaway: goaway.clone(),
            kill: kill.clone(),
        }
    }
}
