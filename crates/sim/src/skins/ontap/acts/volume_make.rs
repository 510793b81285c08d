//! POST /storage/volumes: a new volume, or a FlexClone.

use super::{
    super::{
        Face, Release,
        adopt::plain_facts,
        call::Call,
        refusal::Refusal,
        reply::{Reply, Work},
        state::VolumeFacts,
    },
    volume_clone,
    volumes::VOLUME,
};
use crate::world::storage::{NewVolume, Volume};

/// What a body may say of a new volume, clone or not.
const KNOWN: &[&str] = &[
    "name",
    "svm",
    "size",
    "aggregates",
    "comment",
    "style",
    "type",
    "state",
    "nas",
    "guarantee.type",
    "snapshot_policy.name",
    "snapshot_locking_enabled",
    "snapshot_directory_access_enabled",
    "clone.is_flexclone",
    "clone.parent_volume",
    "clone.parent_snapshot",
    "clone.parent_svm",
    "space.snapshot.reserve_percent",
    "language",
];

/// What a new volume is said to be, beside its content.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) svm: String,
    pub(super) comment: String,
    pub(super) path: String,
    policy: Option<String>,
    snapshot_policy: Option<String>,
    guarantee: Option<String>,
    security_style: Option<String>,
    unix_permissions: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    locking: bool,
}

/// The rules for names of volumes: 917886, 917887, 917888.
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    let refuse = |code: &str, why: &str| {
        Err(Refusal::code(code, &format!("Volume name \"{name}\" is invalid: {why}.")).target("name"))
    };
    if name.len() > 203 {
        return refuse("917886", "it is longer than 203 characters");
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return refuse("917887", "the first character must be a letter or an underscore");
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return refuse("917888", "it may hold letters, digits and underscores");
    }
    Ok(())
}

/// The rules for junction paths: 918252.
pub(super) fn check_path(path: &str) -> Result<(), Refusal> {
    let parts = path.strip_prefix('/').map(|rest| rest.split('/').all(|part| !matches!(part, "" | "." | "..")));
    if path.is_empty() || (parts == Some(true) && path.len() <= 255) {
        return Ok(());
    }
    Err(Refusal::code("918252", &format!("The junction path \"{path}\" is invalid.")).target("nas.path"))
}

/// Permissions as a number in octal digits or a text of them.
pub(super) fn permissions(call: &Call) -> Result<Option<u64>, Refusal> {
    call.body.size("nas.unix_permissions")
}

impl Wanted {
    fn read(call: &Call) -> Result<Self, Refusal> {
        let body = &call.body;
        body.only(KNOWN, &call.params)?;
        call.params.only(&[])?;
        let name = body.required("name")?.to_owned();
        check_name(&name)?;
        let path = body.text("nas.path")?.unwrap_or_default().to_owned();
        check_path(&path)?;
        let locking = body.flag("snapshot_locking_enabled")?;
        if locking.is_some() && call.face.release() < Release::V9_12_1 {
            return Err(Refusal::unexpected("snapshot_locking_enabled"));
        }
        let text = |field| body.text(field).map(|text| text.map(str::to_owned));
        Ok(Wanted {
            svm: call.svm_for_new()?,
            comment: body.text("comment")?.unwrap_or_default().to_owned(),
            policy: text("nas.export_policy.name")?,
            snapshot_policy: text("snapshot_policy.name")?,
            guarantee: text("guarantee.type")?,
            security_style: text("nas.security_style")?,
            unix_permissions: permissions(call)?,
            uid: body.size("nas.uid")?,
            gid: body.size("nas.gid")?,
            locking: locking.unwrap_or(false),
            name,
            path,
        })
    }

    /// What must hold when the volume is made: the policy is there, the junction is free and its parent is a volume.
    pub(super) fn check(&self, face: &Face) -> Result<(), Refusal> {
        if let Some(name) = &self.policy {
            let known = face.with(|state| state.policy_named(&self.svm, name).is_some());
            if !known {
                let message = format!("The export policy \"{name}\" does not exist.");
                return Err(Refusal::code("918271", &message).target("nas.export_policy.name"));
            }
        }
        face.has_space()
    }

    /// Writes down what the world does not know of a volume that was just made.
    pub(super) fn settle(self, face: &Face, made: &Volume, parent: Option<VolumeFacts>) -> Result<(), Refusal> {
        let keep = face.settings().clone_keeps_policy;
        face.with(|state| {
            let named = self.policy.as_deref().or(Some("default"));
            let inherited = parent.as_ref().filter(|_| keep && self.policy.is_none()).map(|facts| facts.policy);
            let policy = inherited.or_else(|| state.policy_named(&self.svm, named?).map(|policy| policy.id));
            state.next_dsid += 1;
            let dsid = 1024 + state.next_dsid;
            let base = parent.unwrap_or_else(|| plain_facts(&self.svm, 0, dsid));
            let facts = VolumeFacts {
                svm: self.svm,
                policy: policy.unwrap_or_default(),
                is_root: false,
                online: true,
                snapshot_policy: self.snapshot_policy.unwrap_or(base.snapshot_policy),
                guarantee: self.guarantee.unwrap_or(base.guarantee),
                security_style: self.security_style.unwrap_or(base.security_style),
                unix_permissions: self.unix_permissions.unwrap_or(base.unix_permissions),
                uid: self.uid.unwrap_or(base.uid),
                gid: self.gid.unwrap_or(base.gid),
                snapshot_locking: self.locking,
                snapshot_directory: base.snapshot_directory,
                dsid,
                queued_until: None,
            };
            state.volumes.insert(made.id, facts);
        });
        Ok(face.export_again()?)
    }
}

/// POST /storage/volumes
pub(super) fn post(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    let wanted = Wanted::read(call)?;
    if call.body.flag("clone.is_flexclone")? == Some(true) {
        return volume_clone::post(call, wanted);
    }
    if call.body.at("clone").is_some() {
        return Err(Refusal::missing("clone.is_flexclone"));
    }
    let size_bytes = call.body.size("size")?.ok_or_else(|| Refusal::missing("size"))?;
    let named =
        |aggregate: &serde_json::Value| aggregate.get("name").and_then(serde_json::Value::as_str) == Some("aggr1");
    let id = call.face.id_of("aggr1").to_string();
    let aggregates = call.body.list("aggregates")?;
    let known =
        |a: &serde_json::Value| named(a) || a.get("uuid").and_then(serde_json::Value::as_str) == Some(id.as_str());
    if !aggregates.iter().all(known) {
        return Err(Refusal::code("917644", "The aggregate does not exist.").target("aggregates"));
    }
    let name = wanted.name.clone();
    Ok(Work::making(&VOLUME, &call.path, &name, move |face| {
        wanted.check(face)?;
        let (name, comment, export_path) = (wanted.name.clone(), wanted.comment.clone(), wanted.path.clone());
        let made = face.array()?.create_volume(NewVolume { name, comment, export_path, size_bytes })?;
        wanted.settle(face, &made, None)?;
        face.volume_record(&face.array()?.volume(made.id)?)
    }))
}
