//! POST /storage/volumes/{uuid}/snapshots.

use super::{
    super::{
        Face, Release,
        call::Call,
        refusal::Refusal,
        reply::{Reply, Work},
        state::SnapshotFacts,
    },
    moment,
    snapshots::SNAPSHOT,
};
use uuid::Uuid;

/// The longest comment of a snapshot, in bytes.
const COMMENT_MAX_BYTES: usize = 255;

/// Rules for names of snapshots: 1638518, and 1638477 for what ONTAP keeps for itself.
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.starts_with("snapmirror.") {
        let message = format!("The snapshot name \"{name}\" begins with a reserved prefix.");
        return Err(Refusal::code("1638477", &message).target("name"));
    }
    if name.is_empty() || name.len() > 255 || name.starts_with(['.', '-']) || !name.chars().all(legal) {
        let message = format!("The snapshot name \"{}\" is invalid.", name.chars().take(300).collect::<String>());
        return Err(Refusal::code("1638518", &message).target("name"));
    }
    Ok(())
}

/// Expiry, lock and label out of a body.
pub(super) fn facts(call: &Call) -> Result<SnapshotFacts, Refusal> {
    let body = &call.body;
    let nested = call.face.release() >= Release::V9_15_1;
    for (field, is_there) in [("snaplock", nested), ("snaplock_expiry_time", call.face.release() >= Release::V9_12_1)] {
        if body.at(field).is_some() && !is_there {
            return Err(Refusal::unexpected(field));
        }
    }
    let when = |field: &'static str| {
        let text = body.text(field)?;
        text.map(|text| Ok::<_, Refusal>((text.to_owned(), moment(field, text)?))).transpose()
    };
    let label = body.text("snapmirror_label")?.map(str::to_owned);
    if let Some(label) = label.as_deref().filter(|label| label.is_empty() || label.len() > 31) {
        return Err(Refusal::bad_value("snapmirror_label", label));
    }
    let locked_until = when("snaplock.expiry_time")?.or(when("snaplock_expiry_time")?);
    Ok(SnapshotFacts { expiry_time: when("expiry_time")?, locked_until, label, owners: Vec::new() })
}

pub(super) fn check_comment(comment: &str) -> Result<(), Refusal> {
    if comment.len() > COMMENT_MAX_BYTES { Err(Refusal::bad_value("comment", comment)) } else { Ok(()) }
}

impl Face {
    /// Refuses where no snapshot of the volume can be taken just now.
    pub(super) fn may_snapshot(&self, id: Uuid) -> Result<(), Refusal> {
        let volume = self.array()?.volume(id)?;
        if !self.facts(&volume)?.online {
            return Err(Refusal::code("524479", &format!("Volume \"{}\" is offline.", volume.name)));
        }
        self.has_space()?;
        if self.with(|state| state.shares.iter().any(|share| share.volume == id)) {
            let message = format!("Volume \"{}\" is busy: blocks of a clone are being shared.", volume.name);
            return Err(Refusal::code("524486", &message));
        }
        Ok(())
    }

    fn make_snapshot(&self, id: Uuid, name: &str, comment: &str, facts: SnapshotFacts) -> Result<Uuid, Refusal> {
        self.may_snapshot(id)?;
        let volume = self.array()?.volume(id)?;
        if facts.locked_until.is_some() && !self.facts(&volume)?.snapshot_locking {
            let message = "Snapshot locking is not enabled on the volume.";
            return Err(Refusal::code("1638617", message).target("snaplock.expiry_time"));
        }
        let made = self.array()?.create_snapshot(id, name, comment)?;
        self.with(|state| state.snapshots.insert(made.id, facts));
        Ok(made.id)
    }
}

/// POST /storage/volumes/{uuid}/snapshots
pub(super) fn post(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let volume = call.volume(ids[0])?;
    call.params.only(&[])?;
    let known = [
        "name",
        "comment",
        "expiry_time",
        "snapmirror_label",
        "snaplock.expiry_time",
        "snaplock_expiry_time",
        "volume",
        "svm",
    ];
    call.body.only(&known, &call.params)?;
    let name = call.body.required("name")?.to_owned();
    check_name(&name)?;
    let comment = call.body.text("comment")?.unwrap_or_default().to_owned();
    check_comment(&comment)?;
    let facts = facts(call)?;
    Ok(Work::making(&SNAPSHOT, &call.path, &name.clone(), move |face| {
        let made = face.make_snapshot(volume.id, &name, &comment, facts)?;
        let array = face.array()?;
        face.snapshot_record(&array.volume(volume.id)?, &array.snapshot(volume.id, made)?)
    }))
}
