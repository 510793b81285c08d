//! The disk that is measured: so many bytes in so many extents, spread over its whole size; and its full copy.

use anyhow::{Context as _, ensure};
use rustix::fs::{SeekFrom, seek};
use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// Bytes that every measured disk holds, whatever its size and its number of extents.
pub(super) const ALLOCATED_BYTES: u64 = 20_000 * 4096;
const BLOCK: u64 = 4096;

/// Fills a sparse file with [`ALLOCATED_BYTES`] in this many pieces, and returns how many extents that made.
pub(super) fn fill(path: &Path, pieces: u64) -> anyhow::Result<u64> {
    let file = fs_err::OpenOptions::new().write(true).open(path)?;
    let size = file.metadata()?.len();
    let (piece, stride) = (ALLOCATED_BYTES / pieces / BLOCK * BLOCK, size / pieces / BLOCK * BLOCK);
    ensure!(piece > 0 && stride >= piece, "{size} bytes do not hold {pieces} pieces");
    let bytes: Vec<u8> = (0..piece).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect();
    for number in 0..pieces {
        file.file().write_all_at(&bytes, number * stride)?;
    }
    file.sync_all()?;
    extents(path)
}

/// Mappings with data, as the file system tells them (FIEMAP, through filefrag).
fn extents(path: &Path) -> anyhow::Result<u64> {
    let output = Command::new("filefrag").arg("-v").arg(path).output().context("filefrag (of e2fsprogs) is needed")?;
    ensure!(output.status.success(), "filefrag: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let rows = text.lines().filter(|line| line.split(':').next().is_some_and(|n| n.trim().parse::<u64>().is_ok()));
    Ok(rows.count() as u64)
}

/// Copies what is allocated, as a copy without the array would, and makes it durable. The source is in the page cache, which
/// is the copy's advantage.
pub(super) fn copy(from: &Path, to: &Path) -> anyhow::Result<(Duration, u64)> {
    let begin = Instant::now();
    let (source, target) = (File::open(from)?, File::create(to)?);
    let size = source.metadata()?.len();
    target.set_len(size)?;
    let mut buffer = vec![0; 1 << 20];
    let (mut at, mut copied) = (0, 0);
    while at < size {
        // ENXIO: a hole up to the end.
        let Ok(data) = seek(&source, SeekFrom::Data(at)) else { break };
        let end = seek(&source, SeekFrom::Hole(data))?;
        at = data;
        while at < end {
            let length = usize::try_from((end - at).min(buffer.len() as u64)).unwrap_or(buffer.len());
            source.read_exact_at(&mut buffer[..length], at)?;
            target.write_all_at(&buffer[..length], at)?;
            at += length as u64;
            copied += length as u64;
        }
    }
    target.sync_all()?;
    Ok((begin.elapsed(), copied))
}
