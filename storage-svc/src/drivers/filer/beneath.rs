//! Paths that stay where they belong: everything is opened relative to a directory's descriptor, below it, through no
//! symbolic link and into no other file system (openat2).

use super::error::os;
use crate::{
    driver::{DriverError, Reason},
    rel_path::RelPath,
};
use rustix::{
    fd::{AsFd, BorrowedFd, OwnedFd},
    fs::{self, Mode, OFlags, ResolveFlags},
    io::Errno,
};
use std::{fs::File, path::Path};

/// A directory that nothing opened through it can leave.
#[derive(Debug)]
pub(super) struct Beneath {
    fd: OwnedFd,
    name: String,
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Beneath {
    /// Opens an absolute path of ours; `name` is for messages.
    pub(super) fn open(path: &Path, name: impl Into<String>) -> Result<Self, DriverError> {
        let name = name.into();
        let flags = DIRECTORY | OFlags::NOFOLLOW;
        let fd = fs::open(path, flags, Mode::empty()).map_err(|errno| os(errno, &name))?;
        Ok(Self { fd, name })
    }

    /// The same directory under another name for messages.
    pub(super) fn called(self, name: String) -> Self {
        Self { fd: self.fd, name }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// How the object is called in messages.
    pub(super) fn describe(&self, path: &str) -> String {
        if path.is_empty() { self.name.clone() } else { format!("'{path}' in {}", self.name) }
    }

    fn resolve(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let path = if path.is_empty() { "." } else { path };
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
        loop {
            match fs::openat2(&self.fd, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
                // openat2 says AGAIN when a rename raced with it and EINTR on signals; both are over at once.
                Err(Errno::AGAIN | Errno::INTR) => {}
                other => return other,
            }
        }
    }

    /// Opens a file or directory for reading. NONBLOCK, so that a FIFO cannot hang us.
    pub(super) fn open_any(&self, path: &str) -> Result<File, DriverError> {
        let fd = self.resolve(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW);
        fd.map(File::from).map_err(|errno| os(errno, self.describe(path)))
    }

    /// The same; `None` where nothing is there.
    pub(super) fn find(&self, path: &str) -> Result<Option<File>, DriverError> {
        match self.open_any(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.reason == Reason::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A directory below, as a border of its own.
    pub(super) fn enter(&self, path: &str) -> Result<Beneath, DriverError> {
        let fd = self.resolve(path, DIRECTORY).map_err(|errno| os(errno, self.describe(path)))?;
        Ok(Beneath { fd, name: self.describe(path) })
    }

    /// True where something stands there, of whatever kind, a symbolic link included.
    pub(super) fn exists(&self, path: &RelPath) -> Result<bool, DriverError> {
        let (parent, name) = path.split();
        let parent = match self.resolve(parent, DIRECTORY) {
            Ok(parent) => parent,
            Err(Errno::NOENT) => return Ok(false),
            Err(errno) => return Err(os(errno, self.describe(path.as_str()))),
        };
        match fs::statat(&parent, name, fs::AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(os(errno, self.describe(path.as_str()))),
        }
    }

    /// Creates a directory and those above it that are missing; durable.
    pub(super) fn create_dirs(&self, path: &str, mode: Mode) -> Result<Beneath, DriverError> {
        let mut here = self.enter("")?;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            match fs::mkdirat(&here.fd, part, mode) {
                Ok(()) => fs::fsync(&here.fd).map_err(|errno| os(errno, here.describe(part)))?,
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(os(errno, here.describe(part))),
            }
            here = here.enter(part)?;
        }
        Ok(here)
    }

    /// Removes a file, or a directory with all in it; fine where it is absent. Not durable before the parent is synced.
    pub(super) fn remove_tree(&self, name: &str) -> Result<(), DriverError> {
        let kind = match fs::statat(&self.fd, name, fs::AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => fs::FileType::from_raw_mode(stat.st_mode),
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(os(errno, self.describe(name))),
        };
        let removed = if kind == fs::FileType::Directory {
            let inner = self.enter(name)?;
            for entry in inner.list()? {
                inner.remove_tree(&entry)?;
            }
            fs::unlinkat(&self.fd, name, fs::AtFlags::REMOVEDIR)
        } else {
            fs::unlinkat(&self.fd, name, fs::AtFlags::empty())
        };
        match removed {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(os(errno, self.describe(name))),
        }
    }

    /// Names in this directory, sorted. A name that is no UTF-8 is an error: it could not be told to anybody.
    pub(super) fn list(&self) -> Result<Vec<String>, DriverError> {
        let (names, odd) = self.list_all()?;
        match odd.first() {
            None => Ok(names),
            Some(odd) => Err(DriverError::new(
                Reason::UnsafePath,
                format!("{} holds a file whose name is no UTF-8 ('{odd}'); rename it", self.name),
            )),
        }
    }

    /// Names that are UTF-8, sorted, and those that are not, as far as they can be shown.
    pub(super) fn list_all(&self) -> Result<(Vec<String>, Vec<String>), DriverError> {
        let (mut names, mut odd) = (Vec::new(), Vec::new());
        let entries = fs::Dir::read_from(&self.fd).map_err(|errno| os(errno, &self.name))?;
        for entry in entries {
            let entry = entry.map_err(|errno| os(errno, &self.name))?;
            match entry.file_name().to_str() {
                Ok("." | "..") => {}
                Ok(name) => names.push(name.to_owned()),
                Err(_) => odd.push(entry.file_name().to_string_lossy().into_owned()),
            }
        }
        names.sort();
        Ok((names, odd))
    }

    /// Makes what was created, renamed or removed here durable.
    pub(super) fn sync(&self) -> Result<(), DriverError> {
        fs::fsync(&self.fd).map_err(|errno| os(errno, &self.name))
    }

    /// Moves an entry to another directory of the same file system; [`Reason::TargetExists`] instead of overwriting.
    pub(super) fn rename(&self, from: &str, to_dir: &Beneath, to: &str) -> Result<(), DriverError> {
        fs::renameat_with(&self.fd, from, &to_dir.fd, to, fs::RenameFlags::NOREPLACE)
            .map_err(|errno| os(errno, to_dir.describe(to)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        fs_err::create_dir_all(root.join("sub")).unwrap();
        fs_err::write(outer.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink(outer.path().join("secret"), root.join("link")).unwrap();
        std::os::unix::fs::symlink(outer.path(), root.join("linkdir")).unwrap();
        let beneath = Beneath::open(&root, "volume 'v'").unwrap();
        for path in ["link", "linkdir/secret", "../secret", "sub/../../secret", "/etc/passwd"] {
            let error = beneath.open_any(path).unwrap_err();
            assert_eq!(error.reason, Reason::UnsafePath, "{path}: {error}");
        }
        assert!(beneath.exists(&RelPath::parse("link").unwrap()).unwrap());
        beneath.remove_tree("linkdir").unwrap();
        assert!(outer.path().join("secret").exists());
    }
}
