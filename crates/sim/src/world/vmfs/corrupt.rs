//! A filesystem whose disk was rolled back beneath a host that had it mounted. Names are still there; bytes are wrong.

use crate::world::tree::{Entry, FileTree, TreeError};
use std::sync::Arc;

/// The files of a corrupt filesystem.
#[derive(Debug)]
pub struct Corrupt(pub Arc<dyn FileTree>);

impl FileTree for Corrupt {
    fn list(&self, dir: &str) -> Result<Vec<Entry>, TreeError> {
        self.0.list(dir)
    }

    fn stat(&self, path: &str) -> Result<Entry, TreeError> {
        self.0.stat(path)
    }

    fn read(&self, path: &str, offset: u64, length: usize) -> Result<Vec<u8>, TreeError> {
        // Wrong everywhere and always in the same way, so that a failing test can be repeated.
        Ok(self.0.read(path, offset, length)?.into_iter().map(|byte| !byte).collect())
    }

    fn write(&self, path: &str, offset: u64, bytes: &[u8]) -> Result<(), TreeError> {
        self.0.write(path, offset, bytes)
    }

    fn set_len(&self, path: &str, size_bytes: u64) -> Result<(), TreeError> {
        self.0.set_len(path, size_bytes)
    }

    fn create_dir_all(&self, path: &str) -> Result<(), TreeError> {
        self.0.create_dir_all(path)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), TreeError> {
        self.0.rename(from, to)
    }

    fn remove(&self, path: &str) -> Result<(), TreeError> {
        self.0.remove(path)
    }
}
