//! Replication, as much as safety.md S2 needs: a read-only copy of a volume whose snapshots carry the names and comments
//! of the originals.

use super::{
    array::Array,
    error::StorageError,
    lun::LunState,
    snapshot::{Snapshot, SnapshotState},
    volume::{NewVolume, Volume, insert},
};
use crate::world::Space;
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

impl Array<'_> {
    /// Makes a replica of a volume on another array of the world: the newest state, and every snapshot.
    pub fn replicate(&self, volume: Uuid, to_array: &str) -> Result<Volume, StorageError> {
        self.change(|storage, now| {
            let source = storage.array(self.name)?.volume(volume)?;
            let size_bytes = source.tree.space().quota_bytes();
            let tree = Arc::new(source.tree.fork(Space::with_quota(size_bytes)).snapshot());
            let (name, export_path) = (source.info.name.clone(), source.info.export_path.clone());
            let comment = source.info.comment.clone();
            let luns: Vec<LunState> = source.luns.values().cloned().collect();
            let mut snapshots: Vec<SnapshotState> = source.snapshots.values().cloned().collect();
            snapshots.sort_by_key(|s| s.info.sequence);
            let new = NewVolume { name, comment, export_path, size_bytes };
            let made = insert(storage, to_array, new, tree, None, now)?;
            storage.copy_luns(to_array, made.id, luns.iter(), None)?;
            for copied in snapshots {
                let (id, sequence) = (storage.new_id(), storage.next_sequence());
                let info = Snapshot { id, volume: made.id, sequence, ..copied.info.clone() };
                let state = copied.carried(info);
                storage.array(to_array)?.volume(made.id)?.snapshots.insert(id, state);
            }
            let replica = storage.array(to_array)?.volume(made.id)?;
            replica.info.read_only = true;
            for lun in replica.luns.values_mut() {
                lun.content = Arc::new(lun.content.snapshot());
            }
            replica.info.clients = BTreeSet::new();
            Ok(replica.shown())
        })
    }
}
