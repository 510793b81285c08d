//! Snapshots of a volume: found, checked, told.

use super::{
    Ontap,
    client::literal,
    comment::Comment,
    groups,
    names::{self, SNAPSHOTS},
    volumes,
    wire::{self, time},
};
use crate::{
    driver::{DriverError, Page, PageRequest, Reason, Snapshot, SnapshotMember},
    naming,
};
use jiff::Timestamp;
use strata_model::{
    ids::{ArraySnapshotId, VolumeId},
    mark::Mark,
};
use uuid::Uuid;

/// Times of the array are whole seconds.
const TIME_UNIT_US: u64 = 1_000_000;

/// All snapshots of a volume that fit the query, oldest first.
pub(super) async fn list(array: &Ontap, volume: &str, query: &str) -> Result<Vec<wire::Snapshot>, DriverError> {
    let and = if query.is_empty() { "" } else { "&" };
    let path = format!("/storage/volumes/{volume}/snapshots?{query}{and}fields=*");
    let mut all: Vec<wire::Snapshot> = array.client.list(&path, "list a volume's snapshots").await?;
    all.iter_mut().for_each(|snapshot| snapshot.volume.uuid = volume.to_owned());
    all.sort_by_key(order);
    Ok(all)
}

/// By time; those of one second in an order that stays.
fn order(snapshot: &wire::Snapshot) -> String {
    // Beyond the year 1970 by a good deal, so that texts compare as numbers.
    format!("{:020} {}", time(&snapshot.create_time).as_second().max(0), snapshot.uuid)
}

/// At most some 1023 a volume, so that a page is cut from the whole list.
pub(super) async fn page(array: &Ontap, id: &VolumeId, page: &PageRequest) -> Result<Page<Snapshot>, DriverError> {
    let volume = volumes::get(array, id).await?;
    let read_write = volumes::is_read_write(&array.learned().await?, &volume);
    let cut = Page::cut(list(array, &volume.uuid, "").await?, page, order);
    let tell = |snapshot| tell(vec![snapshot], read_write);
    Ok(Page { items: cut.items.into_iter().map(tell).collect(), next: cut.next })
}

/// A volume's snapshot of a key, with whatever label and whoever made it.
pub(super) async fn find_by_key(array: &Ontap, volume: &str, key: &str) -> Result<Option<wire::Snapshot>, DriverError> {
    let all = list(array, volume, &format!("name={}", names::begins(key))).await?;
    Ok(all.into_iter().find(|snapshot| naming::is_for_key(&SNAPSHOTS, &snapshot.name, key)))
}

/// The snapshot of this volume, or NotFound.
pub(super) async fn get(array: &Ontap, volume: &VolumeId, id: &ArraySnapshotId) -> Result<wire::Snapshot, DriverError> {
    let found: Option<wire::Snapshot> =
        if Uuid::parse_str(id.as_str()).is_ok() && Uuid::parse_str(volume.as_str()).is_ok() {
            array.client.find(&format!("/storage/volumes/{volume}/snapshots/{id}"), "show a snapshot").await?
        } else {
            None
        };
    // An answer of another object than asked for is none.
    found.filter(|snapshot| snapshot.uuid == id.as_str()).ok_or_else(|| {
        let text = format!("there is no snapshot '{id}' of volume '{volume}'; list the volume's snapshots");
        DriverError::new(Reason::NotFound, text)
    })
}

/// The comment of ours that proves something for this volume: not one that came with a copy (S2).
pub(super) fn comment_of(snapshot: &wire::Snapshot) -> Option<Comment> {
    let origin = &snapshot.provenance_volume.uuid;
    let here = origin.is_empty() || *origin == snapshot.volume.uuid;
    Comment::read(&snapshot.comment).filter(|comment| here && comment.is_for(&snapshot.volume.uuid))
}

/// Refuses a snapshot that is not the caller's, or was cut of other volumes. A part of a consistency group's snapshot may bear its
/// mark on the group alone.
pub(super) async fn check_ours(
    array: &Ontap,
    snapshot: &wire::Snapshot,
    mark: &Mark,
    volumes: &[&str],
) -> Result<Comment, DriverError> {
    let own = comment_of(snapshot);
    let comment = if snapshot.comment.is_empty() {
        groups::find_snapshot(array, &snapshot.volume.uuid, &mark.key).await?.and_then(|(_, whole)| {
            let same = whole.name == snapshot.name;
            Comment::read(&whole.comment).filter(|comment| same && comment.is_for(&snapshot.volume.uuid))
        })
    } else {
        own
    };
    let Some(comment) = comment.filter(|comment| comment.belongs_to(mark)) else {
        return Err(DriverError::new(
            Reason::NotOurs,
            format!(
                "snapshot '{}' of volume {} is not this installation's (its comment is '{}'); it is left alone, remove it by \
                 hand if it may go",
                snapshot.name, snapshot.volume.uuid, snapshot.comment
            ),
        ));
    };
    if !volumes.is_empty() && !comment.is_for_all(volumes.iter().copied()) {
        return Err(DriverError::new(
            Reason::KeyReused,
            format!(
                "key '{}' names snapshot '{}', which was cut of other volumes; use another key",
                mark.key, snapshot.name
            ),
        ));
    }
    Ok(comment)
}

/// The clones that need a snapshot, for people: `name (uuid)`.
pub(super) async fn dependents(array: &Ontap, snapshot: &wire::Snapshot) -> Result<Vec<String>, DriverError> {
    let query = format!(
        "clone.parent_volume.uuid={}&clone.parent_snapshot.uuid={}",
        literal(&snapshot.volume.uuid),
        literal(&snapshot.uuid)
    );
    let clones = volumes::list(array, &query).await?;
    Ok(clones.into_iter().map(|clone| format!("{} ({})", clone.name, clone.uuid)).collect())
}

/// The parts of one snapshot as we tell them on.
pub(super) fn tell(parts: Vec<wire::Snapshot>, read_write: bool) -> Snapshot {
    let comments: Vec<Option<Comment>> = parts.iter().map(comment_of).collect();
    let atomic = parts.len() == 1 || comments.iter().all(|comment| comment.as_ref().is_some_and(|it| it.one_point));
    let times = || parts.iter().map(|part| time(&part.create_time));
    let (first, last) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
    Snapshot {
        cut_time: first,
        skew_us: if atomic { 0 } else { skew_us(first, last) },
        mark: comments.into_iter().next().flatten().filter(|_| read_write).map(|comment| comment.mark),
        comment: parts.first().map(|part| part.comment.clone()).unwrap_or_default(),
        members: parts
            .into_iter()
            .map(|part| SnapshotMember {
                volume_uuid: part.volume.uuid.clone(),
                volume: VolumeId(part.volume.uuid),
                id: ArraySnapshotId(part.uuid),
                native_name: part.name,
                used_bytes: part.size,
            })
            .collect(),
    }
}

/// Never less than it was: the times are cut to whole seconds.
fn skew_us(first: Timestamp, last: Timestamp) -> u64 {
    u64::try_from(last.duration_since(first).as_micros()).unwrap_or_default() + TIME_UNIT_US
}
