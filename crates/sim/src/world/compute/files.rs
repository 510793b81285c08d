//! Paths of files: `[datastore] dir/file` as vCenter writes them, `/vmfs/volumes/...` as hosts do.

use super::{fault::Fault, state::State};
use crate::world::tree::{FileTree, TreeError};
use std::sync::Arc;

/// A file or directory on a datastore.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct DsPath {
    /// Datastore id; empty where the path names a datastore that is not there.
    pub ds: String,
    /// Path within, without leading slash; the path as written where the datastore is not there.
    pub rel: String,
}

impl DsPath {
    /// The directory, empty at the top.
    pub fn dir(&self) -> &str {
        self.rel.rsplit_once('/').map_or("", |(dir, _)| dir)
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.rel.rsplit_once('/').map_or(self.rel.as_str(), |(_, name)| name)
    }

    /// The name without its extension.
    pub fn stem(&self) -> &str {
        self.name().rsplit_once('.').map_or(self.name(), |(stem, _)| stem)
    }

    /// A file beside this one.
    pub fn sibling(&self, name: &str) -> DsPath {
        DsPath { ds: self.ds.clone(), rel: join(self.dir(), name) }
    }
}

/// Joins directory and name.
pub fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }
}

/// A tree's refusal as a fault about a file.
pub fn tree_fault(e: &TreeError, file: &str) -> Fault {
    match e {
        TreeError::NotFound(_) => Fault::file_not_found(file),
        TreeError::Exists(_) => Fault::file_exists(file),
        TreeError::Full => Fault::new("NoDiskSpace", format!("No space left for {file}")).with("file", file),
        other => Fault::new("CannotAccessFile", format!("Cannot access {file}: {other}")).with("file", file),
    }
}

impl State {
    /// Reads `[datastore] path`.
    ///
    /// Errors: InvalidDatastorePath where it has not that form, InvalidDatastore where there is none of that name.
    pub fn parse_path(&self, path: &str, datacenter: Option<&str>) -> Result<DsPath, Fault> {
        let bad = || {
            Fault::new("InvalidDatastorePath", format!("Invalid datastore path '{path}'")).with("datastorePath", path)
        };
        let rest = path.trim().strip_prefix('[').ok_or_else(bad)?;
        let (name, rel) = rest.split_once(']').ok_or_else(bad)?;
        let rel = rel.trim_start().trim_matches('/');
        if rel.split('/').any(|part| part == "..") {
            return Err(bad());
        }
        let ds = self.datastore_named(name, datacenter).ok_or_else(|| {
            Fault::new("InvalidDatastore", format!("Datastore '{name}' was not found")).with("name", name)
        })?;
        Ok(DsPath { ds: ds.clone(), rel: rel.to_owned() })
    }

    /// Writes a path as vCenter shows it.
    pub fn show(&self, path: &DsPath) -> String {
        match self.datastores.get(&path.ds) {
            Some(ds) if path.rel.is_empty() => format!("[{}]", ds.name),
            Some(ds) => format!("[{}] {}", ds.name, path.rel),
            None => path.rel.clone(),
        }
    }

    /// Reads a path as it stands in a .vmx or descriptor that lies beside `home`.
    pub fn parse_host_path(&self, path: &str, home: &DsPath) -> DsPath {
        let Some(rest) = path.strip_prefix("/vmfs/volumes/") else {
            return home.sibling(path);
        };
        let (volume, rel) = rest.split_once('/').unwrap_or((rest, ""));
        let found = self.datastores.iter().find(|(_, d)| d.uuid == volume || d.name == volume);
        match found {
            Some((id, _)) => DsPath { ds: id.clone(), rel: rel.to_owned() },
            None => DsPath { ds: String::new(), rel: path.to_owned() },
        }
    }

    /// Writes a path for a .vmx or descriptor that lies beside `home`: relative in the same directory, else absolute.
    pub fn host_path(&self, path: &DsPath, home: &DsPath) -> String {
        match self.datastores.get(&path.ds) {
            Some(_) if path.ds == home.ds && path.dir() == home.dir() => path.name().to_owned(),
            Some(ds) => format!("/vmfs/volumes/{}/{}", ds.uuid, path.rel),
            None => path.rel.clone(),
        }
    }

    /// The tree of a path; a path into a datastore that is not there is a file that is not there.
    pub fn tree_of(&self, path: &DsPath) -> Result<Arc<dyn FileTree>, Fault> {
        if path.ds.is_empty() {
            return Err(Fault::file_not_found(&path.rel));
        }
        self.tree(&path.ds)
    }

    /// True where a file or directory is there.
    pub fn exists(&self, path: &DsPath) -> bool {
        self.tree_of(path).is_ok_and(|t| t.stat(&path.rel).is_ok())
    }

    /// Length in bytes; none where it is not there.
    pub fn size(&self, path: &DsPath) -> Option<u64> {
        self.tree_of(path).ok()?.stat(&path.rel).ok().map(|e| e.size_bytes)
    }

    /// Reads a text file.
    pub fn read_text(&self, path: &DsPath) -> Result<String, Fault> {
        let tree = self.tree_of(path)?;
        let bad = |e: TreeError| tree_fault(&e, &self.show(path));
        let size = tree.stat(&path.rel).map_err(bad)?.size_bytes;
        let bytes = tree.read(&path.rel, 0, usize::try_from(size.min(1 << 20)).unwrap_or(0)).map_err(bad)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes a text file, replacing what was there.
    pub fn write_text(&mut self, path: &DsPath, text: &str) -> Result<(), Fault> {
        let tree = self.tree_of(path)?;
        let bad = |e: TreeError| tree_fault(&e, &self.show(path));
        let length = u64::try_from(text.len()).unwrap_or(0);
        tree.set_len(&path.rel, length).map_err(bad)?;
        tree.write(&path.rel, 0, text.as_bytes()).map_err(bad)
    }

    /// Writes a text file at `[datastore] path`, with the directories above it.
    pub fn put_file(&mut self, path: &str, text: &str) -> Result<(), Fault> {
        let path = self.parse_path(path, None)?;
        self.tree_of(&path)?.create_dir_all(path.dir()).map_err(|e| tree_fault(&e, &self.show(&path)))?;
        self.write_text(&path, text)
    }

    /// Removes a file; fine where it is not there.
    pub fn remove_quietly(&mut self, path: &DsPath) {
        if let Ok(tree) = self.tree_of(path) {
            // Absent or busy is the same to the caller: what is left shows up in a listing.
            let _ = tree.remove(&path.rel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path() {
        let p = DsPath { ds: "datastore-1".into(), rel: "web/web.vmx".into() };
        assert_eq!((p.dir(), p.name(), p.stem()), ("web", "web.vmx", "web"));
        assert_eq!(p.sibling("web.vmdk").rel, "web/web.vmdk");
    }
}
