//! The high-water mark: how many records were acknowledged and what the chain was then. It is written after each flush and
//! before its callers hear of it, into one of two slots in turn, so that a torn write leaves the other. A journal that is
//! shorter than its mark has lost its tail.
//!
//! The mark itself is synced only now and then: a killed process loses nothing (the kernel has it), and after a power loss
//! an older mark is still true, only weaker.

use super::frame::{Chain, u32_at, u64_at};
use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

const SLOT: usize = 512;
const MAGIC: &[u8; 8] = b"STRAHEAD";
const USED: usize = 64;
/// Syncs of the mark are this many flushes apart.
const SYNC_EVERY: u64 = 64;

/// Up to where the journal was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    turn: u64,
    pub(super) records: u64,
    pub(super) chain: Chain,
}

/// The file of the mark.
#[derive(Debug)]
pub(super) struct Head {
    file: File,
    last: Mark,
}

impl Head {
    /// A new one, durable, that says that there are no records.
    pub(super) fn create(path: &Path, records: u64, chain: Chain) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        let mut head = Self { file, last: Mark { turn: 0, records, chain } };
        head.advance(records, chain)?;
        head.advance(records, chain)?;
        head.file.sync_all()?;
        Ok(head)
    }

    /// The one that is there; `None` where both slots are damaged.
    pub(super) fn open(path: &Path) -> io::Result<Option<(Self, Mark)>> {
        let file = File::options().read(true).write(true).open(path)?;
        let mut slot = [0; SLOT];
        let mut found: Option<Mark> = None;
        for place in 0..2 {
            let read = file.read_at(&mut slot, place * SLOT as u64)?;
            if let Some(mark) = decode(&slot[..read]).filter(|mark| found.is_none_or(|found| mark.turn > found.turn)) {
                found = Some(mark);
            }
        }
        Ok(found.map(|mark| (Self { file, last: mark }, mark)))
    }

    /// The mark as it is.
    pub(super) fn mark(&self) -> Mark {
        self.last
    }

    /// Sets the mark.
    pub(super) fn advance(&mut self, records: u64, chain: Chain) -> io::Result<()> {
        let mark = Mark { turn: self.last.turn + 1, records, chain };
        self.file.write_all_at(&encode(&mark), (mark.turn % 2) * SLOT as u64)?;
        self.last = mark;
        if mark.turn.is_multiple_of(SYNC_EVERY) { self.file.sync_data() } else { Ok(()) }
    }

    /// Makes the mark durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn encode(mark: &Mark) -> [u8; SLOT] {
    let mut slot = [0; SLOT];
    slot[..8].copy_from_slice(MAGIC);
    slot[8..16].copy_from_slice(&mark.turn.to_le_bytes());
    slot[16..24].copy_from_slice(&mark.records.to_le_bytes());
    slot[24..56].copy_from_slice(&mark.chain);
    let crc = crc32c::crc32c(&slot[..USED - 8]);
    slot[USED - 8..USED - 4].copy_from_slice(&crc.to_le_bytes());
    slot
}

fn decode(slot: &[u8]) -> Option<Mark> {
    let sound = slot.get(..8)? == MAGIC && u32_at(slot, USED - 8)? == crc32c::crc32c(slot.get(..USED - 8)?);
    let mark = Mark { turn: u64_at(slot, 8)?, records: u64_at(slot, 16)?, chain: slot.get(24..56)?.try_into().ok()? };
    sound.then_some(mark)
}
