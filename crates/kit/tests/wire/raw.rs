//! A raw h2 client: sends what no gRPC client would, and sees what none shows.

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use std::net::SocketAddr;
use tokio::{net::TcpStream, task::JoinHandle};

/// One connection.
pub struct RawH2 {
    sender: SendRequest<Bytes>,
    pub connection: JoinHandle<Result<(), h2::Error>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub http_status: u16,
    /// From headers or trailers.
    pub grpc_status: Option<String>,
    pub body_bytes: usize,
}

impl RawH2 {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = h2::client::handshake(stream).await.unwrap();
        Self { sender, connection: tokio::spawn(connection) }
    }

    /// A gRPC call.
    pub async fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut all = vec![("content-type", "application/grpc")];
        all.extend_from_slice(headers);
        self.send("POST", path, &all, body).await
    }

    /// Any request.
    pub async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let (answer, mut stream) = self.start(method, path, headers).await;
        stream.send_data(Bytes::copy_from_slice(body), true).unwrap();
        let response = answer.await.unwrap();
        let mut grpc_status = response.headers().get("grpc-status").cloned();
        let http_status = response.status().as_u16();
        let mut body = response.into_body();
        let mut body_bytes = 0;
        while let Some(data) = body.data().await {
            let data = data.unwrap();
            body_bytes += data.len();
            body.flow_control().release_capacity(data.len()).unwrap();
        }
        if let Some(trailers) = body.trailers().await.unwrap() {
            grpc_status = trailers.get("grpc-status").cloned();
        }
        let grpc_status = grpc_status.map(|value| value.to_str().unwrap().to_owned());
        Answer { http_status, grpc_status, body_bytes }
    }

    /// Sends the head of a request and leaves its stream open.
    pub async fn start(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (ResponseFuture, h2::SendStream<Bytes>) {
        let mut request = http::Request::builder().method(method).uri(format!("http://lab{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.sender = self.sender.clone().ready().await.unwrap();
        self.sender.send_request(request.body(()).unwrap(), false).unwrap()
    }

    /// The peer's bound on streams at once.
    pub fn max_concurrent_streams(&self) -> usize {
        self.sender.current_max_send_streams()
    }
}
