//! The REST face: the same requests as gRPC, by the `google.api.http` annotations of the protos. It has no logic of its own: a request
//! is turned into the rpc's message, called in this process with the caller's credentials, and the answer turned into JSON.
//!
//! Errors are `google.rpc.Status` with the HTTP status of their kind. `/openapi.json` describes all of it, made from the same
//! descriptors.

mod answer;
mod bindings;
mod call;
mod openapi;
mod request;
mod stream;
mod template;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State,
    response::{IntoResponse as _, Response},
    routing::{any, get},
};
use bindings::Binding;
use call::Face;
use http::{HeaderValue, Request, StatusCode, header};
use prost_reflect::DescriptorPool;
use std::{collections::BTreeSet, sync::Arc};
use strata_kit::{
    clock::SharedClock,
    contract::{ContractLayer, ContractOptions},
    status::to_status,
};
use strata_model::ErrorKind;
use tonic::{Status, service::Routes};

/// Largest body that is read.
const BODY_BYTES_MAX: usize = 1 << 20;

struct Rest {
    pool: DescriptorPool,
    bindings: Vec<Binding>,
    face: Face,
    clock: SharedClock,
    openapi: serde_json::Value,
}

/// The services with their REST paths beside them, on the same port.
///
/// # Errors
/// The descriptors that this program was built with are wrong.
pub fn add(routes: Routes, clock: SharedClock) -> Result<Routes, String> {
    let pool = DescriptorPool::decode(strata_proto::DESCRIPTOR_SET).map_err(|error| error.to_string())?;
    let bindings = bindings::read(&pool)?;
    let openapi = openapi::document(&pool, &bindings);
    let contract = ContractLayer::new(ContractOptions { clock: clock.clone(), ..ContractOptions::default() });
    let face = Face::new(routes.clone(), contract);
    let rest = Arc::new(Rest { pool, bindings, face, clock, openapi });
    let paths = Router::new()
        .route("/openapi.json", get(document))
        .route("/v1", any(answer))
        .route("/v1/{*path}", any(answer))
        .with_state(rest);
    Ok(Routes::from(routes.into_axum_router().merge(paths)))
}

async fn document(State(rest): State<Arc<Rest>>, request: Request<Body>) -> Response {
    answer::ok(&rest.openapi, request.headers(), true)
}

async fn answer(State(rest): State<Arc<Rest>>, request: Request<Body>) -> Response {
    match rest.answer(request).await {
        Ok(response) => response,
        Err(status) => answer::failed(&rest.pool, &status),
    }
}

impl Rest {
    async fn answer(&self, request: Request<Body>) -> Result<Response, Status> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let matching = || self.bindings.iter().filter_map(|it| Some((it, it.template.matches(path)?)));
        let Some((binding, variables)) = matching().find(|(binding, _)| binding.method == parts.method) else {
            let others: BTreeSet<&str> = matching().map(|(binding, _)| binding.method.as_str()).collect();
            return Ok(self.no_such(path, &others));
        };
        let too_large = |_| {
            let message = format!("the body is larger than {BODY_BYTES_MAX} bytes");
            to_status(ErrorKind::InvalidArgument, "BODY_TOO_LARGE", message)
        };
        let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(too_large)?;
        let query = parts.uri.query().unwrap_or_default();
        let mut message = request::assemble(binding, variables, query, &body)?;
        let (path, headers, output) = (binding.grpc_path(), &parts.headers, binding.rpc.output());
        if binding.rpc.is_server_streaming() {
            stream::resume(&mut message, headers);
            let answers = self.face.stream(&path, headers, answer::bytes_of(&message)).await?;
            let events = stream::takes_events(headers);
            return Ok(stream::flowing(answers, output, self.pool.clone(), self.clock.clone(), events));
        }
        let bytes = self.face.unary(&path, headers, answer::bytes_of(&message)).await?;
        let unreadable = |why| to_status(ErrorKind::Unexpected, "ANSWER_UNREADABLE", format!("{path}: {why}"));
        let json = answer::json_of(&output, &bytes).map_err(unreadable)?;
        Ok(answer::ok(&json, headers, parts.method == http::Method::GET))
    }

    /// 405 with the methods that there are, else 404.
    fn no_such(&self, path: &str, others: &BTreeSet<&str>) -> Response {
        if others.is_empty() {
            let message = format!("there is nothing at {path}; /openapi.json says what there is");
            return answer::failed(&self.pool, &to_status(ErrorKind::NotFound, "PATH_UNKNOWN", message));
        }
        let allowed = others.iter().copied().collect::<Vec<_>>().join(", ");
        let message = format!("{path} takes {allowed}");
        let status = to_status(ErrorKind::Unsupported, "METHOD_NOT_ALLOWED", message);
        let text = answer::error_json(&self.pool, &status).to_string();
        let mut response = answer::dressed((StatusCode::METHOD_NOT_ALLOWED, text).into_response());
        if let Ok(allowed) = HeaderValue::from_str(&allowed) {
            response.headers_mut().insert(header::ALLOW, allowed);
        }
        response
    }
}
