//! A face on a real socket: a free port of 127.0.0.1, plain or with TLS under a certificate made on the spot.

mod certificate;

use crate::fault::ConnectionDropped;
use axum::Router;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use std::{convert::Infallible, io, net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// How a face is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Without TLS.
    Plain,
    /// With a certificate for 127.0.0.1 and localhost.
    Tls,
    /// With a certificate that ran out in 2001.
    ExpiredTls,
}

/// A face that is being served. Dropping it stops the face and breaks its connections.
#[derive(Debug)]
pub struct Served {
    /// Where it listens.
    pub address: SocketAddr,
    /// The CA's certificate in PEM, for clients to trust; none without TLS.
    pub ca_pem: Option<String>,
    /// The server's own certificate in DER, for clients that pin its SHA-256; none without TLS.
    pub certificate_der: Option<Vec<u8>>,
    accepting: JoinHandle<()>,
}

impl Served {
    /// The base address, without a trailing slash: `https://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.ca_pem.is_some() { "https" } else { "http" }, self.address)
    }

    /// Stops accepting and breaks the connections that are left; returns when the port is free.
    pub async fn stop(mut self) {
        self.accepting.abort();
        // The outcome is "cancelled", as asked.
        let _cancelled = (&mut self.accepting).await;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves a router on a free port of 127.0.0.1 until it is stopped.
///
/// # Errors
/// No port, or no certificate could be made.
pub async fn serve(router: Router, security: Security) -> io::Result<Served> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let (acceptor, ca_pem, certificate_der) = match security {
        Security::Plain => (None, None, None),
        Security::Tls | Security::ExpiredTls => {
            let made = certificate::make(security == Security::ExpiredTls)?;
            let acceptor = TlsAcceptor::from(Arc::new(made.server_config));
            (Some(acceptor), Some(made.ca_pem), Some(made.certificate_der))
        }
    };
    let accepting = tokio::spawn(accept(listener, router, acceptor));
    Ok(Served { address, ca_pem, certificate_der, accepting })
}

async fn accept(listener: TcpListener, router: Router, acceptor: Option<TlsAcceptor>) {
    // Dropped together with this task, and the connections with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _peer)) => {
                    connections.spawn(connection(stream, router.clone(), acceptor.clone()));
                }
                // Out of descriptors, or a peer that left at once: neither ends the face.
                Err(error) => {
                    tracing::warn!(%error, "a simulated face could not accept a connection");
                    tokio::task::yield_now().await;
                }
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, router: Router, acceptor: Option<TlsAcceptor>) {
    let outcome = match acceptor {
        None => talk(stream, router).await,
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => talk(stream, router).await,
            Err(error) => Err(error.into()),
        },
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection to a simulated face ended early");
    }
}

async fn talk<S>(stream: S, router: Router) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            let response = router.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {});
            match response.extensions().get::<ConnectionDropped>() {
                // An error here makes hyper close the connection without a byte of an answer.
                Some(_) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
                None => Ok(response),
            }
        }
    });
    auto::Builder::new(TokioExecutor::new()).http1_only().serve_connection(TokioIo::new(stream), service).await
}

/// One request to a router without a socket, for in-process clients; an error where the connection would break.
///
/// # Errors
/// The face dropped the connection.
pub async fn call(router: Router, request: Request<Bytes>) -> io::Result<Response<Bytes>> {
    let request = request.map(|bytes| axum::body::Body::new(Full::new(bytes)));
    let response = router.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {});
    if response.extensions().get::<ConnectionDropped>().is_some() {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Response::from_parts(parts, bytes))
}

#[cfg(test)]
mod tests;
