//! One file into another: shared extents where the file system can, else a copy that keeps holes.

use super::{
    beneath::Beneath,
    error::{io, os},
};
use crate::driver::{DriverError, Reason};
use rustix::{
    fs::{self, AtFlags, IFlags, Mode, OFlags, SeekFrom},
    io::Errno,
};
use std::{fs::File, os::unix::fs::MetadataExt as _};

/// How bytes get into the other file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// FICLONE: no byte is copied, the cut of one file is atomic.
    Share,
    /// Read and write; the holes stay holes.
    Copy,
}

/// A new file beside its source, not filled yet.
#[derive(Debug)]
pub(super) struct Prepared {
    source: File,
    target: File,
    object: String,
}

impl Prepared {
    /// Opens the source, refuses what is no regular file, and creates the target, which must not exist.
    pub(super) fn new(source: File, target_dir: &Beneath, name: &str) -> Result<Self, DriverError> {
        let object = target_dir.describe(name);
        let meta = source.metadata().map_err(|error| io(error, &object))?;
        if !meta.is_file() {
            return Err(DriverError::new(
                Reason::UnsafePath,
                format!("the source of {object} is no regular file; only files and directories can be taken"),
            ));
        }
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd =
            fs::openat(target_dir.fd(), name, flags, Mode::RUSR | Mode::WUSR).map_err(|errno| os(errno, &object))?;
        let prepared = Self { source, target: File::from(fd), object };
        prepared.take_no_cow();
        Ok(prepared)
    }

    /// btrfs refuses to share extents between a file with and one without NOCOW, which VM images often have.
    fn take_no_cow(&self) {
        if let Ok(flags) = fs::ioctl_getflags(&self.source)
            && flags.contains(IFlags::NOCOW)
        {
            // Where this fails FICLONE says so.
            let _ = fs::ioctl_setflags(&self.target, IFlags::NOCOW);
        }
    }

    /// Fills the target. Returns the bytes that were copied instead of shared.
    pub(super) fn fill(&self, method: Method) -> Result<u64, DriverError> {
        match method {
            Method::Share => {
                fs::ioctl_ficlone(&self.target, &self.source).map_err(|errno| os(errno, &self.object))?;
                Ok(0)
            }
            Method::Copy => self.fill_by_copy(),
        }
    }

    fn fill_by_copy(&self) -> Result<u64, DriverError> {
        let fail = |error: std::io::Error| io(error, &self.object);
        let before = self.source.metadata().map_err(fail)?;
        self.target.set_len(before.len()).map_err(fail)?;
        let copied = copy_data(&self.source, &self.target).map_err(|errno| os(errno, &self.object))?;
        let after = self.source.metadata().map_err(fail)?;
        let stamp =
            |meta: &std::fs::Metadata| (meta.len(), meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec());
        if stamp(&before) != stamp(&after) {
            return Err(DriverError::new(
                Reason::TornCopy,
                format!("the source of {} changed while it was copied; power the VM off and try again", self.object),
            ));
        }
        Ok(copied)
    }

    /// Gives the target its source's owner, mode and times, and makes it durable.
    pub(super) fn finish(&self) -> Result<(), DriverError> {
        let fail = |error: std::io::Error| io(error, &self.object);
        let (from, to) = (self.source.metadata().map_err(fail)?, self.target.metadata().map_err(fail)?);
        if (from.uid(), from.gid()) != (to.uid(), to.gid()) {
            std::os::unix::fs::fchown(&self.target, Some(from.uid()), Some(from.gid())).map_err(fail)?;
        }
        self.target.set_permissions(from.permissions()).map_err(fail)?;
        if let Ok(modified) = from.modified() {
            self.target.set_modified(modified).map_err(fail)?;
        }
        self.target.sync_all().map_err(fail)
    }
}

/// Copies what is data and leaves holes alone; both files start at 0.
fn copy_data(source: &File, target: &File) -> Result<u64, Errno> {
    let (mut copied, mut position) = (0, 0);
    loop {
        let start = match fs::seek(source, SeekFrom::Data(position)) {
            Ok(start) => start,
            // Nothing but a hole is left.
            Err(Errno::NXIO) => return Ok(copied),
            Err(errno) => return Err(errno),
        };
        let end = fs::seek(source, SeekFrom::Hole(start))?;
        let (mut from, mut to) = (start, start);
        while from < end {
            let length = usize::try_from(end - from).unwrap_or(usize::MAX).min(64 << 20);
            let step = fs::copy_file_range(source, Some(&mut from), target, Some(&mut to), length)?;
            if step == 0 {
                return Ok(copied);
            }
            copied += step as u64;
        }
        position = end;
    }
}

/// Gives a directory the owner and mode of another.
pub(super) fn dress_directory(target: &Beneath, like: &File) -> Result<(), DriverError> {
    let object = target.describe("");
    let meta = like.metadata().map_err(|error| io(error, &object))?;
    let stat = fs::fstat(target.fd()).map_err(|errno| os(errno, &object))?;
    if (meta.uid(), meta.gid()) != (stat.st_uid, stat.st_gid) {
        std::os::unix::fs::fchown(target.fd(), Some(meta.uid()), Some(meta.gid()))
            .map_err(|error| io(error, &object))?;
    }
    fs::fchmod(target.fd(), Mode::from_raw_mode(meta.mode() & 0o7777)).map_err(|errno| os(errno, &object))
}

/// True where this directory's file system shares extents: asked with two small files.
pub(super) fn can_share(scratch: &Beneath) -> Result<bool, DriverError> {
    // Names of their own: two drivers may ask at the same time.
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let (from, to) = (&*format!(".probe-{unique}-from"), &*format!(".probe-{unique}-to"));
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let fd = fs::openat(scratch.fd(), from, flags, Mode::RUSR | Mode::WUSR)
        .map_err(|errno| os(errno, scratch.describe(from)))?;
    let source = File::from(fd);
    rustix::io::write(&source, &[7; 4096]).map_err(|errno| os(errno, scratch.describe(from)))?;
    let shared = Prepared::new(source, scratch, to).and_then(|prepared| prepared.fill(Method::Share));
    let _ = fs::unlinkat(scratch.fd(), from, AtFlags::empty());
    let _ = fs::unlinkat(scratch.fd(), to, AtFlags::empty());
    match shared {
        Ok(_) => Ok(true),
        // Which of these a file system says depends on its age; all mean no.
        Err(error) if matches!(error.reason, Reason::NotSupported | Reason::Unexpected | Reason::UnsafePath) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
