//! PATCH /storage/volumes/{uuid}: rename, junction, policy, state, size, split; a restore goes its own way.

use super::{
    super::{
        Face, Release,
        call::Call,
        refusal::Refusal,
        reply::{Reply, Work},
    },
    volume_make::{check_name, check_path, permissions},
    volume_restore,
};
use serde_json::Value;
use uuid::Uuid;

const KNOWN: &[&str] = &[
    "name",
    "comment",
    "size",
    "state",
    "uuid",
    "svm",
    "nas.path",
    "nas.export_policy",
    "nas.security_style",
    "nas.unix_permissions",
    "nas.uid",
    "nas.gid",
    "snapshot_policy.name",
    "guarantee.type",
    "snapshot_locking_enabled",
    "snapshot_directory_access_enabled",
    "clone.split_initiated",
    "space.snapshot.reserve_percent",
];

/// What a body says is to be changed.
#[derive(Debug, Clone, Default)]
struct Change {
    name: Option<String>,
    comment: Option<String>,
    size_bytes: Option<u64>,
    online: Option<bool>,
    path: Option<String>,
    policy: Option<Value>,
    security_style: Option<String>,
    unix_permissions: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    snapshot_policy: Option<String>,
    guarantee: Option<String>,
    locking: Option<bool>,
    directory: Option<bool>,
    split: bool,
}

impl Change {
    fn read(call: &Call) -> Result<Self, Refusal> {
        let body = &call.body;
        body.only(KNOWN, &call.params)?;
        let text = |field| body.text(field).map(|text| text.map(str::to_owned));
        let change = Change {
            name: text("name")?,
            comment: text("comment")?,
            size_bytes: body.size("size")?,
            online: match body.text("state")? {
                None => None,
                Some("online") => Some(true),
                Some("offline") => Some(false),
                Some(other) => return Err(Refusal::bad_value("state", other)),
            },
            path: text("nas.path")?,
            policy: body.at("nas.export_policy").cloned(),
            security_style: text("nas.security_style")?,
            unix_permissions: permissions(call)?,
            uid: body.size("nas.uid")?,
            gid: body.size("nas.gid")?,
            snapshot_policy: text("snapshot_policy.name")?,
            guarantee: text("guarantee.type")?,
            locking: body.flag("snapshot_locking_enabled")?,
            directory: body.flag("snapshot_directory_access_enabled")?,
            split: body.flag("clone.split_initiated")? == Some(true),
        };
        change.name.as_deref().map(check_name).transpose()?;
        change.path.as_deref().map(check_path).transpose()?;
        if change.locking.is_some() && call.face.release() < Release::V9_12_1 {
            return Err(Refusal::unexpected("snapshot_locking_enabled"));
        }
        Ok(change)
    }

    /// The policy's number.
    fn policy_of(&self, face: &Face, svm: &str) -> Result<Option<u64>, Refusal> {
        let Some(wanted) = &self.policy else { return Ok(None) };
        let found = face.with(|state| {
            let fits = |p: &&super::super::state::ExportPolicy| {
                let name = wanted.get("name").and_then(Value::as_str);
                let id = wanted.get("id").and_then(Value::as_u64);
                p.svm == svm
                    && (name.is_some() || id.is_some())
                    && name.is_none_or(|name| p.name == name)
                    && id.is_none_or(|id| p.id == id)
            };
            state.policies.iter().find(fits).map(|policy| policy.id)
        });
        let absent = || Refusal::code("918271", "The export policy does not exist.").target("nas.export_policy.name");
        found.map(Some).ok_or_else(absent)
    }

    fn make(self, face: &Face, id: Uuid) -> Result<(), Refusal> {
        let array = face.array()?;
        let volume = array.volume(id)?;
        let facts = face.facts(&volume)?;
        let policy = self.policy_of(face, &facts.svm)?;
        if facts.is_root && (self.path.is_some() || self.online == Some(false)) {
            return Err(Refusal::code("917531", "The root volume of an SVM cannot be unmounted or taken offline."));
        }
        let online = self.online.unwrap_or(facts.online);
        if !online && self.online.is_none() {
            return Err(Refusal::code("917533", &format!("Volume \"{}\" is offline.", volume.name)));
        }
        if self.locking == Some(false) && facts.snapshot_locking && face.has_locked_snapshot(id)? {
            return Err(Refusal::code("1638555", "The volume holds locked snapshots that have not expired."));
        }
        // Going offline leaves the name space; coming back does not return to it.
        let path = if self.online == Some(false) { Some(String::new()) } else { self.path };
        if self.name.is_some() || path.is_some() {
            let name = self.name.as_deref().unwrap_or(&volume.name);
            array.rename_volume(id, name, path.as_deref().unwrap_or(&volume.export_path))?;
        }
        if let Some(comment) = &self.comment {
            array.set_volume_comment(id, comment)?;
        }
        if let Some(size_bytes) = self.size_bytes {
            array.resize_volume(id, size_bytes)?;
        }
        if self.split {
            face.may_clone()?;
            array.split_clone(id)?;
        }
        if online != facts.online {
            for lun in array.luns(id)? {
                array.set_lun_online(lun.id, online)?;
            }
        }
        face.with(|state| {
            let Some(facts) = state.volumes.get_mut(&id) else { return };
            facts.online = online;
            facts.policy = policy.unwrap_or(facts.policy);
            facts.unix_permissions = self.unix_permissions.unwrap_or(facts.unix_permissions);
            facts.uid = self.uid.unwrap_or(facts.uid);
            facts.gid = self.gid.unwrap_or(facts.gid);
            facts.snapshot_locking = self.locking.unwrap_or(facts.snapshot_locking);
            facts.snapshot_directory = self.directory.unwrap_or(facts.snapshot_directory);
            for (held, new) in [
                (&mut facts.security_style, self.security_style),
                (&mut facts.snapshot_policy, self.snapshot_policy),
                (&mut facts.guarantee, self.guarantee),
            ] {
                if let Some(new) = new {
                    *held = new;
                }
            }
        });
        Ok(face.export_again()?)
    }
}

/// PATCH /storage/volumes/{uuid}
pub(super) fn patch(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let volume = call.volume(ids[0])?;
    if volume_restore::is_asked(call) {
        return volume_restore::patch(call, &volume);
    }
    call.params.only(&[])?;
    let change = Change::read(call)?;
    Ok(Work::changing(move |face| change.make(face, volume.id)))
}
