//! Clones of volumes.

use super::{
    answer::{Answer, change, id, parse},
    session::Caller,
    volumes,
};
use crate::world::storage::NewClone;
use axum::extract::Path;
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    #[serde(default)]
    comment: String,
    export_path: String,
}

/// POST /volumes/{id}/snapshots/{snapshot}/clones
pub(super) async fn create(caller: Caller, Path((volume, snapshot)): Path<(String, String)>, body: Bytes) -> Answer {
    let (volume, snapshot) = (id("volume", &volume)?, id("snapshot", &snapshot)?);
    let New { name, comment, export_path } = parse(&body)?;
    change(&caller, "volume.clone", StatusCode::CREATED, "clone a volume", move |array| {
        let made = array.clone_volume(volume, snapshot, NewClone { name, comment, export_path })?;
        Ok(volumes::shown(&made))
    })
}
