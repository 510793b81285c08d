//! A directory of an export that is mounted as if it were one: what NFS servers allow.

use super::tree::{Entry, FileTree, TreeError};
use std::sync::Arc;

/// The files below a directory of another tree.
#[derive(Debug)]
pub(super) struct Below {
    tree: Arc<dyn FileTree>,
    directory: String,
}

impl Below {
    /// The directory, where it is one.
    pub(super) fn open(tree: Arc<dyn FileTree>, directory: &str) -> Option<Arc<dyn FileTree>> {
        let found = tree.stat(directory).ok()?;
        found.is_dir.then(|| Arc::new(Below { tree, directory: directory.to_owned() }) as Arc<dyn FileTree>)
    }

    fn inside(&self, path: &str) -> String {
        if path.is_empty() { self.directory.clone() } else { format!("{}/{path}", self.directory) }
    }
}

impl FileTree for Below {
    fn list(&self, dir: &str) -> Result<Vec<Entry>, TreeError> {
        self.tree.list(&self.inside(dir))
    }
    fn stat(&self, path: &str) -> Result<Entry, TreeError> {
        self.tree.stat(&self.inside(path))
    }
    fn read(&self, path: &str, offset: u64, length: usize) -> Result<Vec<u8>, TreeError> {
        self.tree.read(&self.inside(path), offset, length)
    }
    fn write(&self, path: &str, offset: u64, bytes: &[u8]) -> Result<(), TreeError> {
        self.tree.write(&self.inside(path), offset, bytes)
    }
    fn set_len(&self, path: &str, size_bytes: u64) -> Result<(), TreeError> {
        self.tree.set_len(&self.inside(path), size_bytes)
    }
    fn create_dir_all(&self, path: &str) -> Result<(), TreeError> {
        self.tree.create_dir_all(&self.inside(path))
    }
    fn rename(&self, from: &str, to: &str) -> Result<(), TreeError> {
        self.tree.rename(&self.inside(from), &self.inside(to))
    }
    fn remove(&self, path: &str) -> Result<(), TreeError> {
        self.tree.remove(&self.inside(path))
    }
}
