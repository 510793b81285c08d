//! A tree of files in memory. Directories and files are shared by `Arc`, so that a snapshot or a clone of a whole tree or
//! of one file costs the same whatever it holds.

use super::{
    files::FileBytes,
    path::{parts, split},
    space::Space,
};
use crate::world::tree::{Entry, FileTree, TreeError};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
};

type Dir = BTreeMap<String, Node>;

#[derive(Debug, Clone)]
enum Node {
    Dir(Arc<Dir>),
    File(Arc<FileBytes>),
}

/// Files in memory; used by many threads at once. Each call is atomic.
#[derive(Debug)]
pub struct MemTree {
    root: RwLock<Arc<Dir>>,
    space: Arc<Space>,
    read_only: bool,
    gone: AtomicBool,
}

impl MemTree {
    /// An empty tree whose chunks are paid for from `space`.
    pub fn new(space: Arc<Space>) -> Self {
        Self::over(Arc::default(), space, false)
    }

    fn over(root: Arc<Dir>, space: Arc<Space>, read_only: bool) -> Self {
        MemTree { root: RwLock::new(root), space, read_only, gone: AtomicBool::new(false) }
    }

    /// The space that this tree pays from.
    pub fn space(&self) -> &Arc<Space> {
        &self.space
    }

    /// The tree as it is now, read-only. Constant time.
    pub fn snapshot(&self) -> MemTree {
        Self::over(Arc::clone(&self.read_lock()), Arc::clone(&self.space), true)
    }

    /// Snapshots of several trees at one point in time: no write falls between them.
    pub fn snapshot_together(trees: &[Arc<MemTree>]) -> Vec<MemTree> {
        let guards: Vec<_> = trees.iter().map(|tree| (tree.read_lock(), Arc::clone(&tree.space))).collect();
        guards.iter().map(|(root, space)| Self::over(Arc::clone(root), Arc::clone(space), true)).collect()
    }

    /// A writable tree that starts as this one and pays for its changes from `space`. Constant time.
    pub fn fork(&self, space: Arc<Space>) -> MemTree {
        Self::over(Arc::clone(&self.read_lock()), space, false)
    }

    /// Makes this tree what `other` is. Whoever holds the tree sees the new content. Constant time.
    pub fn restore(&self, other: &MemTree) -> Result<(), TreeError> {
        let root = Arc::clone(&other.read_lock());
        *self.write_lock()? = root;
        Ok(())
    }

    /// Puts the file `from` of another tree (or of this one) at `to`, sharing its bytes. Replaces a file only when
    /// `overwrite` is set, and then at once: no reader sees neither. Does not depend on the file's length.
    pub fn clone_file(&self, source: &MemTree, from: &str, to: &str, overwrite: bool) -> Result<(), TreeError> {
        let file = match source.node(from)? {
            Node::File(file) => file,
            Node::Dir(_) => return Err(TreeError::WrongKind(from.to_owned(), "a directory, not a file")),
        };
        let (dirs, name) = split(to)?;
        let mut root = self.write_lock()?;
        let dir = dir_mut(&mut root, &dirs)?;
        match dir.get(name) {
            Some(Node::Dir(_)) => return Err(TreeError::WrongKind(to.to_owned(), "a directory, not a file")),
            Some(Node::File(_)) if !overwrite => return Err(TreeError::Exists(to.to_owned())),
            _ => dir.insert(name.to_owned(), Node::File(file)),
        };
        Ok(())
    }

    /// From now on every call fails as a handle of a destroyed volume does.
    pub fn destroy(&self) {
        self.gone.store(true, Ordering::Relaxed);
        // The chunks are given back even while a host still holds the tree.
        *self.root.write().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    /// True where two files or directories are one and the same in memory.
    #[cfg(test)]
    pub(super) fn shares(&self, path: &str, other: &MemTree, other_path: &str) -> bool {
        match (self.node(path), other.node(other_path)) {
            (Ok(Node::Dir(a)), Ok(Node::Dir(b))) => Arc::ptr_eq(&a, &b),
            (Ok(Node::File(a)), Ok(Node::File(b))) => Arc::ptr_eq(&a, &b),
            _ => false,
        }
    }

    fn read_lock(&self) -> RwLockReadGuard<'_, Arc<Dir>> {
        self.root.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_lock(&self) -> Result<RwLockWriteGuard<'_, Arc<Dir>>, TreeError> {
        self.alive("")?;
        if self.read_only {
            return Err(TreeError::ReadOnly);
        }
        Ok(self.root.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn alive(&self, path: &str) -> Result<(), TreeError> {
        if self.gone.load(Ordering::Relaxed) {
            return Err(TreeError::Refused(path.to_owned(), "stale file handle: the volume is gone".to_owned()));
        }
        Ok(())
    }

    fn node(&self, path: &str) -> Result<Node, TreeError> {
        self.alive(path)?;
        let mut node = Node::Dir(Arc::clone(&self.read_lock()));
        let mut walked = String::new();
        for part in parts(path)? {
            let Node::Dir(dir) = &node else {
                return Err(TreeError::WrongKind(walked, "a file, not a directory"));
            };
            push(&mut walked, part);
            node = dir.get(part).cloned().ok_or(TreeError::NotFound(walked.clone()))?;
        }
        Ok(node)
    }

    fn with_file<T>(
        &self,
        path: &str,
        change: impl FnOnce(&mut FileBytes, &Arc<Space>) -> Result<T, TreeError>,
    ) -> Result<T, TreeError> {
        let (dirs, name) = split(path)?;
        let mut root = self.write_lock()?;
        let dir = dir_mut(&mut root, &dirs)?;
        match dir.entry(name.to_owned()).or_insert_with(|| Node::File(Arc::default())) {
            Node::File(file) => change(Arc::make_mut(file), &self.space),
            Node::Dir(_) => Err(TreeError::WrongKind(path.to_owned(), "a directory, not a file")),
        }
    }
}

fn push(walked: &mut String, part: &str) {
    if !walked.is_empty() {
        walked.push('/');
    }
    walked.push_str(part);
}

/// The directory at `dirs`, made this tree's own on the way.
fn dir_mut<'a>(root: &'a mut Arc<Dir>, dirs: &[&str]) -> Result<&'a mut Dir, TreeError> {
    let mut dir = Arc::make_mut(root);
    let mut walked = String::new();
    for part in dirs {
        push(&mut walked, part);
        dir = match dir.get_mut(*part) {
            None => return Err(TreeError::NotFound(walked)),
            Some(Node::File(_)) => return Err(TreeError::WrongKind(walked, "a file, not a directory")),
            Some(Node::Dir(inner)) => Arc::make_mut(inner),
        };
    }
    Ok(dir)
}

fn entry(name: &str, node: &Node) -> Entry {
    match node {
        Node::Dir(_) => Entry { name: name.to_owned(), is_dir: true, size_bytes: 0 },
        Node::File(file) => Entry { name: name.to_owned(), is_dir: false, size_bytes: file.size_bytes },
    }
}

impl FileTree for MemTree {
    fn list(&self, dir: &str) -> Result<Vec<Entry>, TreeError> {
        match self.node(dir)? {
            Node::Dir(held) => Ok(held.iter().map(|(name, node)| entry(name, node)).collect()),
            Node::File(_) => Err(TreeError::WrongKind(dir.to_owned(), "a file, not a directory")),
        }
    }

    fn stat(&self, path: &str) -> Result<Entry, TreeError> {
        let name = path.rsplit('/').next().unwrap_or_default();
        Ok(entry(name, &self.node(path)?))
    }

    fn read(&self, path: &str, offset: u64, length: usize) -> Result<Vec<u8>, TreeError> {
        match self.node(path)? {
            Node::File(file) => Ok(file.read(offset, length)),
            Node::Dir(_) => Err(TreeError::WrongKind(path.to_owned(), "a directory, not a file")),
        }
    }

    fn write(&self, path: &str, offset: u64, bytes: &[u8]) -> Result<(), TreeError> {
        let end = offset.checked_add(bytes.len() as u64).filter(|end| *end <= i64::MAX as u64);
        end.ok_or_else(|| TreeError::Refused(path.to_owned(), "the file would be too long".to_owned()))?;
        self.with_file(path, |file, space| file.write(offset, bytes, space))
    }

    fn set_len(&self, path: &str, size_bytes: u64) -> Result<(), TreeError> {
        if size_bytes > i64::MAX as u64 {
            return Err(TreeError::Refused(path.to_owned(), "the file would be too long".to_owned()));
        }
        self.with_file(path, |file, space| file.set_len(size_bytes, space))
    }

    fn create_dir_all(&self, path: &str) -> Result<(), TreeError> {
        let parts = parts(path)?;
        let mut root = self.write_lock()?;
        let mut dir = Arc::make_mut(&mut root);
        let mut walked = String::new();
        for part in parts {
            push(&mut walked, part);
            dir = match dir.entry(part.to_owned()).or_insert_with(|| Node::Dir(Arc::default())) {
                Node::Dir(inner) => Arc::make_mut(inner),
                Node::File(_) => return Err(TreeError::WrongKind(walked, "a file, not a directory")),
            };
        }
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), TreeError> {
        let ((from_dirs, from_name), (to_dirs, to_name)) = (split(from)?, split(to)?);
        let mut root = self.write_lock()?;
        let absent = || TreeError::NotFound(from.to_owned());
        if !dir_mut(&mut root, &from_dirs)?.contains_key(from_name) {
            return Err(absent());
        }
        if dir_mut(&mut root, &to_dirs)?.contains_key(to_name) {
            return Err(TreeError::Exists(to.to_owned()));
        }
        if to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
            return Err(TreeError::Refused(from.to_owned(), "a directory cannot move into itself".to_owned()));
        }
        let node = dir_mut(&mut root, &from_dirs)?.remove(from_name).ok_or_else(absent)?;
        dir_mut(&mut root, &to_dirs)?.insert(to_name.to_owned(), node);
        Ok(())
    }

    fn remove(&self, path: &str) -> Result<(), TreeError> {
        let (dirs, name) = split(path)?;
        let mut root = self.write_lock()?;
        dir_mut(&mut root, &dirs)?.remove(name).map(drop).ok_or_else(|| TreeError::NotFound(path.to_owned()))
    }
}
