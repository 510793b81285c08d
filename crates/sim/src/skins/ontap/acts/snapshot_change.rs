//! PATCH and DELETE of snapshots, and what locks one.

use super::{
    super::{
        Face,
        call::Call,
        refusal::Refusal,
        reply::{Reply, Work},
        state::SnapshotFacts,
    },
    snapshot_make::{check_comment, check_name, facts},
};
use crate::world::storage::Snapshot;
use std::time::Duration;
use uuid::Uuid;

impl Face {
    /// Why a snapshot cannot be deleted now.
    pub(super) fn lock_of(&self, volume: Uuid, snapshot: &Snapshot) -> Result<Option<Refusal>, Refusal> {
        let now = self.array()?.info()?.time;
        let facts = self.with(|state| state.snapshots.get(&snapshot.id).cloned()).unwrap_or_default();
        let unexpired = |time: &Option<(String, jiff::Timestamp)>| time.as_ref().is_some_and(|(_, until)| *until > now);
        let name = &snapshot.name;
        if unexpired(&facts.locked_until) || unexpired(&facts.expiry_time) {
            return Ok(Some(Refusal::code("1638555", &format!("Snapshot \"{name}\" has not expired or is locked."))));
        }
        let owners = self.owners(volume, snapshot.id)?;
        if owners.is_empty() {
            return Ok(None);
        }
        let code = if facts.owners.is_empty() { "1638555" } else { "1638543" };
        let message = format!("Snapshot \"{name}\" is locked by: {}.", owners.join(", "));
        Ok(Some(Refusal::code(code, &message)))
    }

    pub(super) fn delete_snapshot(&self, volume: Uuid, id: Uuid) -> Result<(), Refusal> {
        let array = self.array()?;
        let snapshot = array.snapshot(volume, id)?;
        if let Some(refusal) = self.lock_of(volume, &snapshot)? {
            return Err(refusal);
        }
        array.delete_snapshot(volume, id)?;
        self.with(|state| state.snapshots.remove(&id));
        Ok(())
    }

    fn change_snapshot(
        &self,
        volume: Uuid,
        id: Uuid,
        name: Option<&str>,
        comment: Option<&str>,
        new: SnapshotFacts,
    ) -> Result<(), Refusal> {
        let array = self.array()?;
        let absent = |refusal: Refusal| refusal.instead("1638600", "542797");
        let held = array.snapshot(volume, id).map_err(Refusal::from).map_err(absent)?;
        let old = self.with(|state| state.snapshots.get(&id).cloned()).unwrap_or_default();
        if let (Some((_, old)), Some((_, new))) = (&old.locked_until, &new.locked_until)
            && new < old
        {
            return Err(
                Refusal::code("1638616", "A lock's expiry time can only be moved on.").target("snaplock.expiry_time")
            );
        }
        array.change_snapshot(volume, id, name.unwrap_or(&held.name), comment.unwrap_or(&held.comment))?;
        self.with(|state| {
            let facts = state.snapshots.entry(id).or_default();
            facts.expiry_time = new.expiry_time.or(facts.expiry_time.take());
            facts.locked_until = new.locked_until.or(facts.locked_until.take());
            facts.label = new.label.or(facts.label.take());
        });
        Ok(())
    }
}

/// PATCH /storage/volumes/{uuid}/snapshots/{uuid}
pub(super) fn patch(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let (volume, snapshot) = call.snapshot(ids)?;
    call.params.only(&[])?;
    let known = [
        "name",
        "comment",
        "expiry_time",
        "snapmirror_label",
        "snaplock.expiry_time",
        "snaplock_expiry_time",
        "uuid",
        "volume",
    ];
    call.body.only(&known, &call.params)?;
    let text = |field| call.body.text(field).map(|text| text.map(str::to_owned));
    let (name, comment, new) = (text("name")?, text("comment")?, facts(call)?);
    name.as_deref().map(check_name).transpose()?;
    comment.as_deref().map(check_comment).transpose()?;
    Ok(Work::changing(move |face| {
        face.change_snapshot(volume.id, snapshot.id, name.as_deref(), comment.as_deref(), new)
    }))
}

/// DELETE /storage/volumes/{uuid}/snapshots/{uuid}: a job that tries for a while where the snapshot is locked.
pub(super) fn delete(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let (volume, snapshot) = call.snapshot(ids)?;
    call.params.only(&["name", "volume.uuid"])?;
    let locked = call.face.lock_of(volume.id, &snapshot)?.is_some();
    let mut reply = Work::changing(move |face| face.delete_snapshot(volume.id, snapshot.id));
    if let (Reply::Work(work), true) = (&mut reply, locked) {
        work.extra_delay = Duration::from_millis(call.face.settings().locked_delete_ms);
    }
    Ok(reply)
}
