//! Files as the array itself handles them, beneath any NFS client and its locks.

use super::{array::Array, error::StorageError};
use crate::world::{MemTree, tree::FileTree as _};
use std::sync::Arc;
use uuid::Uuid;

impl Array<'_> {
    /// The live files of a volume, or those of one of its snapshots.
    pub fn tree_at(&self, volume: Uuid, snapshot: Option<Uuid>) -> Result<Arc<MemTree>, StorageError> {
        match snapshot {
            Some(snapshot) => self.snapshot_tree(volume, snapshot),
            None => self.tree(volume),
        }
    }

    fn writable_tree(&self, volume: Uuid) -> Result<Arc<MemTree>, StorageError> {
        self.change(|storage, _| {
            let volume = storage.array(self.name)?.volume(volume)?;
            volume.writable()?;
            Ok(Arc::clone(&volume.tree))
        })
    }

    /// Clones one file within a volume, from its live files or from a snapshot, without copying bytes.
    pub fn clone_file(
        &self,
        volume: Uuid,
        snapshot: Option<Uuid>,
        from: &str,
        to: &str,
        overwrite: bool,
    ) -> Result<(), StorageError> {
        if !self.info()?.spec.behaviour.file_clones {
            return Err(StorageError::Unsupported("clones of single files"));
        }
        let (source, target) = (self.tree_at(volume, snapshot)?, self.writable_tree(volume)?);
        target.clone_file(&source, from, to, overwrite)?;
        self.count("file_clones_made");
        Ok(())
    }

    /// Puts one file of a snapshot over the live one, or back in its place.
    pub fn restore_file(&self, volume: Uuid, snapshot: Uuid, path: &str) -> Result<(), StorageError> {
        let (source, target) = (self.snapshot_tree(volume, snapshot)?, self.writable_tree(volume)?);
        target.clone_file(&source, path, path, true)?;
        self.count("files_restored");
        Ok(())
    }

    /// Removes a file, or a directory with all it holds.
    pub fn remove_path(&self, volume: Uuid, path: &str) -> Result<(), StorageError> {
        self.writable_tree(volume)?.remove(path)?;
        self.count("paths_removed");
        Ok(())
    }

    /// Makes a directory and those above it.
    pub fn create_dir_all(&self, volume: Uuid, path: &str) -> Result<(), StorageError> {
        Ok(self.writable_tree(volume)?.create_dir_all(path)?)
    }
}
