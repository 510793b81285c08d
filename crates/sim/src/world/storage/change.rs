//! What an administrator changes about objects that stay: names and comments of snapshots, comments of volumes, and the
//! tie between a clone and its parent.

use super::{array::Array, error::StorageError, snapshot::Snapshot, volume::check_name};
use uuid::Uuid;

impl Array<'_> {
    /// Gives a snapshot another name and comment; it stays the same snapshot.
    pub fn change_snapshot(&self, volume: Uuid, id: Uuid, name: &str, comment: &str) -> Result<Snapshot, StorageError> {
        self.change(|storage, _| {
            let array = storage.array(self.name)?;
            check_name(name, comment, &array.spec.behaviour.clone())?;
            array.snapshot(volume, id)?;
            if array.volume(volume)?.snapshots.values().any(|s| s.info.id != id && s.info.name == name) {
                return Err(StorageError::Exists { kind: "snapshot", name: name.to_owned() });
            }
            let info = &mut array.snapshot(volume, id)?.info;
            (info.name, info.comment) = (name.to_owned(), comment.to_owned());
            Ok(info.clone())
        })
    }

    /// Gives a volume another comment.
    pub fn set_volume_comment(&self, id: Uuid, comment: &str) -> Result<(), StorageError> {
        self.change(|storage, _| {
            let array = storage.array(self.name)?;
            check_name("volume", comment, &array.spec.behaviour.clone())?;
            comment.clone_into(&mut array.volume(id)?.info.comment);
            Ok(())
        })
    }

    /// Makes a clone a volume of its own: its parent and the snapshot it came from may go. Fine for a volume that is no
    /// clone.
    pub fn split_clone(&self, id: Uuid) -> Result<(), StorageError> {
        self.change(|storage, _| {
            storage.array(self.name)?.volume(id)?.info.parent = None;
            Ok(())
        })
    }
}
