//! POST /storage/luns: a new LUN, or a clone of one within its volume, live or out of `.snapshot/<name>/`.

use super::{
    super::{Face, call::Call, refusal::Refusal, reply::Reply, state::SanFacts},
    luns::LUN,
};
use crate::world::storage::{Lun, NewLun, NewLunClone, Volume};
use serde_json::Value;
use uuid::Uuid;

const KNOWN: &[&str] = &[
    "name",
    "svm",
    "os_type",
    "comment",
    "location.volume",
    "location.logical_unit",
    "location.qtree.name",
    "space.size",
    "space.guarantee.requested",
    "space.scsi_thin_provisioning_support_enabled",
    "clone.source",
    "qos_policy.name",
    "auto_delete",
];

/// Where a LUN's content comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) volume: Uuid,
    pub(super) lun: Uuid,
    pub(super) snapshot: Option<Uuid>,
    pub(super) size_bytes: u64,
}

/// `/vol/<volume>/<rest>` taken apart.
fn path_of(name: &str) -> Result<(&str, &str), Refusal> {
    let parts = name.strip_prefix("/vol/").and_then(|rest| rest.split_once('/'));
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '{' | '}' | '/');
    match parts {
        Some((volume, rest)) if !volume.is_empty() && !rest.is_empty() && rest.chars().all(legal) => Ok((volume, rest)),
        _ => Err(Refusal::code("5374352", &format!("The LUN name \"{name}\" is invalid.")).target("name")),
    }
}

/// What `clone.source` names: a live LUN, or one in a snapshot by its path.
pub(super) fn source(call: &Call) -> Result<Source, Refusal> {
    let reference = call.body.at("clone.source");
    let text = |part: &str| reference.and_then(|r| r.get(part)).and_then(Value::as_str);
    let Some(name) = text("name") else {
        let (volume, lun) = call.named_lun(reference, "5374875")?;
        return Ok(Source { volume: volume.id, lun: lun.id, snapshot: None, size_bytes: lun.size_bytes });
    };
    let (volume_name, rest) = path_of(name)?;
    let Some(past) = rest.strip_prefix(".snapshot/") else {
        let (volume, lun) = call.named_lun(reference, "5374875")?;
        return Ok(Source { volume: volume.id, lun: lun.id, snapshot: None, size_bytes: lun.size_bytes });
    };
    if text("uuid").is_some() {
        let message = "A LUN in a snapshot is named by its path; its UUID is not allowed.";
        return Err(Refusal::code("5374899", message).target("clone.source.uuid"));
    }
    let absent =
        || Refusal::code("5374876", &format!("The LUN \"{name}\" does not exist.")).target("clone.source.name");
    let (snapshot, unit) = past.split_once('/').ok_or_else(absent)?;
    let array = call.face.array()?;
    let volume = call.volumes()?.into_iter().find(|v| v.name == volume_name).ok_or_else(absent)?;
    let snapshot = array.snapshots(volume.id)?.into_iter().find(|s| s.name == snapshot).ok_or_else(absent)?;
    let found = array.snapshot_luns(volume.id, snapshot.id)?.into_iter().find(|lun| lun.name == unit);
    let lun = found.ok_or_else(absent)?;
    Ok(Source { volume: volume.id, lun: lun.id, snapshot: Some(snapshot.id), size_bytes: lun.size_bytes })
}

/// The volume and the name in it that the new LUN is to have.
fn place(call: &Call) -> Result<(Volume, String), Refusal> {
    let absent = "5374858";
    if let Some(name) = call.body.text("name")?
        && name.starts_with('/')
    {
        let (volume, unit) = path_of(name)?;
        let reference = serde_json::json!({"name": volume});
        return Ok((call.named_volume(Some(&reference), "name", absent)?, unit.to_owned()));
    }
    let unit = match call.body.text("location.logical_unit")? {
        Some(unit) => unit,
        None => call.body.required("name")?,
    };
    let unit = match call.body.text("location.qtree.name")? {
        Some(qtree) if !qtree.is_empty() => format!("{qtree}/{unit}"),
        _ => unit.to_owned(),
    };
    let volume = call.named_volume(call.body.at("location.volume"), "location.volume", absent)?;
    path_of(&format!("/vol/{}/{unit}", volume.name))?;
    Ok((volume, unit))
}

impl Face {
    /// LUNs of an offline volume cannot be made, cloned or replaced (5374866).
    pub(super) fn lun_volume_online(&self, volume: Uuid) -> Result<(), Refusal> {
        let volume = self.array()?.volume(volume)?;
        if self.facts(&volume)?.online {
            return Ok(());
        }
        Err(Refusal::code("5374866", &format!("The volume \"{}\" is offline.", volume.name)))
    }

    fn made_lun(&self, lun: &Lun, facts: SanFacts) -> Result<Value, Refusal> {
        self.with(|state| state.luns.insert(lun.id, facts));
        self.lun_record(&self.array()?.volume(lun.volume)?, lun)
    }
}

fn clone(call: &Call, volume: &Volume, name: String, comment: String) -> Result<Reply, Refusal> {
    if call.body.at("os_type").is_some() {
        let message = "The property \"os_type\" cannot be specified when a LUN is cloned.";
        return Err(Refusal::code("5374883", message).target("os_type"));
    }
    call.face.may_clone()?;
    let source = source(call)?;
    if source.volume != volume.id {
        return Err(Refusal::code("1260121", "The source and the clone must lie in one volume."));
    }
    if call.body.size("space.size")?.is_some_and(|size| size != source.size_bytes) {
        return Err(Refusal::not_settable("space.size"));
    }
    let id = volume.id;
    Ok(Reply::now(&LUN, move |face| {
        face.lun_volume_online(id)?;
        face.start_sharing(id, source.snapshot)?;
        let made = face.array()?.clone_lun(source.lun, source.snapshot, NewLunClone { name, comment });
        let made = made.map_err(|error| Refusal::from(error).instead("5374242", "1260136"))?;
        let facts = face.lun_facts(&made, "");
        face.made_lun(&made, facts)
    }))
}

/// POST /storage/luns
pub(super) fn post(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    call.params.only(&[])?;
    call.body.only(KNOWN, &call.params)?;
    let svm = call.svm_for_new()?;
    let (volume, name) = place(call)?;
    if call.face.facts(&volume)?.svm != svm {
        return Err(Refusal::code("5374858", &format!("The volume \"{}\" is not in SVM \"{svm}\".", volume.name)));
    }
    let comment = call.body.text("comment")?.unwrap_or_default().to_owned();
    if call.body.at("clone").is_some() {
        return clone(call, &volume, name, comment);
    }
    let os_type = call.body.required("os_type")?.to_owned();
    let size_bytes = call.body.size("space.size")?.ok_or_else(|| Refusal::missing("space.size"))?;
    // Sizes are rounded up to whole sectors.
    let size_bytes = size_bytes.div_ceil(512).saturating_mul(512);
    let id = volume.id;
    Ok(Reply::now(&LUN, move |face| {
        face.lun_volume_online(id)?;
        face.has_space()?;
        let made = face.array()?.create_lun(id, NewLun { name, comment, size_bytes })?;
        face.made_lun(&made, SanFacts { svm, os_type, ..SanFacts::default() })
    }))
}
