//! A caller of the REST face, without a socket.

use anyhow::{Context as _, ensure};
use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use strata_kit::clock::SystemClock;
use strata_tests::house::House;
use tower::ServiceExt as _;

/// The face of one gateway.
pub struct Rest {
    router: Router,
    house_upstream: strata_kit::upstream::Upstream,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// The whole body.
    pub body: String,
    headers: HeaderMap,
}

impl Answer {
    /// A header's text; empty where it is absent.
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }
}

/// Path of a VM in a list.
pub fn vm_path(list: &Value, display_name: &str) -> String {
    let all = list["vms"].as_array().into_iter().flatten();
    let found = all.into_iter().find(|vm| vm["displayName"] == display_name);
    format!("/v1/{}", found.and_then(|vm| vm["name"].as_str()).unwrap_or("no-such-vm"))
}

impl Rest {
    /// Of a house's gateway.
    pub fn of(house: &House) -> anyhow::Result<Self> {
        let routes =
            strata_gateway::rest::add(house.gateway.api.routes(), SystemClock::shared()).map_err(anyhow::Error::msg)?;
        Ok(Self { router: routes.into_axum_router(), house_upstream: house.upstream.clone() })
    }

    /// Sends a request; `Null` is no body.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let response = self.router.clone().oneshot(request.body(body)?).await?;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 16 << 20).await?;
        Ok(Answer { status: parts.status, body: String::from_utf8(body.to_vec())?, headers: parts.headers })
    }

    /// Sends one that must succeed.
    pub async fn ok(&self, method: Method, path: &str, body: Value) -> anyhow::Result<Value> {
        let answer = self.send(method.clone(), path, body, &[]).await?;
        ensure!(answer.status == StatusCode::OK, "{method} {path}: {} {}", answer.status, answer.body);
        serde_json::from_str(&answer.body).context("no JSON")
    }

    /// Waits for an operation and reads it by REST.
    pub async fn finish(&self, operation: &Value) -> anyhow::Result<Value> {
        let name = operation["name"].as_str().context("no name")?;
        let request = strata_proto::google::longrunning::WaitOperationRequest { name: name.to_owned(), timeout: None };
        let upstream = self.house_upstream.clone();
        strata_proto::google::longrunning::operations_client::OperationsClient::new(upstream)
            .wait_operation(request)
            .await?;
        self.ok(Method::GET, &format!("/v1/{name}"), Value::Null).await
    }
}
