//! The full copy that the demo's times stand beside: every byte of the same disk, on the same file system, in the same run.

use crate::failure::Failure;
use std::{
    io::{Read as _, Write as _},
    path::Path,
    time::{Duration, Instant},
};
use strata_model::ErrorKind;
use strata_sim::world::tree::FileTree;

const CHUNK_BYTES: usize = 1 << 20;

/// Copies a file of the datastore by reading and writing all of it, removes the copy, and says how long the copy took.
///
/// # Errors
/// It cannot be read or written.
pub fn within_tree(tree: &dyn FileTree, from: &str) -> Result<Duration, Failure> {
    let to = "full-copy.tmp";
    let begin = Instant::now();
    let copied = (|| {
        let mut offset = 0;
        loop {
            let bytes = tree.read(from, offset, CHUNK_BYTES)?;
            if bytes.is_empty() {
                return Ok(());
            }
            tree.write(to, offset, &bytes)?;
            offset += bytes.len() as u64;
        }
    })();
    let took = begin.elapsed();
    copied.and_then(|()| tree.remove(to)).map_err(|error: strata_sim::world::tree::TreeError| failed(error))?;
    Ok(took)
}

/// The same with files of this machine, made durable as the filer makes its clones durable. Reads and writes by hand: the
/// system's own copy would share blocks instead of copying them.
///
/// # Errors
/// It cannot be read or written.
pub fn within_directory(directory: &Path, from: &str) -> Result<Duration, Failure> {
    let to = directory.join("full-copy.tmp");
    // What the guest wrote is on the disk before either clock runs.
    fs_err::OpenOptions::new()
        .write(true)
        .open(directory.join(from))
        .and_then(|file| file.sync_all())
        .map_err(failed)?;
    let begin = Instant::now();
    let copied = (|| {
        let mut source = fs_err::File::open(directory.join(from))?;
        let mut target = fs_err::File::create(&to)?;
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let count = source.read(&mut buffer)?;
            if count == 0 {
                return target.sync_all();
            }
            target.write_all(&buffer[..count])?;
        }
    })();
    let took = begin.elapsed();
    copied.and_then(|()| fs_err::remove_file(&to)).map_err(failed)?;
    Ok(took)
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorKind::Unexpected, "DEMO_FAILED", format!("the full copy: {error}"))
}
