//! A tree of files: what an NFS volume holds. One trait, two kinds: in memory with O(1) clones, and a directory of this
//! machine (where the `filer` driver works on real bytes).

use std::fmt::Debug;

/// A file or directory, as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name within its directory.
    pub name: String,
    /// True for a directory.
    pub is_dir: bool,
    /// Length in bytes; 0 for a directory.
    pub size_bytes: u64,
}

/// Why a tree refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// Nothing is there.
    #[error("'{0}' does not exist")]
    NotFound(String),
    /// Something is there already.
    #[error("'{0}' exists")]
    Exists(String),
    /// A directory where a file was wanted, or the other way round, or a directory that is not empty.
    #[error("'{0}' is of the wrong kind: {1}")]
    WrongKind(String, &'static str),
    /// The tree is a snapshot.
    #[error("the volume is read-only")]
    ReadOnly,
    /// No space.
    #[error("no space left on the volume")]
    Full,
    /// The path has `..`, is absolute, or the machine refused.
    #[error("'{0}': {1}")]
    Refused(String, String),
}

/// Files by path. Paths are relative, `/`-separated, without `.` and `..`; the root is the empty string.
pub trait FileTree: Debug + Send + Sync {
    /// What a directory holds, sorted by name.
    fn list(&self, dir: &str) -> Result<Vec<Entry>, TreeError>;
    /// One entry.
    fn stat(&self, path: &str) -> Result<Entry, TreeError>;
    /// Up to `length` bytes from `offset`; shorter at the end of the file. Holes read as zeros.
    fn read(&self, path: &str, offset: u64, length: usize) -> Result<Vec<u8>, TreeError>;
    /// Writes at `offset`, creating the file (not its directory) where absent and growing it where needed.
    fn write(&self, path: &str, offset: u64, bytes: &[u8]) -> Result<(), TreeError>;
    /// Creates a file of this length, or cuts or grows it; grown space is a hole.
    fn set_len(&self, path: &str, size_bytes: u64) -> Result<(), TreeError>;
    /// Creates a directory and those above it; fine where it exists.
    fn create_dir_all(&self, path: &str) -> Result<(), TreeError>;
    /// Moves a file or directory; fails where the target exists.
    fn rename(&self, from: &str, to: &str) -> Result<(), TreeError>;
    /// Removes a file, or a directory with all it holds.
    fn remove(&self, path: &str) -> Result<(), TreeError>;
}
