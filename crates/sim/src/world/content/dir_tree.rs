//! A directory of this machine as a tree of files. Meant for directories that the lab made for itself: paths are checked
//! part by part and symbolic links are refused, which guards against what lies there, not against a racing attacker.

use super::path::{parts, split};
use crate::world::tree::{Entry, FileTree, TreeError};
use std::{
    fs::{DirBuilder, File, FileType, Metadata, OpenOptions},
    io::{Error, ErrorKind},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

/// Files of a directory of this machine. Several handles on one directory see each other's changes.
#[derive(Debug)]
pub struct DirTree {
    root: PathBuf,
}

impl DirTree {
    /// Over a directory that exists; fails where it does not.
    pub fn open(root: &Path) -> Result<Self, TreeError> {
        let shown = root.display().to_string();
        let root = fs_err::canonicalize(root).map_err(|error| refusal(&shown, &error))?;
        if !root.is_dir() {
            return Err(TreeError::WrongKind(shown, "a file, not a directory"));
        }
        Ok(DirTree { root })
    }

    /// The real place of a path whose directories exist and are no links; the last part may be absent.
    fn place(&self, path: &str, parts: &[&str]) -> Result<(PathBuf, Option<Metadata>), TreeError> {
        let mut at = self.root.clone();
        let mut found = Some(metadata(&at).map_err(|error| refusal(path, &error))?);
        let mut walked = String::new();
        for part in parts {
            match &found {
                None => return Err(TreeError::NotFound(walked)),
                Some(meta) if !meta.is_dir() => return Err(TreeError::WrongKind(walked, "a file, not a directory")),
                Some(_) => {}
            }
            at.push(part);
            walked = if walked.is_empty() { (*part).to_owned() } else { format!("{walked}/{part}") };
            found = match metadata(&at) {
                Ok(meta) if plain(meta.file_type()) => Some(meta),
                Ok(_) => return Err(TreeError::Refused(walked, "a symbolic link or a special file".to_owned())),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(refusal(&walked, &error)),
            };
        }
        Ok((at, found))
    }

    fn existing(&self, path: &str) -> Result<(PathBuf, Metadata), TreeError> {
        let (at, found) = self.place(path, &parts(path)?)?;
        found.map(|meta| (at, meta)).ok_or_else(|| TreeError::NotFound(path.to_owned()))
    }

    /// Opens a file for writing, creating it in a directory that exists.
    fn open_file(&self, path: &str) -> Result<File, TreeError> {
        split(path)?;
        let (at, found) = self.place(path, &parts(path)?)?;
        if found.is_some_and(|meta| meta.is_dir()) {
            return Err(TreeError::WrongKind(path.to_owned(), "a directory, not a file"));
        }
        OpenOptions::new().write(true).create(true).truncate(false).open(at).map_err(|error| refusal(path, &error))
    }
}

fn metadata(at: &Path) -> Result<Metadata, Error> {
    std::fs::symlink_metadata(at)
}

fn plain(kind: FileType) -> bool {
    kind.is_dir() || kind.is_file()
}

fn refusal(path: &str, error: &Error) -> TreeError {
    match error.kind() {
        ErrorKind::NotFound => TreeError::NotFound(path.to_owned()),
        ErrorKind::AlreadyExists => TreeError::Exists(path.to_owned()),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => TreeError::Full,
        ErrorKind::ReadOnlyFilesystem => TreeError::ReadOnly,
        ErrorKind::FileTooLarge => TreeError::Refused(path.to_owned(), "the file would be too long".to_owned()),
        _ => TreeError::Refused(path.to_owned(), error.to_string()),
    }
}

fn entry(name: &str, meta: &Metadata) -> Entry {
    let is_dir = meta.is_dir();
    Entry { name: name.to_owned(), is_dir, size_bytes: if is_dir { 0 } else { meta.len() } }
}

impl FileTree for DirTree {
    fn list(&self, dir: &str) -> Result<Vec<Entry>, TreeError> {
        let (at, meta) = self.existing(dir)?;
        if !meta.is_dir() {
            return Err(TreeError::WrongKind(dir.to_owned(), "a file, not a directory"));
        }
        let mut entries = Vec::new();
        for found in std::fs::read_dir(at).map_err(|error| refusal(dir, &error))? {
            let found = found.map_err(|error| refusal(dir, &error))?;
            let meta = match found.metadata() {
                Ok(meta) => meta,
                // Removed between the listing and this look.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(refusal(dir, &error)),
            };
            let Some(name) = found.file_name().to_str().map(str::to_owned) else {
                return Err(TreeError::Refused(dir.to_owned(), "holds a name that is not UTF-8".to_owned()));
            };
            if plain(meta.file_type()) {
                entries.push(entry(&name, &meta));
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn stat(&self, path: &str) -> Result<Entry, TreeError> {
        let (_at, meta) = self.existing(path)?;
        Ok(entry(path.rsplit('/').next().unwrap_or_default(), &meta))
    }

    fn read(&self, path: &str, offset: u64, length: usize) -> Result<Vec<u8>, TreeError> {
        let (at, meta) = self.existing(path)?;
        if meta.is_dir() {
            return Err(TreeError::WrongKind(path.to_owned(), "a directory, not a file"));
        }
        let left = usize::try_from(meta.len().saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length.min(left)];
        if bytes.is_empty() {
            return Ok(bytes);
        }
        let file = File::open(at).map_err(|error| refusal(path, &error))?;
        let mut done = 0;
        while done < bytes.len() {
            match file.read_at(&mut bytes[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(refusal(path, &error)),
            }
        }
        bytes.truncate(done);
        Ok(bytes)
    }

    fn write(&self, path: &str, offset: u64, bytes: &[u8]) -> Result<(), TreeError> {
        let end = offset.checked_add(bytes.len() as u64).filter(|end| *end <= i64::MAX as u64);
        end.ok_or_else(|| TreeError::Refused(path.to_owned(), "the file would be too long".to_owned()))?;
        self.open_file(path)?.write_all_at(bytes, offset).map_err(|error| refusal(path, &error))
    }

    fn set_len(&self, path: &str, size_bytes: u64) -> Result<(), TreeError> {
        if size_bytes > i64::MAX as u64 {
            return Err(TreeError::Refused(path.to_owned(), "the file would be too long".to_owned()));
        }
        self.open_file(path)?.set_len(size_bytes).map_err(|error| refusal(path, &error))
    }

    fn create_dir_all(&self, path: &str) -> Result<(), TreeError> {
        let parts = parts(path)?;
        for depth in 1..=parts.len() {
            let walked = parts[..depth].join("/");
            match self.place(&walked, &parts[..depth])? {
                (_, Some(meta)) if meta.is_dir() => {}
                (_, Some(_)) => return Err(TreeError::WrongKind(walked, "a file, not a directory")),
                (at, None) => match DirBuilder::new().create(at) {
                    Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(refusal(&walked, &error)),
                    _ => {}
                },
            }
        }
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), TreeError> {
        split(from)?;
        split(to)?;
        let (at, _meta) = self.existing(from)?;
        let (target, taken) = self.place(to, &parts(to)?)?;
        if taken.is_some() {
            return Err(TreeError::Exists(to.to_owned()));
        }
        if to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
            return Err(TreeError::Refused(from.to_owned(), "a directory cannot move into itself".to_owned()));
        }
        std::fs::rename(at, target).map_err(|error| refusal(from, &error))
    }

    fn remove(&self, path: &str) -> Result<(), TreeError> {
        split(path)?;
        let (at, meta) = self.existing(path)?;
        let removed = if meta.is_dir() { std::fs::remove_dir_all(at) } else { std::fs::remove_file(at) };
        removed.map_err(|error| refusal(path, &error))
    }
}
