//! The filer: a directory of this machine as an array, where the file system can share blocks.

use super::options::LabOptions;
use fs_err as fs;
use std::{
    io,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// Address under which the lab's hosts mount the filer (RFC 5737: nobody's).
pub const HOST: &str = "192.0.2.10";
/// Path that hosts see for the filer's directory.
pub const PATH_PREFIX: &str = "/lab";

/// A directory for one lab, removed with it. In the user's directory where one was given for the filer and the VMs are
/// the lab's own; else one on a file system that shares blocks is preferred: the usual temporary directory, or the user's
/// cache.
pub fn working_directory(options: &LabOptions) -> io::Result<TempDir> {
    let make = |folder: &Path| tempfile::Builder::new().prefix("strata-lab-").tempdir_in(folder);
    if let (Some(filer), None) = (&options.filer, &options.vcenter) {
        fs::create_dir_all(&filer.directory)?;
        return make(&filer.directory);
    }
    let usual = make(&std::env::temp_dir())?;
    if options.vcenter.is_some() || shares_blocks(usual.path()).is_ok() {
        return Ok(usual);
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    let other = cache.filter(|folder| folder.is_dir()).and_then(|folder| make(&folder).ok());
    Ok(other.filter(|other| shares_blocks(other.path()).is_ok()).unwrap_or(usual))
}

/// Tries FICLONE in a directory.
///
/// # Errors
/// Why it does not work there, ready to show.
pub fn shares_blocks(directory: &Path) -> Result<(), String> {
    let (from, to) = (directory.join(".strata-probe-1"), directory.join(".strata-probe-2"));
    let outcome = clone_one(&from, &to);
    // What is not there need not be removed.
    let _ = fs::remove_file(&from);
    let _ = fs::remove_file(&to);
    outcome.map_err(|error| format!("the file system of {} does not share blocks ({error})", directory.display()))
}

fn clone_one(from: &Path, to: &Path) -> io::Result<()> {
    fs::write(from, [7; 4096])?;
    let source = fs::File::open(from)?;
    let target = fs::File::create(to)?;
    rustix::fs::ioctl_ficlone(target.file(), source.file())?;
    if fs::read(to)? == [7; 4096] { Ok(()) } else { Err(io::Error::other("FICLONE gave other bytes")) }
}
