//! Calling the gRPC face in this process, with messages as bytes.

use bytes::{Buf as _, BufMut as _, Bytes};
use http::HeaderMap;
use strata_kit::{contract::ContractLayer, upstream::Upstream};
use tonic::{
    Code, Request, Response, Status, Streaming,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataMap,
    service::Routes,
};
use tower::{Layer as _, util::BoxCloneSyncService};

/// Headers of a REST request that travel on: who calls, and the trace.
const PASSED: [&str; 4] = ["authorization", "x-strata-caller", "traceparent", "tracestate"];

/// The gRPC face, with the same contract as on a socket.
#[derive(Debug, Clone)]
pub struct Face(Upstream);

impl Face {
    /// Over the services' routes.
    pub fn new(routes: Routes, contract: ContractLayer) -> Self {
        let stack = BoxCloneSyncService::new(contract.layer(routes.prepare()));
        Self(Upstream::in_process("gateway", stack))
    }

    /// An rpc with one answer.
    ///
    /// # Errors
    /// The rpc's own.
    pub async fn unary(&self, path: &str, headers: &HeaderMap, message: Bytes) -> Result<Bytes, Status> {
        let (request, path) = prepared(path, headers, message)?;
        let mut client = ready(&self.0).await?;
        client.unary(request, path, Raw).await.map(Response::into_inner)
    }

    /// An rpc with many answers.
    ///
    /// # Errors
    /// The rpc's own, where it fails before its first answer.
    pub async fn stream(&self, path: &str, headers: &HeaderMap, message: Bytes) -> Result<Streaming<Bytes>, Status> {
        let (request, path) = prepared(path, headers, message)?;
        let mut client = ready(&self.0).await?;
        client.server_streaming(request, path, Raw).await.map(Response::into_inner)
    }
}

async fn ready(upstream: &Upstream) -> Result<Grpc<Upstream>, Status> {
    let mut client = Grpc::new(upstream.clone());
    client.ready().await?;
    Ok(client)
}

fn prepared(
    path: &str,
    headers: &HeaderMap,
    message: Bytes,
) -> Result<(Request<Bytes>, http::uri::PathAndQuery), Status> {
    let path = path.parse().map_err(|_| Status::new(Code::Internal, format!("'{path}' is no path")))?;
    let mut passed = HeaderMap::new();
    for name in PASSED {
        if let Some(value) = headers.get(name) {
            passed.insert(name, value.clone());
        }
    }
    let mut request = Request::new(message);
    *request.metadata_mut() = MetadataMap::from_headers(passed);
    Ok((request, path))
}

/// Messages as they are.
#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length)))
    }
}
