//! From messages and errors to HTTP answers.

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use strata_kit::status::{ErrorReport, row};
use tonic::Status;

/// A message as proto3 JSON; fields without a value are written too, so that a script finds every key.
///
/// # Errors
/// The bytes are not of this message, or it holds an `Any` of an unknown type.
pub fn json_of(message: &MessageDescriptor, bytes: &[u8]) -> Result<Value, String> {
    let message = DynamicMessage::decode(message.clone(), bytes).map_err(|error| error.to_string())?;
    let options = SerializeOptions::new().skip_default_fields(false);
    message.serialize_with_options(serde_json::value::Serializer, &options).map_err(|error| error.to_string())
}

/// An answer of 200, or 304 where the caller has it already.
pub fn ok(value: &Value, asked: &HeaderMap, cachable: bool) -> Response {
    let body = value.to_string();
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(body.as_bytes())[..12]));
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let known = known.flat_map(|list| list.split(',')).any(|one| one.trim().trim_start_matches("W/") == tag);
    let mut response = match cachable && known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Body::from(body).into_response(),
    };
    if cachable && let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    dressed(response)
}

/// An error as `google.rpc.Status`, with the HTTP status of its kind.
pub fn failed(pool: &DescriptorPool, status: &Status) -> Response {
    let told = ErrorReport::from_status(status);
    let code = StatusCode::from_u16(row(told.kind).http_status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (code, error_json(pool, status).to_string()).into_response();
    let headers = response.headers_mut();
    if let Some(after_ms) = told.retry_after_ms {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(after_ms.div_ceil(1_000)));
    }
    if code == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    dressed(response)
}

/// `google.rpc.Status` in proto3 JSON, its details in words where this program knows their types.
pub fn error_json(pool: &DescriptorPool, status: &Status) -> Value {
    let whole = pool.get_message_by_name("google.rpc.Status").and_then(|message| {
        let bytes = Bytes::copy_from_slice(status.details());
        (!bytes.is_empty()).then(|| json_of(&message, &bytes).ok()).flatten()
    });
    whole.unwrap_or_else(|| json!({ "code": status.code() as i32, "message": status.message(), "details": [] }))
}

/// No cache keeps an answer, and no browser guesses its type.
pub fn dressed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The bytes of a message.
pub fn bytes_of(message: &DynamicMessage) -> Bytes {
    message.encode_to_vec().into()
}
