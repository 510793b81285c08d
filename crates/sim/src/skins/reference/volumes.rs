//! Volumes: list, get, delete, restore; and paging, which snapshots use too.

use super::{
    answer::{Answer, Refusal, change, id, invalid, ok, parse},
    session::Caller,
};
use crate::world::storage::Volume;
use axum::extract::{Path, Query};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Query parameters, before they are checked.
pub(super) type Params = Query<BTreeMap<String, String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Restore {
    snapshot_id: Uuid,
}

/// A volume as JSON.
pub(super) fn shown(volume: &Volume) -> Value {
    json!({
        "id": volume.id,
        "name": volume.name,
        "comment": volume.comment,
        "export_path": volume.export_path,
        "clients": volume.clients,
        "size_bytes": volume.size_bytes,
        "used_bytes": volume.used_bytes,
        "created_at": volume.created.to_string(),
        "parent": volume.parent.map(|parent| json!({"volume_id": parent.volume, "snapshot_id": parent.snapshot})),
        "read_only": volume.read_only,
    })
}

/// One page of a list whose items are in the order of their keys. The cursor is the last key that was shown, so that
/// objects which come and go in between neither repeat nor hide others.
pub(super) fn page<'a, K, T>(
    items: &'a [T],
    key: impl Fn(&T) -> K,
    params: &BTreeMap<String, String>,
    page_max: usize,
) -> Result<(Vec<&'a T>, Value), Refusal>
where
    K: Ord + std::str::FromStr + ToString,
{
    let after =
        params.get("cursor").map(|text| text.parse::<K>().map_err(|_| invalid("cursor", text, "is none of ours")));
    let after = after.transpose()?;
    let limit = match params.get("limit") {
        None => page_max,
        Some(text) => match text.parse::<usize>() {
            Ok(limit) if limit > 0 => limit.min(page_max),
            _ => return Err(invalid("limit", text, "must be a number of at least 1")),
        },
    };
    let mut rest = items.iter().filter(|item| after.as_ref().is_none_or(|after| key(item) > *after));
    let shown: Vec<&'a T> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let next = shown.last().filter(|_| more).map(|last| key(last).to_string());
    Ok((shown, json!(next)))
}

/// GET /volumes
pub(super) async fn list(caller: Caller, Query(params): Params) -> Answer {
    let array = caller.look()?;
    let fits = |param: &str, value: &str| params.get(param).is_none_or(|wanted| wanted == value);
    let mut volumes = array.volumes()?;
    volumes.retain(|v| fits("name", &v.name) && fits("export_path", &v.export_path));
    let (page, next) = page(&volumes, |v| v.id, &params, array.info()?.spec.behaviour.page_max)?;
    ok(json!({"volumes": page.into_iter().map(shown).collect::<Vec<_>>(), "next_cursor": next}))
}

/// GET /volumes/{id}
pub(super) async fn get(caller: Caller, Path(volume): Path<String>) -> Answer {
    ok(shown(&caller.look()?.volume(id("volume", &volume)?)?))
}

/// DELETE /volumes/{id}
pub(super) async fn delete(caller: Caller, Path(volume): Path<String>) -> Answer {
    let volume = id("volume", &volume)?;
    change(&caller, "volume.delete", StatusCode::NO_CONTENT, "delete a volume", move |array| {
        array.delete_volume(volume).map(|()| Value::Null)
    })
}

/// POST /volumes/{id}/restore
pub(super) async fn restore(caller: Caller, Path(volume): Path<String>, body: Bytes) -> Answer {
    let (volume, Restore { snapshot_id }) = (id("volume", &volume)?, parse(&body)?);
    change(&caller, "volume.restore", StatusCode::OK, "restore a volume", move |array| {
        let done = array.restore_volume(volume, snapshot_id)?;
        Ok(json!({"deleted_snapshots": done.deleted_snapshots}))
    })
}
