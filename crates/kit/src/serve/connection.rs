//! One connection from accept to close.

use super::{
    ServeOptions,
    first_bytes::{Counted, FirstBytes},
};
use crate::contract::Stack;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use rustls::pki_types::CertificateDer;
use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::ServiceExt as _;

/// Resets that a peer may have pending before the connection counts as an attack: behind a sidecar one connection carries
/// the cancels of many callers (T10).
const PENDING_ACCEPT_RESET_STREAMS: usize = 1024;

/// Who is at the other end; in the extensions of each request.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Its certificates, verified, where mTLS is on.
    pub certificates: Arc<[CertificateDer<'static>]>,
}

/// See the module.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) address: SocketAddr,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) stack: Stack,
    pub(super) options: Arc<ServeOptions>,
    pub(super) goaway: CancellationToken,
    pub(super) kill: CancellationToken,
}

impl Connection {
    /// Serves until the peer leaves, the connection is too old, or the drain is over.
    pub(super) async fn run(self) {
        // Small frames both ways: Nagle's wait would add up to 40 ms to a call.
        let _ = self.stream.set_nodelay(true);
        let Some(acceptor) = self.tls else {
            let peer = Peer { address: self.address, certificates: Arc::from([]) };
            return drive(self.stream, peer, self.stack, &self.options, self.goaway, self.kill).await;
        };
        let handshake = tokio::select! {
            biased;
            () = self.goaway.cancelled() => return,
            () = self.options.contract.clock.sleep(self.options.handshake_timeout) => {
                tracing::debug!(peer = %self.address, "TLS handshake took too long");
                return;
            }
            handshake = acceptor.accept(self.stream) => handshake,
        };
        match handshake {
            Ok(stream) => {
                let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec();
                let peer = Peer { address: self.address, certificates: certificates.into() };
                drive(stream, peer, self.stack, &self.options, self.goaway, self.kill).await;
            }
            Err(error) => tracing::debug!(peer = %self.address, %error, "TLS handshake failed"),
        }
    }
}

async fn drive<IO>(
    stream: IO,
    peer: Peer,
    stack: Stack,
    options: &ServeOptions,
    goaway: CancellationToken,
    kill: CancellationToken,
) where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let first = FirstBytes::default();
    let came = first.clone();
    let service = stack.map_request(move |request: http::Request<Incoming>| {
        came.request_came();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        request
    });
    let builder = builder(options);
    let stream = TokioIo::new(Counted { stream, first: first.clone() });
    let mut connection = pin!(builder.serve_connection(stream, TowerToHyperService::new(service)));
    let clock = &options.contract.clock;
    let mut leaving = false;
    let mut silence = clock.sleep(options.handshake_timeout);
    let mut silence_watched = true;
    // First the time until GOAWAY, then the time until the connection is dropped.
    let mut timer = match options.connection_age_max {
        Some(age) => clock.sleep(jittered(age)),
        None => Box::pin(std::future::pending()),
    };
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            () = kill.cancelled() => return,
            () = &mut silence, if silence_watched => {
                silence_watched = false;
                if !first.have_come() {
                    tracing::debug!("the peer said nothing");
                    return;
                }
            }
            () = goaway.cancelled(), if !leaving => {
                leaving = true;
                connection.as_mut().graceful_shutdown();
                // The drain bounds it from here.
                timer = Box::pin(std::future::pending());
            }
            () = &mut timer => {
                if leaving {
                    return;
                }
                leaving = true;
                connection.as_mut().graceful_shutdown();
                timer = clock.sleep(options.connection_age_grace);
            }
        }
    }
}

fn builder(options: &ServeOptions) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(options.max_concurrent_streams)
        .max_pending_accept_reset_streams(PENDING_ACCEPT_RESET_STREAMS)
        .keep_alive_interval(options.keepalive_interval)
        .keep_alive_timeout(options.keepalive_timeout)
        .max_header_list_size(16 << 10);
    builder.http1().timer(TokioTimer::new()).header_read_timeout(options.handshake_timeout);
    builder
}

/// 10 % more or less (gRFC A9), so that connections opened together do not end together. The hasher's keys are random
/// enough, and the process has no other need of a random source here.
fn jittered(age: Duration) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let random = RandomState::new().hash_one(());
    #[expect(clippy::cast_precision_loss, reason = "a jitter needs no precision")]
    let factor = 0.9 + 0.2 * (random as f64 / u64::MAX as f64);
    age.mul_f64(factor)
}
