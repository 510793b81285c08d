//! The private CLI passthrough, as far as Strata needs it: the recovery queue, deleting a snapshot whatever owns it, and
//! the restore of one file before 9.10.1. Only accounts of the cluster may use it.

use super::{
    super::{
        Release,
        call::Call,
        dispatch::Route,
        query::Kind,
        refusal::Refusal,
        reply::{Reply, Work},
    },
    volume_restore::{self, within},
};
use crate::world::storage::Volume;
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    (Release::V9_8, "GET", "private/cli/volume/recovery-queue", queue),
    (Release::V9_8, "POST", "private/cli/volume/recovery-queue/purge", purge),
    (Release::V9_8, "DELETE", "private/cli/snapshot", delete_snapshot),
    (Release::V9_8, "POST", "private/cli/volume/snapshot/restore-file", restore_file),
];

const QUEUED: Kind = Kind {
    href: "/api/private/cli/volume/recovery-queue",
    key: &["vserver", "volume"],
    shown: &["vserver", "volume"],
    expensive: &[],
    fields: "vserver volume deletion_request_time deletion_hours_left retention_hours",
};

fn only_cluster(call: &Call) -> Result<(), Refusal> {
    if call.svm.is_none() { Ok(()) } else { Err(Refusal::new(403, "6", "not authorized for that command")) }
}

/// Volumes in the recovery queue with their SVMs and when their time is up.
fn queued(call: &Call) -> Result<Vec<(Volume, String, jiff::Timestamp)>, Refusal> {
    let facts = call.face.with(|state| state.volumes.clone());
    let queued = |v: Volume| {
        let held = facts.get(&v.id)?;
        Some((v, held.svm.clone(), held.queued_until?))
    };
    Ok(call.face.array()?.volumes()?.into_iter().filter_map(queued).collect())
}

fn queue(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    only_cluster(call)?;
    if call.params.get("fields").is_some_and(|fields| fields.contains('*')) {
        return Err(Refusal::code("262220", "Wildcards are not allowed for \"fields\" of private CLI calls."));
    }
    let now = call.face.array()?.info()?.time;
    let shown = |(volume, svm, until): (Volume, String, jiff::Timestamp)| {
        let hours = until.duration_since(now).as_hours();
        json!({"vserver": svm, "volume": volume.name, "deletion_hours_left": hours, "retention_hours": 12})
    };
    Ok(Reply::List(&QUEUED, queued(call)?.into_iter().map(shown).collect()))
}

fn purge(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    only_cluster(call)?;
    call.params.only(&["privilege_level"])?;
    let (svm, name) = (call.body.required("vserver")?, call.body.required("volume")?);
    let found = queued(call)?.into_iter().find(|(volume, held, _)| held == svm && volume.name == name);
    let (volume, ..) = found.ok_or_else(Refusal::absent)?;
    Ok(Work::changing(move |face| Ok(face.destroy_volume(volume.id)?)))
}

/// The volume that `vserver` and `volume` name.
fn named(call: &Call, svm: &str, name: &str) -> Result<Volume, Refusal> {
    for volume in call.volumes()?.into_iter().filter(|v| v.name == name) {
        if call.face.facts(&volume)?.svm == svm {
            return Ok(volume);
        }
    }
    Err(Refusal::code("917927", &format!("Volume \"{name}\" does not exist in SVM \"{svm}\".")))
}

fn delete_snapshot(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    only_cluster(call)?;
    call.params.only(&["vserver", "volume", "snapshot", "ignore-owners", "privilege_level"])?;
    let word = |name: &str| call.params.get(name).ok_or_else(|| Refusal::missing(name));
    let volume = named(call, word("vserver")?, word("volume")?)?;
    let reference = json!({"name": word("snapshot")?});
    let ignore = call.params.flag("ignore-owners")? == Some(true);
    Ok(Work::changing(move |face| {
        let snapshot = volume_restore::named(face, volume.id, &reference)?;
        if ignore {
            // Owners that are only written down are passed over; a clone's tie is real and stays.
            face.with(|state| {
                if let Some(facts) = state.snapshots.get_mut(&snapshot.id) {
                    facts.owners.clear();
                }
            });
        }
        face.delete_snapshot(volume.id, snapshot.id)
    }))
}

fn restore_file(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    only_cluster(call)?;
    call.params.only(&["privilege_level"])?;
    let body = &call.body;
    let volume = named(call, body.required("vserver")?, body.required("volume")?)?;
    let reference = json!({"name": body.required("snapshot")?});
    let path = body.required("path")?.to_owned();
    let to = body.at("restore-path").or(body.at("restore_path")).and_then(Value::as_str).map(str::to_owned);
    Ok(Work::changing(move |face| {
        face.may_restore()?;
        let snapshot = volume_restore::named(face, volume.id, &reference)?;
        let from = within(&path);
        face.restore_file(volume.id, &snapshot, (from, to.as_deref().map_or(from, within)), (None, None))
    }))
}
