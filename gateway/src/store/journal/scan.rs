//! Reading a journal from its beginning: every record's checksum, number and place in the chain; then the mark.
//!
//! What does not read has three possible causes, and they are told apart:
//! 1. It was never acknowledged: the process died in the middle of its last write. It is dropped, and that is said.
//! 2. It was acknowledged, and something of a later flush stands after it, or the mark counts it: damage. Refused.
//! 3. It was acknowledged and nothing stands after it: the tail was cut. Refused, with the number of records lost.

use super::{
    error::OpenError,
    frame::{self, Chain},
    head::Mark,
    segment::{self, START},
};
use std::path::{Path, PathBuf};

/// A record and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: u8,
    pub(super) payload: Vec<u8>,
    /// The number of its segment's first record.
    pub(super) segment: u64,
    /// Where its frame begins in the segment.
    pub(super) offset: u64,
}

/// A journal that reads.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) found: Vec<Found>,
    pub(super) chain: Chain,
    /// The segment to go on with, by its first record, and where in it; `None` where a new one has to be made.
    pub(super) last: Option<(u64, u64)>,
    /// Bytes of an unfinished write that were dropped.
    pub(super) dropped_bytes: u64,
    /// Records that the mark counts and that are not there.
    pub(super) lost_records: u64,
}

/// Reads the segments in `directory` and holds them against the mark.
pub(super) fn scan(directory: &Path, mark: &Mark) -> Result<Scan, OpenError> {
    let paths = segments(directory)?;
    let mut scan = Scan { found: Vec::new(), chain: Chain::default(), last: None, dropped_bytes: 0, lost_records: 0 };
    let mut chain_at_mark = (mark.records == 0).then_some(Chain::default());
    for (place, path) in paths.iter().enumerate() {
        let bytes = fs_err::read(path).map_err(OpenError::io("read", path))?;
        let is_last = place + 1 == paths.len();
        let number = scan.found.len() as u64 + 1;
        let Some(header) = segment::decode(&bytes) else {
            // A segment is used only after its header is durable: an unfinished one can only be the last, and empty.
            if is_last && scan.found.len() as u64 >= mark.records && !has_record_after(&bytes, 0, number) {
                scan.dropped_bytes += bytes.len() as u64;
                continue;
            }
            return Err(OpenError::damaged(path, 0, "its header does not read"));
        };
        if header.first != number || header.chain != scan.chain {
            return Err(OpenError::damaged(path, 0, "it does not continue the segment before it"));
        }
        let end = records(path, &bytes, header.first, mark.records, &mut scan, &mut chain_at_mark)?;
        let rest = &bytes[end..];
        if rest.iter().any(|byte| *byte != 0) {
            if !is_last || is_damage(rest, scan.found.len() as u64 + 1) {
                return Err(OpenError::damaged(path, end as u64, "the record there does not read, and later ones do"));
            }
            scan.dropped_bytes += rest.len() as u64;
        }
        scan.last = Some((header.first, end as u64));
    }
    scan.lost_records = mark.records.saturating_sub(scan.found.len() as u64);
    if scan.lost_records == 0 && chain_at_mark != Some(mark.chain) {
        return Err(OpenError::damaged(directory, 0, "its records are not those that were acknowledged"));
    }
    Ok(scan)
}

/// Reads records until one does not read, and answers where that is.
fn records(
    path: &Path,
    bytes: &[u8],
    segment: u64,
    marked: u64,
    scan: &mut Scan,
    chain_at_mark: &mut Option<Chain>,
) -> Result<usize, OpenError> {
    let mut at = usize::try_from(START).unwrap_or(usize::MAX);
    while let Some(frame) = bytes.get(at..).and_then(frame::decode) {
        let number = scan.found.len() as u64 + 1;
        let chain = frame::link(&scan.chain, number, frame.kind, frame.payload);
        if frame.number != number || frame.chain != chain {
            return Err(OpenError::damaged(path, at as u64, "the record there is not the next one"));
        }
        let (kind, payload) = (frame.kind, frame.payload.to_vec());
        scan.found.push(Found { kind, payload, segment, offset: at as u64 });
        scan.chain = chain;
        if number == marked {
            *chain_at_mark = Some(chain);
        }
        at += frame.size;
    }
    Ok(at.min(bytes.len()))
}

/// Whether the record `number`, which does not read, had been acknowledged: some later record reads whose batch began
/// after it, and a batch is written only after the one before it is durable.
fn is_damage(rest: &[u8], number: u64) -> bool {
    let places = (0..rest.len()).step_by(8);
    places.filter_map(|at| frame::decode(&rest[at..])).any(|frame| frame.batch_first > number)
}

fn has_record_after(bytes: &[u8], from: usize, number: u64) -> bool {
    let places = (from..bytes.len()).step_by(8);
    places.filter_map(|at| frame::decode(&bytes[at..])).any(|frame| frame.number >= number)
}

/// The segments in the order of their records.
fn segments(directory: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(directory).map_err(OpenError::io("list", directory))? {
        let path = entry.map_err(OpenError::io("list", directory))?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
