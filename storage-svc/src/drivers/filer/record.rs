//! Small JSON files of ours: written whole or not at all, durable, read back with suspicion.

use super::{
    beneath::Beneath,
    error::{io, os},
};
use crate::driver::{DriverError, Reason};
use rustix::fs::{self, AtFlags, Mode, OFlags, RenameFlags};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs::File,
    io::{Read as _, Write as _},
};

const RECORD_BYTES_MAX: u64 = 4 << 20;

/// Writes a record in place of what was there: temporary file, fsync, rename, fsync of the directory.
pub(super) fn write<T: Serialize>(dir: &Beneath, name: &str, record: &T) -> Result<(), DriverError> {
    place(dir, &format!(".{name}.new"), name, RenameFlags::empty(), record)
}

/// Writes a record that is not there yet; [`Reason::TargetExists`] where somebody was faster.
pub(super) fn create<T: Serialize>(dir: &Beneath, name: &str, record: &T) -> Result<(), DriverError> {
    let temporary = format!(".{name}.{}.new", uuid::Uuid::new_v4().simple());
    place(dir, &temporary, name, RenameFlags::NOREPLACE, record)
}

fn place<T: Serialize>(
    dir: &Beneath,
    temporary: &str,
    name: &str,
    how: RenameFlags,
    record: &T,
) -> Result<(), DriverError> {
    let object = dir.describe(name);
    let bytes = serde_json::to_vec_pretty(record)
        .map_err(|error| DriverError::new(Reason::Unexpected, format!("{object} cannot be written")).because(error))?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let written = (|| {
        let fd = fs::openat(dir.fd(), temporary, flags, Mode::RUSR | Mode::WUSR).map_err(|errno| os(errno, &object))?;
        let mut file = File::from(fd);
        file.write_all(&bytes).map_err(|error| io(error, &object))?;
        file.sync_all().map_err(|error| io(error, &object))?;
        fs::renameat_with(dir.fd(), temporary, dir.fd(), name, how).map_err(|errno| os(errno, &object))
    })();
    if written.is_err() {
        // Best effort: a leftover is overwritten by the next write.
        let _ = fs::unlinkat(dir.fd(), temporary, AtFlags::empty());
    }
    written?;
    dir.sync()
}

/// Reads a record; `None` where it is absent, or is not of this form, which makes it nobody's.
pub(super) fn read<T: DeserializeOwned>(dir: &Beneath, name: &str) -> Result<Option<T>, DriverError> {
    let file = match dir.find(name) {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(None),
        // A symbolic link in place of our record was put there by somebody else.
        Err(error) if error.reason == Reason::UnsafePath => return Ok(None),
        Err(error) => return Err(error),
    };
    if !file.metadata().map_err(|error| io(error, dir.describe(name)))?.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(RECORD_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| io(error, dir.describe(name)))?;
    Ok(serde_json::from_slice(&bytes).ok())
}

/// Removes a record; durable; fine where it is absent.
pub(super) fn remove(dir: &Beneath, name: &str) -> Result<(), DriverError> {
    dir.remove_tree(name)?;
    dir.sync()
}
