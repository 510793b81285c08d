//! Initiator groups, and which LUNs are shown to them.

use super::{
    answer::{Answer, change, id, ok, parse},
    luns,
    session::Caller,
    volumes::{Params, page},
};
use crate::world::storage::{InitiatorGroup, canonical_initiator};
use axum::extract::{Path, Query};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    initiators: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Initiators {
    initiators: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    #[serde(default)]
    number: Option<u32>,
}

fn shown(group: &InitiatorGroup) -> Value {
    json!({"id": group.id, "name": group.name, "initiators": group.initiators})
}

/// GET /initiator-groups
pub(super) async fn list(caller: Caller, Query(params): Params) -> Answer {
    let array = caller.look()?;
    let initiator = params.get("initiator").map(|name| canonical_initiator(name)).transpose()?;
    let mut groups = array.initiator_groups()?;
    groups.retain(|g| {
        params.get("name").is_none_or(|name| *name == g.name)
            && initiator.as_ref().is_none_or(|initiator| g.initiators.contains(initiator))
    });
    let (page, next) = page(&groups, |g| g.id, &params, array.info()?.spec.behaviour.page_max)?;
    ok(json!({"groups": page.into_iter().map(shown).collect::<Vec<_>>(), "next_cursor": next}))
}

/// GET /initiator-groups/{id}
pub(super) async fn get(caller: Caller, Path(group): Path<String>) -> Answer {
    ok(shown(&caller.look()?.initiator_group(id("initiator group", &group)?)?))
}

/// POST /initiator-groups
pub(super) async fn create(caller: Caller, body: Bytes) -> Answer {
    let New { name, initiators } = parse(&body)?;
    change(&caller, "map.modify", StatusCode::CREATED, "create an initiator group", move |array| {
        Ok(shown(&array.create_initiator_group(&name, initiators)?))
    })
}

/// PUT /initiator-groups/{id}/initiators
pub(super) async fn set(caller: Caller, Path(group): Path<String>, body: Bytes) -> Answer {
    let (group, Initiators { initiators }) = (id("initiator group", &group)?, parse(&body)?);
    change(&caller, "map.modify", StatusCode::OK, "change an initiator group", move |array| {
        array.set_initiators(group, initiators)?;
        Ok(shown(&array.initiator_group(group)?))
    })
}

/// DELETE /initiator-groups/{id}
pub(super) async fn delete(caller: Caller, Path(group): Path<String>) -> Answer {
    let group = id("initiator group", &group)?;
    change(&caller, "map.modify", StatusCode::NO_CONTENT, "delete an initiator group", move |array| {
        array.delete_initiator_group(group).map(|()| Value::Null)
    })
}

/// PUT /luns/{id}/maps/{group}
pub(super) async fn map(caller: Caller, Path((lun, group)): Path<(String, String)>, body: Bytes) -> Answer {
    let (lun, group) = (id("LUN", &lun)?, id("initiator group", &group)?);
    let Map { number } = parse(&body)?;
    change(&caller, "map.modify", StatusCode::OK, "map a LUN", move |array| {
        array.map_lun(lun, group, number)?;
        Ok(luns::shown(&array.lun(lun)?))
    })
}

/// DELETE /luns/{id}/maps/{group}
pub(super) async fn unmap(caller: Caller, Path((lun, group)): Path<(String, String)>) -> Answer {
    let (lun, group) = (id("LUN", &lun)?, id("initiator group", &group)?);
    change(&caller, "map.modify", StatusCode::OK, "unmap a LUN", move |array| {
        array.unmap_lun(lun, group)?;
        Ok(luns::shown(&array.lun(lun)?))
    })
}
