//! Restoring a whole volume in place, with the bite that some arrays have (safety.md S1).

use super::{array::Array, error::StorageError};
use std::sync::Arc;
use uuid::Uuid;

/// What a restore did beside restoring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The newer snapshots that it deleted.
    pub deleted_snapshots: Vec<Uuid>,
}

impl Array<'_> {
    /// Makes the live volume what the snapshot is, its LUNs too: those that are in both keep id, serial and maps, one made
    /// since is gone under whoever uses it, one deleted since is back, shown to nobody. Where the array eats newer snapshots and a clone depends on one of
    /// them, nothing happens and the clones are named.
    pub fn restore_volume(&self, volume: Uuid, snapshot: Uuid) -> Result<Restored, StorageError> {
        let done = self.change(|storage, _| {
            let array = storage.array(self.name)?;
            let rules = array.spec.behaviour.clone();
            if !rules.volume_restore {
                return Err(StorageError::Unsupported("restoring a volume in place"));
            }
            let base = array.snapshot(volume, snapshot)?.clone();
            array.volume(volume)?.writable()?;
            let newer = array.volume(volume)?.snapshots.values().filter(|s| s.info.sequence > base.info.sequence);
            let eaten: Vec<Uuid> = newer.filter(|_| rules.restore_eats_newer).map(|s| s.info.id).collect();
            let pinned = eaten.iter().flat_map(|id| array.clones_of(volume, Some(*id)));
            let dependents: Vec<String> = pinned.map(|id| id.to_string()).collect();
            if !dependents.is_empty() {
                return Err(StorageError::Dependents { kind: "snapshot", id: snapshot.to_string(), dependents });
            }
            let live = array.volume(volume)?;
            Arc::clone(&live.tree).restore(&base.tree)?;
            live.restore_luns(&base.luns)?;
            for gone in eaten.iter().filter_map(|id| live.snapshots.remove(id)) {
                gone.destroy();
            }
            Ok(Restored { deleted_snapshots: eaten })
        })?;
        self.world.maps_changed();
        self.count("volumes_restored");
        Ok(done)
    }
}
