//! LUNs: list, get, create, clone, restore, delete.

use super::{
    answer::{Answer, change, id, ok, parse},
    session::Caller,
    volumes::{Params, page},
};
use crate::world::storage::{Lun, NewLun, NewLunClone};
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
    size_bytes: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clone {
    name: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    snapshot_id: Option<Uuid>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Restore {
    snapshot_id: Uuid,
}

/// A LUN as JSON.
pub(super) fn shown(lun: &Lun) -> Value {
    let maps: Vec<Value> = lun.maps.iter().map(|m| json!({"group_id": m.group, "number": m.number})).collect();
    json!({
        "id": lun.id,
        "volume_id": lun.volume,
        "name": lun.name,
        "comment": lun.comment,
        "serial": lun.serial,
        "canonical_name": lun.canonical_name,
        "size_bytes": lun.size_bytes,
        "created_at": lun.created.to_string(),
        "online": lun.online,
        "origin": lun.origin.map(|origin| json!({"lun_id": origin.lun, "snapshot_id": origin.snapshot})),
        "maps": maps,
    })
}

/// GET /luns
pub(super) async fn list(caller: Caller, Query(params): Params) -> Answer {
    let array = caller.look()?;
    let fits = |param: &str, value: &str| params.get(param).is_none_or(|wanted| wanted == value);
    let mut luns = array.all_luns()?;
    luns.retain(|l| {
        fits("name", &l.name)
            && fits("volume_id", &l.volume.to_string())
            && fits("canonical_name", &l.canonical_name)
            && fits("serial", &l.serial)
    });
    let (page, next) = page(&luns, |l| l.id, &params, array.info()?.spec.behaviour.page_max)?;
    ok(json!({"luns": page.into_iter().map(shown).collect::<Vec<_>>(), "next_cursor": next}))
}

/// GET /volumes/{id}/snapshots/{snapshot}/luns
pub(super) async fn of_snapshot(caller: Caller, Path((volume, snapshot)): Path<(String, String)>) -> Answer {
    let luns = caller.look()?.snapshot_luns(id("volume", &volume)?, id("snapshot", &snapshot)?)?;
    ok(json!({"luns": luns.iter().map(shown).collect::<Vec<_>>()}))
}

/// GET /luns/{id}
pub(super) async fn get(caller: Caller, Path(lun): Path<String>) -> Answer {
    ok(shown(&caller.look()?.lun(id("LUN", &lun)?)?))
}

/// POST /volumes/{id}/luns
pub(super) async fn create(caller: Caller, Path(volume): Path<String>, body: Bytes) -> Answer {
    let (volume, New { name, comment, size_bytes }) = (id("volume", &volume)?, parse(&body)?);
    change(&caller, "lun.create", StatusCode::CREATED, "create a LUN", move |array| {
        Ok(shown(&array.create_lun(volume, NewLun { name, comment, size_bytes })?))
    })
}

/// DELETE /luns/{id}
pub(super) async fn delete(caller: Caller, Path(lun): Path<String>) -> Answer {
    let lun = id("LUN", &lun)?;
    change(&caller, "lun.delete", StatusCode::NO_CONTENT, "delete a LUN", move |array| {
        array.delete_lun(lun).map(|()| Value::Null)
    })
}

/// POST /luns/{id}/clones
pub(super) async fn clone(caller: Caller, Path(lun): Path<String>, body: Bytes) -> Answer {
    let (lun, Clone { name, comment, snapshot_id }) = (id("LUN", &lun)?, parse(&body)?);
    change(&caller, "lun.clone", StatusCode::CREATED, "clone a LUN", move |array| {
        Ok(shown(&array.clone_lun(lun, snapshot_id, NewLunClone { name, comment })?))
    })
}

/// POST /luns/{id}/restore
pub(super) async fn restore(caller: Caller, Path(lun): Path<String>, body: Bytes) -> Answer {
    let (lun, Restore { snapshot_id }) = (id("LUN", &lun)?, parse(&body)?);
    change(&caller, "lun.restore", StatusCode::OK, "restore a LUN", move |array| {
        Ok(shown(&array.restore_lun(lun, snapshot_id)?))
    })
}
