//! FlexClone volumes: a volume that starts as a snapshot of another, in constant time.

use super::{
    super::{
        call::Call,
        refusal::Refusal,
        reply::{Reply, Work},
    },
    time,
    volume_make::Wanted,
    volumes::VOLUME,
};
use crate::world::storage::{Array, NewClone};
use serde_json::Value;
use uuid::Uuid;

/// The snapshot that a body names, or a new one where it names none.
fn base(array: &Array<'_>, volume: Uuid, named: &Value, clone: &str) -> Result<Uuid, Refusal> {
    let text = |part: &str| named.get(part).and_then(Value::as_str);
    let (id, name) = (text("uuid"), text("name"));
    if id.is_none() && name.is_none() {
        // ONTAP makes one of its own then, and keeps it for as long as the clone lives.
        let stamp: String = time(array.info()?.time).chars().filter(char::is_ascii_digit).take(14).collect();
        return Ok(array.create_snapshot(volume, &format!("clone_{clone}.{stamp}"), "")?.id);
    }
    let snapshots = array.snapshots(volume)?;
    let fits = |s: &crate::world::storage::Snapshot| {
        id.is_none_or(|id| s.id.to_string() == id) && name.is_none_or(|name| s.name == name)
    };
    let shown = name.or(id).unwrap_or_default();
    let absent =
        || Refusal::code("1638600", &format!("Snapshot \"{shown}\" does not exist.")).target("clone.parent_snapshot");
    Ok(snapshots.iter().find(|s| fits(s)).ok_or_else(absent)?.id)
}

/// POST /storage/volumes with clone.is_flexclone
pub(super) fn post(call: &Call, wanted: Wanted) -> Result<Reply, Refusal> {
    call.face.may_clone()?;
    for field in ["size", "aggregates"] {
        if call.body.at(field).is_some() {
            let message = format!("Field \"{field}\" is not allowed when a FlexClone volume is created.");
            return Err(Refusal::code("918247", &message).target(field));
        }
    }
    let parent =
        call.body.at("clone.parent_volume").cloned().ok_or_else(|| Refusal::missing("clone.parent_volume.name"))?;
    let snapshot = call.body.at("clone.parent_snapshot").cloned().unwrap_or_default();
    // The parent is looked for when the job runs: it may be gone by then. What names nothing is refused at once.
    if parent.get("name").is_none() && parent.get("uuid").is_none() {
        return Err(Refusal::missing("clone.parent_volume.name"));
    }
    let name = wanted.name.clone();
    let svm = wanted.svm.clone();
    Ok(Work::making(&VOLUME, &call.path, &name, move |face| {
        wanted.check(face)?;
        let array = face.array()?;
        let text = |part: &str| parent.get(part).and_then(Value::as_str);
        let fits = |v: &crate::world::storage::Volume| {
            text("uuid").is_none_or(|id| v.id.to_string() == id) && text("name").is_none_or(|name| v.name == name)
        };
        let found = array.volumes()?.into_iter().filter(fits);
        let mut found = found.filter_map(|v| face.facts(&v).ok().map(|facts| (v, facts)));
        let found = found.find(|(_, facts)| facts.svm == svm && facts.queued_until.is_none());
        let absent = || {
            let shown = text("name").or(text("uuid")).unwrap_or_default();
            Refusal::code("524601", &format!("The parent volume \"{shown}\" does not exist."))
                .target("clone.parent_volume")
        };
        let (parent, facts) = found.ok_or_else(absent)?;
        if !facts.online {
            return Err(Refusal::code("524479", &format!("Volume \"{}\" is offline.", parent.name)));
        }
        if array.volumes()?.iter().any(|v| v.name == wanted.name) {
            return Err(Refusal::code("917526", &format!("Volume \"{}\" already exists.", wanted.name)).target("name"));
        }
        let snapshot = base(&array, parent.id, &snapshot, &wanted.name)?;
        let (name, comment, export_path) = (wanted.name.clone(), wanted.comment.clone(), wanted.path.clone());
        let made = array.clone_volume(parent.id, snapshot, NewClone { name, comment, export_path })?;
        wanted.settle(face, &made, Some(facts))?;
        face.volume_record(&face.array()?.volume(made.id)?)
    }))
}
