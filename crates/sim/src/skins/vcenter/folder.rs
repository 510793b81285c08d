//! `/folder`: files of datastores over HTTP.

use super::{Face, envelope};
use crate::world::compute::files::DsPath;
use axum::{
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use std::{collections::HashMap, sync::Arc};

/// Serves one request.
pub async fn serve(
    State(face): State<Arc<Face>>,
    method: Method,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let secret = envelope::cookie(&headers).unwrap_or_default();
    face.vc.with(|s| {
        if s.session(&secret).is_none() {
            let ask = [(header::WWW_AUTHENTICATE, "Basic realm=\"VMware HTTP server\"")];
            return (StatusCode::UNAUTHORIZED, ask).into_response();
        }
        let dc = query.get("dcPath").and_then(|p| s.by_path(p)).map(|r| r.id);
        let ds = query.get("dsName").and_then(|n| s.datastore_named(n, dc.as_deref())).cloned();
        let Some(ds) = ds.filter(|_| dc.is_some()) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let raw = uri.path().trim_start_matches("/folder").trim_matches('/');
        let Some(rel) = decode(raw).filter(|p| !p.split('/').any(|part| part == "..")) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let path = DsPath { ds, rel };
        match method {
            Method::GET | Method::HEAD => read(s, &path, method == Method::HEAD),
            Method::PUT => write(s, &path, &body),
            Method::DELETE => match s.delete_file(&path) {
                Ok(()) => StatusCode::NO_CONTENT.into_response(),
                Err(f) if f.ty() == "FileNotFound" => StatusCode::NOT_FOUND.into_response(),
                Err(f) => (StatusCode::INTERNAL_SERVER_ERROR, f.message).into_response(),
            },
            _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        }
    })
}

/// A refusal by the world's rules.
pub fn refused(status: u16, _code: &str, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, message.to_owned()).into_response()
}

fn decode(path: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut bytes = path.bytes();
    while let Some(b) = bytes.next() {
        if b == b'%' {
            let hex = [bytes.next()?, bytes.next()?];
            out.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            out.push(b);
        }
    }
    String::from_utf8(out).ok()
}

fn read(s: &crate::world::compute::state::State, path: &DsPath, head: bool) -> Response {
    let Ok(tree) = s.tree(&path.ds) else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let Ok(entry) = tree.stat(&path.rel) else { return StatusCode::NOT_FOUND.into_response() };
    if entry.is_dir {
        let names: Vec<String> = tree.list(&path.rel).unwrap_or_default().into_iter().map(|e| e.name).collect();
        return ([(header::CONTENT_TYPE, "text/html")], names.join("\n")).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    if head {
        let length = [(header::CONTENT_LENGTH, entry.size_bytes.to_string())];
        return (kind, length).into_response();
    }
    match tree.read(&path.rel, 0, usize::try_from(entry.size_bytes).unwrap_or(usize::MAX)) {
        Ok(bytes) => (kind, bytes).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn write(s: &mut crate::world::compute::state::State, path: &DsPath, body: &[u8]) -> Response {
    if path.rel.is_empty() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let Ok(tree) = s.tree(&path.ds) else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    if s.check_unlocked(path).is_err() {
        return (StatusCode::INTERNAL_SERVER_ERROR, "The file is locked").into_response();
    }
    if !path.dir().is_empty() && tree.stat(path.dir()).is_err() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let created = tree.stat(&path.rel).is_err();
    let length = u64::try_from(body.len()).unwrap_or(0);
    match tree.set_len(&path.rel, length).and_then(|()| tree.write(&path.rel, 0, body)) {
        Ok(()) if created => StatusCode::CREATED.into_response(),
        Ok(()) => StatusCode::OK.into_response(),
        Err(e) => (StatusCode::INTERNAL_SERVER_ERROR, e.to_string()).into_response(),
    }
}
