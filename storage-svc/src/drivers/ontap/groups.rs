//! Consistency groups that administrators made. They are used where they hold what is to be cut, and never made or changed (S8).

use super::{
    Ontap,
    client::{Change, WAIT},
    comment,
    comment::Comment,
    names::{self, SNAPSHOTS},
    release::Release,
    wire::{self, Group, GroupSnapshot},
};
use crate::{
    driver::{DriverError, Reason},
    naming,
};
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;
use strata_model::mark::Mark;

const BASE: &str = "/application/consistency-groups";

/// All groups; none where the release has none or the login may not read them.
async fn list(array: &Ontap) -> Result<Vec<Group>, DriverError> {
    let path = format!("{BASE}?fields=uuid,name,volumes");
    match array.client.list(&path, "list its consistency groups").await {
        Err(error) if matches!(error.reason, Reason::RightMissing | Reason::NotFound | Reason::NotSupported) => {
            tracing::debug!(error = strata_kit::status::report(&error), "consistency groups are not used");
            Ok(Vec::new())
        }
        other => other,
    }
}

async fn has_groups(array: &Ontap) -> Result<bool, DriverError> {
    Ok(array.learned().await?.release() >= Release::CONSISTENCY_GROUPS)
}

/// How many volumes the largest group can cut at once and a comment can name; 1 where there is none.
pub(super) async fn volumes_max(array: &Ontap) -> Result<u32, DriverError> {
    let largest = list(array).await?.iter().map(|group| group.volumes.len()).max().unwrap_or_default();
    Ok(u32::try_from(largest.min(comment::volumes_max()).max(1)).unwrap_or(1))
}

/// The group that holds exactly these volumes; else the smallest that holds them all among those that the configuration names.
pub(super) async fn that_holds(array: &Ontap, volumes: &[&str]) -> Result<Option<Group>, DriverError> {
    if !has_groups(array).await? {
        return Ok(None);
    }
    let wanted: BTreeSet<&str> = volumes.iter().copied().collect();
    let mut holding: Vec<Group> = list(array).await?;
    holding.retain(|group| {
        let held: BTreeSet<&str> = group.volumes.iter().map(|volume| volume.uuid.as_str()).collect();
        held == wanted || (array.config.consistency_groups.contains(&group.name) && held.is_superset(&wanted))
    });
    holding.sort_by_key(|group| (group.volumes.len(), group.name.clone()));
    Ok(holding.into_iter().next())
}

/// Cuts all volumes of a group at one point in time.
pub(super) async fn snapshot(array: &Ontap, group: &Group, name: &str, comment: &str) -> Result<Change, DriverError> {
    let body = json!({"name": name, "comment": comment, "consistency_type": "crash"});
    let path = format!("{BASE}/{}/snapshots?{WAIT}", group.uuid);
    array.client.change(Method::POST, &path, Some(body), "snapshot a consistency group").await
}

/// The snapshot of a key of a group that holds this volume, whoever made it.
pub(super) async fn find_snapshot(
    array: &Ontap,
    volume: &str,
    key: &str,
) -> Result<Option<(Group, GroupSnapshot)>, DriverError> {
    if !has_groups(array).await? {
        return Ok(None);
    }
    for group in list(array).await?.into_iter().filter(|group| group.volumes.iter().any(|it| it.uuid == volume)) {
        let path = format!("{BASE}/{}/snapshots?name={}&fields=*", group.uuid, names::begins(key));
        let all: Vec<GroupSnapshot> = array.client.list(&path, "list a consistency group's snapshots").await?;
        let found = all.into_iter().find(|it| naming::is_for_key(&SNAPSHOTS, &it.name, key));
        if let Some(found) = found.filter(|it| !it.is_partial) {
            return Ok(Some((group, found)));
        }
    }
    Ok(None)
}

/// Writes the group's mark onto a part of its snapshot, so that the part can be told alone.
pub(super) async fn mark_part(array: &Ontap, part: &wire::Snapshot) -> Result<(), DriverError> {
    let path = format!("/storage/volumes/{}/snapshots/{}?{WAIT}", part.volume.uuid, part.uuid);
    let body = json!({"comment": part.comment});
    // Where it is done later, the part bears its mark soon; until then the group's holds.
    array.client.change(Method::PATCH, &path, Some(body), "mark a snapshot").await.map(drop)
}

/// Removes the group's snapshot of a key, with all its parts; `None` where there is none of ours.
pub(super) async fn remove_snapshot(array: &Ontap, volume: &str, mark: &Mark) -> Result<Option<Change>, DriverError> {
    let Some((group, whole)) = find_snapshot(array, volume, &mark.key).await? else {
        return Ok(None);
    };
    let ours = |comment: &Comment| comment.belongs_to(mark) && comment.is_for(volume);
    if !Comment::read(&whole.comment).is_some_and(|comment| ours(&comment)) {
        return Ok(None);
    }
    let path = format!("{BASE}/{}/snapshots/{}?{WAIT}", group.uuid, whole.uuid);
    array.client.change(Method::DELETE, &path, None, "delete a consistency group's snapshot").await.map(Some)
}
