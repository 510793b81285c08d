//! Files within a volume and its snapshots.

use super::{
    answer::{Answer, Refusal, change, id, invalid, ok, parse},
    session::Caller,
    volumes::Params,
};
use crate::world::tree::{Entry, FileTree as _};
use axum::{
    extract::{Path, Query},
    response::IntoResponse as _,
};
use bytes::Bytes;
use http::{StatusCode, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, str::FromStr};
use uuid::Uuid;

/// The most bytes that one call reads.
const READ_MAX_BYTES: usize = 4 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CloneFile {
    snapshot_id: Option<Uuid>,
    from: String,
    to: String,
    #[serde(default)]
    overwrite: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RestoreFile {
    snapshot_id: Uuid,
    path: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDirectory {
    path: String,
}

fn number<T: FromStr>(params: &BTreeMap<String, String>, name: &'static str) -> Result<Option<T>, Refusal> {
    let parsed = params.get(name).map(|text| text.parse().map_err(|_| invalid(name, text, "must be a number")));
    parsed.transpose()
}

fn snapshot_of(params: &BTreeMap<String, String>) -> Result<Option<Uuid>, Refusal> {
    params.get("snapshot_id").map(|text| id("snapshot", text)).transpose()
}

fn path_of(params: &BTreeMap<String, String>) -> &str {
    params.get("path").map_or("", String::as_str)
}

/// GET /volumes/{id}/files
pub(super) async fn look(caller: Caller, Path(volume): Path<String>, Query(params): Params) -> Answer {
    let tree = caller.look()?.tree_at(id("volume", &volume)?, snapshot_of(&params)?)?;
    let path = path_of(&params);
    let found = tree.stat(path)?;
    let entries = if found.is_dir { tree.list(path)? } else { Vec::new() };
    let shown = |e: &Entry| json!({"name": e.name, "is_dir": e.is_dir, "size_bytes": e.size_bytes});
    ok(json!({
        "path": path,
        "is_dir": found.is_dir,
        "size_bytes": found.size_bytes,
        "entries": entries.iter().map(shown).collect::<Vec<_>>(),
    }))
}

/// GET /volumes/{id}/files/content
pub(super) async fn content(caller: Caller, Path(volume): Path<String>, Query(params): Params) -> Answer {
    let tree = caller.look()?.tree_at(id("volume", &volume)?, snapshot_of(&params)?)?;
    let offset = number(&params, "offset")?.unwrap_or(0);
    let length = number(&params, "length")?.unwrap_or(READ_MAX_BYTES);
    if length > READ_MAX_BYTES {
        return Err(invalid("length", &length.to_string(), "must be at most 4194304 (4 MiB)"));
    }
    let bytes = tree.read(path_of(&params), offset, length)?;
    Ok(([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// POST /volumes/{id}/files/clone
pub(super) async fn clone(caller: Caller, Path(volume): Path<String>, body: Bytes) -> Answer {
    let (volume, asked) = (id("volume", &volume)?, parse::<CloneFile>(&body)?);
    change(&caller, "file.modify", StatusCode::NO_CONTENT, "clone a file", move |array| {
        let CloneFile { snapshot_id, from, to, overwrite } = asked;
        array.clone_file(volume, snapshot_id, &from, &to, overwrite).map(|()| Value::Null)
    })
}

/// POST /volumes/{id}/files/directories
pub(super) async fn make_directory(caller: Caller, Path(volume): Path<String>, body: Bytes) -> Answer {
    let (volume, NewDirectory { path }) = (id("volume", &volume)?, parse(&body)?);
    change(&caller, "file.modify", StatusCode::NO_CONTENT, "make a directory", move |array| {
        array.create_dir_all(volume, &path).map(|()| Value::Null)
    })
}

/// POST /volumes/{id}/files/restore
pub(super) async fn restore(caller: Caller, Path(volume): Path<String>, body: Bytes) -> Answer {
    let (volume, RestoreFile { snapshot_id, path }) = (id("volume", &volume)?, parse(&body)?);
    change(&caller, "file.restore", StatusCode::NO_CONTENT, "restore a file", move |array| {
        array.restore_file(volume, snapshot_id, &path).map(|()| Value::Null)
    })
}

/// DELETE /volumes/{id}/files
pub(super) async fn remove(caller: Caller, Path(volume): Path<String>, Query(params): Params) -> Answer {
    let (volume, path) = (id("volume", &volume)?, path_of(&params).to_owned());
    change(&caller, "file.modify", StatusCode::NO_CONTENT, "remove a file or directory", move |array| {
        array.remove_path(volume, &path).map(|()| Value::Null)
    })
}
