//! Snapshots of volumes, as lists show them.

use super::{
    super::{Face, Release, call::Call, dispatch::Route, query::Kind, refusal::Refusal, reply::Reply},
    snapshot_change, snapshot_make, svm, time, without_empty,
};
use crate::world::storage::{Snapshot, Volume};
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) const ROUTES: &[Route] = &[
    (Release::V9_8, "GET", "storage/volumes/{}/snapshots", list),
    (Release::V9_8, "POST", "storage/volumes/{}/snapshots", snapshot_make::post),
    (Release::V9_8, "GET", "storage/volumes/{}/snapshots/{}", get),
    (Release::V9_8, "PATCH", "storage/volumes/{}/snapshots/{}", snapshot_change::patch),
    (Release::V9_8, "DELETE", "storage/volumes/{}/snapshots/{}", snapshot_change::delete),
];

pub(super) const SNAPSHOT: Kind = Kind {
    href: "/api/storage/volumes/{volume.uuid}/snapshots/{uuid}",
    key: &["volume.uuid", "uuid"],
    shown: &["uuid", "name", "volume.uuid", "volume.name"],
    expensive: &["reclaimable_space", "delta"],
    fields: "comment compress_savings create_time dedup_savings delta{size_consumed,time_elapsed} expiry_time \
        logical_size name owners provenance_volume{uuid,name} reclaimable_space size snaplock{expired,expiry_time,\
        time_until_expiry} snaplock_expiry_time snapmirror_label state svm{name,uuid} uuid vbn0_savings version_uuid \
        volume{name,uuid}",
};

impl Face {
    /// Who needs a snapshot: clones, blocks that are still being shared, and others.
    pub(super) fn owners(&self, volume: Uuid, snapshot: Uuid) -> Result<Vec<String>, Refusal> {
        let clones = self.array()?.volumes()?;
        let cloned = clones.iter().filter_map(|v| v.parent).any(|p| p.volume == volume && p.snapshot == snapshot);
        let (sharing, others) = self.with(|state| {
            let sharing = state.shares.iter().any(|share| share.snapshot == Some(snapshot));
            (sharing, state.snapshots.get(&snapshot).map(|facts| facts.owners.clone()).unwrap_or_default())
        });
        let own = [(cloned, "volume_clone"), (sharing, "lun_clone")].into_iter().filter(|(held, _)| *held);
        Ok(own.map(|(_, owner)| owner.to_owned()).chain(others).collect())
    }

    /// True where a tamperproof snapshot of the volume has not expired.
    pub(super) fn has_locked_snapshot(&self, volume: Uuid) -> Result<bool, Refusal> {
        let array = self.array()?;
        let (now, snapshots) = (array.info()?.time, array.snapshots(volume)?);
        Ok(self.with(|state| {
            let locked = |s: &Snapshot| state.snapshots.get(&s.id).and_then(|facts| facts.locked_until.as_ref());
            snapshots.iter().filter_map(locked).any(|(_, until)| *until > now)
        }))
    }

    /// The snapshot that this one is a copy of: a clone carries its parent's.
    fn origin(&self, volume: &Volume, snapshot: &Snapshot) -> Result<(Uuid, Uuid), Refusal> {
        let Some(parent) = volume.parent else { return Ok((volume.id, snapshot.id)) };
        let original = self.array()?.snapshot(parent.volume, parent.snapshot);
        Ok(match original {
            Ok(original) if original.name == snapshot.name && original.created == snapshot.created => {
                (parent.volume, original.id)
            }
            _ => (volume.id, snapshot.id),
        })
    }

    /// A snapshot as clients see it.
    pub(super) fn snapshot_record(&self, volume: &Volume, snapshot: &Snapshot) -> Result<Value, Refusal> {
        let facts = self.with(|state| state.snapshots.get(&snapshot.id).cloned()).unwrap_or_default();
        let (release, now) = (self.release(), self.array()?.info()?.time);
        let (origin, version) = self.origin(volume, snapshot)?;
        let owners = self.owners(volume.id, snapshot.id)?;
        let lock = facts.locked_until.as_ref();
        let (nested, flat) = match lock {
            Some((text, until)) if release >= Release::V9_15_1 => {
                (json!({"expiry_time": text, "expired": *until <= now}), Value::Null)
            }
            Some((text, _)) if release >= Release::V9_12_1 => (Value::Null, json!(text)),
            _ => (Value::Null, Value::Null),
        };
        Ok(without_empty(json!({
            "uuid": snapshot.id,
            "name": snapshot.name,
            "comment": snapshot.comment,
            "create_time": time(snapshot.created),
            "state": "valid",
            "size": 0,
            "logical_size": volume.used_bytes,
            "reclaimable_space": 0,
            "expiry_time": facts.expiry_time.as_ref().map(|(text, _)| text),
            "snaplock": nested,
            "snaplock_expiry_time": flat,
            "snapmirror_label": facts.label,
            "owners": if owners.is_empty() { Value::Null } else { json!(owners) },
            "svm": svm(self, &self.facts(volume)?.svm),
            "volume": {"name": volume.name, "uuid": volume.id},
            "provenance_volume": {"uuid": origin},
            "version_uuid": if release >= Release::V9_12_1 { json!(version) } else { Value::Null },
        })))
    }
}

impl Call {
    /// A snapshot of a volume that the account sees.
    pub(super) fn snapshot(&self, ids: &[&str]) -> Result<(Volume, Snapshot), Refusal> {
        let volume = self.volume(ids[0])?;
        let snapshot = self.face.array()?.snapshot(volume.id, self.id(ids[1])?).map_err(|_| Refusal::absent())?;
        Ok((volume, snapshot))
    }
}

fn list(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let volumes = if ids[0] == "*" { call.volumes()? } else { vec![call.volume(ids[0])?] };
    let mut records = Vec::new();
    for volume in volumes {
        for snapshot in call.face.array()?.snapshots(volume.id)? {
            records.push(call.face.snapshot_record(&volume, &snapshot)?);
        }
    }
    Ok(Reply::List(&SNAPSHOT, records))
}

fn get(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let (volume, snapshot) = call.snapshot(ids)?;
    Ok(Reply::One(&SNAPSHOT, call.face.snapshot_record(&volume, &snapshot)?))
}
