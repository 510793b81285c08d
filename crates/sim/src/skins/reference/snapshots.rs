//! Snapshots of one volume, and of several at one point in time.

use super::{
    answer::{Answer, change, id, ok, parse},
    session::Caller,
    volumes::{Params, page},
};
use crate::world::storage::Snapshot;
use axum::extract::{Path, Query};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    #[serde(default)]
    comment: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGroup {
    name: String,
    #[serde(default)]
    comment: String,
    volume_ids: Vec<Uuid>,
}

fn shown(snapshot: &Snapshot) -> Value {
    json!({
        "id": snapshot.id,
        "volume_id": snapshot.volume,
        "name": snapshot.name,
        "comment": snapshot.comment,
        "created_at": snapshot.created.to_string(),
        "group_id": snapshot.group,
    })
}

/// GET /volumes/{id}/snapshots
pub(super) async fn list(caller: Caller, Path(volume): Path<String>, Query(params): Params) -> Answer {
    let array = caller.look()?;
    let mut snapshots = array.snapshots(id("volume", &volume)?)?;
    snapshots.retain(|s| params.get("name").is_none_or(|name| *name == s.name));
    let (page, next) = page(&snapshots, |s| s.sequence, &params, array.info()?.spec.behaviour.page_max)?;
    ok(json!({"snapshots": page.into_iter().map(shown).collect::<Vec<_>>(), "next_cursor": next}))
}

/// GET /volumes/{id}/snapshots/{snapshot}
pub(super) async fn get(caller: Caller, Path((volume, snapshot)): Path<(String, String)>) -> Answer {
    ok(shown(&caller.look()?.snapshot(id("volume", &volume)?, id("snapshot", &snapshot)?)?))
}

/// POST /volumes/{id}/snapshots
pub(super) async fn create(caller: Caller, Path(volume): Path<String>, body: Bytes) -> Answer {
    let (volume, New { name, comment }) = (id("volume", &volume)?, parse(&body)?);
    change(&caller, "snapshot.create", StatusCode::CREATED, "create a snapshot", move |array| {
        Ok(shown(&array.create_snapshot(volume, &name, &comment)?))
    })
}

/// DELETE /volumes/{id}/snapshots/{snapshot}
pub(super) async fn delete(caller: Caller, Path((volume, snapshot)): Path<(String, String)>) -> Answer {
    let (volume, snapshot) = (id("volume", &volume)?, id("snapshot", &snapshot)?);
    change(&caller, "snapshot.delete", StatusCode::NO_CONTENT, "delete a snapshot", move |array| {
        array.delete_snapshot(volume, snapshot).map(|()| Value::Null)
    })
}

/// POST /snapshot-groups
pub(super) async fn create_group(caller: Caller, body: Bytes) -> Answer {
    let NewGroup { name, comment, volume_ids } = parse(&body)?;
    change(&caller, "snapshot.create", StatusCode::CREATED, "create a group of snapshots", move |array| {
        let made = array.create_group(&volume_ids, &name, &comment)?;
        let group_id = made.first().and_then(|snapshot| snapshot.group);
        Ok(json!({"group_id": group_id, "snapshots": made.iter().map(shown).collect::<Vec<_>>()}))
    })
}
