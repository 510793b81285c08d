//! The files of one extent: the part of its LUN's tree in which files lie.

use super::header::FILES;
use crate::world::{
    MemTree, World,
    tree::{Entry, FileTree, TreeError},
};
use std::sync::Arc;
use uuid::Uuid;

/// One extent's share of a filesystem.
#[derive(Debug, Clone)]
pub struct ExtentFiles {
    lun: Arc<MemTree>,
    /// The world, the array and the LUN that is to be told where space runs out.
    home: Option<(Arc<World>, String, Uuid)>,
}

impl ExtentFiles {
    /// The files on this LUN.
    pub fn of(lun: Arc<MemTree>) -> Self {
        ExtentFiles { lun, home: None }
    }

    /// The same, where the array is told when a write finds no space.
    #[must_use]
    pub fn on(mut self, world: &Arc<World>, array: &str, lun: Uuid) -> Self {
        self.home = Some((Arc::clone(world), array.to_owned(), lun));
        self
    }

    fn told<T>(&self, result: Result<T, TreeError>) -> Result<T, TreeError> {
        if let (Err(TreeError::Full), Some((world, array, lun))) = (&result, &self.home) {
            // An array or LUN that is gone has nothing to be taken offline.
            let _gone = world.array(array).and_then(|array| array.lun_is_full(*lun));
        }
        result
    }
}

fn inner(path: &str) -> String {
    if path.is_empty() { FILES.to_owned() } else { format!("{FILES}/{path}") }
}

fn outer(error: TreeError) -> TreeError {
    let cut = |path: String| path.strip_prefix(FILES).map(|p| p.trim_start_matches('/').to_owned()).unwrap_or(path);
    match error {
        TreeError::NotFound(path) => TreeError::NotFound(cut(path)),
        TreeError::Exists(path) => TreeError::Exists(cut(path)),
        TreeError::WrongKind(path, why) => TreeError::WrongKind(cut(path), why),
        TreeError::Refused(path, why) => TreeError::Refused(cut(path), why),
        other => other,
    }
}

/// The root cannot be moved or removed.
fn below(path: &str) -> Result<String, TreeError> {
    if path.is_empty() {
        return Err(TreeError::Refused(String::new(), "the root of the volume is not a file".to_owned()));
    }
    Ok(inner(path))
}

impl FileTree for ExtentFiles {
    fn list(&self, dir: &str) -> Result<Vec<Entry>, TreeError> {
        self.lun.list(&inner(dir)).map_err(outer)
    }

    fn stat(&self, path: &str) -> Result<Entry, TreeError> {
        self.lun.stat(&inner(path)).map_err(outer)
    }

    fn read(&self, path: &str, offset: u64, length: usize) -> Result<Vec<u8>, TreeError> {
        self.lun.read(&inner(path), offset, length).map_err(outer)
    }

    fn write(&self, path: &str, offset: u64, bytes: &[u8]) -> Result<(), TreeError> {
        self.told(self.lun.write(&below(path)?, offset, bytes).map_err(outer))
    }

    fn set_len(&self, path: &str, size_bytes: u64) -> Result<(), TreeError> {
        self.lun.set_len(&below(path)?, size_bytes).map_err(outer)
    }

    fn create_dir_all(&self, path: &str) -> Result<(), TreeError> {
        self.lun.create_dir_all(&inner(path)).map_err(outer)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), TreeError> {
        self.lun.rename(&below(from)?, &below(to)?).map_err(outer)
    }

    fn remove(&self, path: &str) -> Result<(), TreeError> {
        self.lun.remove(&below(path)?).map_err(outer)
    }
}
