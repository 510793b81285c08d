//! DELETE /storage/volumes/{uuid}: into the recovery queue, or past it with `force`.

use super::super::{
    Face,
    call::Call,
    refusal::Refusal,
    reply::{Reply, Work},
};
use crate::world::storage::StorageError;
use std::time::Duration;
use uuid::Uuid;

/// How long the recovery queue keeps a volume.
const QUEUED: Duration = Duration::from_secs(12 * 3600);

impl Face {
    /// Ends a volume, and with it what is known of its snapshots and LUNs.
    pub(in super::super) fn destroy_volume(&self, id: Uuid) -> Result<(), StorageError> {
        let array = self.array()?;
        let (snapshots, luns) = (array.snapshots(id)?, array.luns(id)?);
        array.delete_volume(id)?;
        self.with(|state| {
            snapshots.iter().for_each(|snapshot| drop(state.snapshots.remove(&snapshot.id)));
            luns.iter().for_each(|lun| drop(state.luns.remove(&lun.id)));
        });
        Ok(())
    }

    /// Deletes a volume, or hides it in the recovery queue under `<name>_<DSID>`, where it still takes space.
    fn delete_volume(&self, id: Uuid, past_queue: bool) -> Result<(), Refusal> {
        let array = self.array()?;
        let volume = array.volume(id)?;
        let facts = self.facts(&volume)?;
        if facts.is_root {
            return Err(Refusal::code("917531", "The root volume of an SVM cannot be deleted."));
        }
        if let Some(clone) = array.volumes()?.iter().find(|v| v.parent.is_some_and(|parent| parent.volume == id)) {
            let message = format!("Volume \"{}\" has one or more clones: \"{}\".", volume.name, clone.name);
            return Err(Refusal::code("524615", &message));
        }
        if self.has_locked_snapshot(id)? {
            let message = format!("Volume \"{}\" holds locked snapshots that have not expired.", volume.name);
            return Err(Refusal::code("1638555", &message));
        }
        if array.luns(id)?.iter().any(|lun| !lun.maps.is_empty()) {
            let message = format!("Volume \"{}\" holds mapped LUNs.", volume.name);
            return Err(Refusal::code("1254197", &message));
        }
        // As ONTAP does: it leaves the name space and goes offline first.
        let name = if past_queue { volume.name.clone() } else { format!("{}_{}", volume.name, facts.dsid) };
        array.rename_volume(id, &name, "")?;
        let until = array.info()?.time.checked_add(QUEUED).unwrap_or(jiff::Timestamp::MAX);
        self.with(|state| {
            for group in state.groups.values_mut() {
                group.volumes.retain(|member| *member != id);
            }
            if let Some(facts) = state.volumes.get_mut(&id) {
                facts.online = false;
                facts.queued_until = (!past_queue).then_some(until);
            }
        });
        self.export_again()?;
        if past_queue {
            self.destroy_volume(id)?;
        } else if !self.settings().queue_pins {
            array.split_clone(id)?;
        }
        Ok(())
    }
}

/// DELETE /storage/volumes/{uuid}
pub(super) fn delete(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    call.params.only(&["force"])?;
    let past_queue = call.params.flag("force")? == Some(true);
    let volume = call.volume(ids[0])?;
    Ok(Work::changing(move |face| face.delete_volume(volume.id, past_queue)))
}
