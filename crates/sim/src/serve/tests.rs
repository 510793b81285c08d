//! Tests of serving a face on a socket.

use super::*;
use crate::fault::dropped;
use axum::routing::get;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

fn router() -> Router {
    Router::new().route("/hello", get(|| async { "hello" })).route("/drop", get(|| async { dropped() }))
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset connection is an empty answer as well.
    let _ended = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

async fn over_tls(served: &Served) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(served.ca_pem.as_ref().unwrap().as_bytes()).unwrap();
    roots.add(ca).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TcpStream::connect(served.address).await?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn plain_and_tls_answer_and_a_stopped_face_does_not() {
    let plain = serve(router(), Security::Plain).await.unwrap();
    assert!(plain.url().starts_with("http://127.0.0.1:"));
    let stream = TcpStream::connect(plain.address).await.unwrap();
    assert!(exchange(stream, "/hello").await.ends_with("hello"));

    let tls = serve(router(), Security::Tls).await.unwrap();
    assert!(tls.url().starts_with("https://"));
    assert!(exchange(over_tls(&tls).await.unwrap(), "/hello").await.ends_with("hello"));

    let address = plain.address;
    plain.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_dropped_connection_sends_no_byte() {
    let plain = serve(router(), Security::Plain).await.unwrap();
    let stream = TcpStream::connect(plain.address).await.unwrap();
    assert_eq!(exchange(stream, "/drop").await, "");
    let request = Request::get("/drop").body(Bytes::new()).unwrap();
    assert_eq!(call(router(), request).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let request = Request::get("/hello").body(Bytes::new()).unwrap();
    assert_eq!(call(router(), request).await.unwrap().body().as_ref(), b"hello");
}

#[tokio::test]
async fn an_expired_certificate_is_refused_by_a_client_that_checks() {
    let served = serve(router(), Security::ExpiredTls).await.unwrap();
    let error = over_tls(&served).await.unwrap_err().to_string();
    assert!(error.contains("expired"), "{error}");
}
