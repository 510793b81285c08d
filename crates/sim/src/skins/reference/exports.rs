//! Export rules of a volume.

use super::{
    answer::{Answer, change, id, parse},
    session::Caller,
    volumes,
};
use axum::extract::Path;
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exports {
    clients: BTreeSet<String>,
}

/// PUT /volumes/{id}/exports
pub(super) async fn put(caller: Caller, Path(volume): Path<String>, body: Bytes) -> Answer {
    let exports: Exports = parse(&body)?;
    set(&caller, &volume, exports.clients)
}

/// DELETE /volumes/{id}/exports
pub(super) async fn delete(caller: Caller, Path(volume): Path<String>) -> Answer {
    set(&caller, &volume, BTreeSet::new())
}

fn set(caller: &Caller, volume: &str, clients: BTreeSet<String>) -> Answer {
    let volume = id("volume", volume)?;
    change(caller, "export.modify", StatusCode::OK, "change the exports of a volume", move |array| {
        array.set_export(volume, clients)?;
        Ok(volumes::shown(&array.volume(volume)?))
    })
}
