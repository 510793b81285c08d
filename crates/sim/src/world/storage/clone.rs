//! Clones of volumes: writable volumes that start as a snapshot.

use super::{
    array::Array,
    error::StorageError,
    snapshot::Snapshot,
    volume::{NewVolume, Provenance, Volume, insert},
};
use crate::world::Space;
use std::sync::Arc;
use uuid::Uuid;

/// What a clone is made from, beside its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClone {
    /// Its name.
    pub name: String,
    /// Free text.
    pub comment: String,
    /// The path under which it is exported once clients are allowed.
    pub export_path: String,
}

impl Array<'_> {
    /// Makes a volume that starts as the snapshot; its LUNs have new ids and serials and are shown to nobody. Constant time; takes space only for what is changed.
    pub fn clone_volume(&self, volume: Uuid, snapshot: Uuid, new: NewClone) -> Result<Volume, StorageError> {
        let made = self.change(|storage, now| {
            let array = storage.array(self.name)?;
            let carry = array.spec.behaviour.clones_carry_snapshot;
            let size_bytes = array.volume(volume)?.tree.space().quota_bytes();
            let base = array.snapshot(volume, snapshot)?.clone();
            let NewClone { name, comment, export_path } = new;
            let new = NewVolume { name, comment, export_path, size_bytes };
            let tree = Arc::new(base.tree.fork(Space::with_quota(size_bytes)));
            let made = insert(storage, self.name, new, tree, Some(Provenance { volume, snapshot }), now)?;
            storage.copy_luns(self.name, made.id, base.luns.values(), Some(snapshot))?;
            if carry {
                let (id, sequence) = (storage.new_id(), storage.next_sequence());
                let info = Snapshot { id, volume: made.id, sequence, group: None, ..base.info.clone() };
                let copy = base.carried(info);
                storage.array(self.name)?.volume(made.id)?.snapshots.insert(id, copy);
            }
            Ok(made)
        })?;
        self.count("clones_made");
        Ok(made)
    }
}
