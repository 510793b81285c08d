//! One file of the journal: a header that says where in the chain it begins, then records. Room is made ahead, in zeros
//! that are synced once, so that a flush writes data and no metadata.

use super::frame::{Chain, u32_at, u64_at};
use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

const MAGIC: &[u8; 8] = b"STRALOG1";
/// Where the first record stands.
pub(super) const START: u64 = 64;
/// Room is made in pieces of this size.
const ROOM_BYTES: u64 = 1 << 20;

/// A segment that is being written.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) file: File,
    /// Where the next record goes.
    pub(super) end: u64,
    room: u64,
    /// A test's disk is full after so many bytes more.
    #[cfg(test)]
    disk_left: Option<u64>,
}

/// What a segment's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// The number of its first record.
    pub(super) first: u64,
    /// The chain before that.
    pub(super) chain: Chain,
}

/// The path of the segment that begins with this record. Names sort like numbers.
pub(super) fn path(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("{first:020}.log"))
}

impl Segment {
    /// A new one, durable before it is used.
    pub(super) fn create(directory: &Path, header: Header) -> io::Result<Self> {
        let file =
            File::options().read(true).write(true).create(true).truncate(true).open(path(directory, header.first))?;
        let mut segment = Self::at(file, START, 0);
        segment.make_room(START)?;
        segment.file.write_all_at(&encode(&header), 0)?;
        segment.file.sync_all()?;
        File::open(directory)?.sync_all()?;
        Ok(segment)
    }

    /// One that is there and goes on at `end`, having been cleared of whatever stood after that.
    pub(super) fn reopen(path: &Path, end: u64) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(path)?;
        file.set_len(end)?;
        let mut segment = Self::at(file, end, end);
        segment.make_room(0)?;
        Ok(segment)
    }

    fn at(file: File, end: u64, room: u64) -> Self {
        Self {
            file,
            end,
            room,
            #[cfg(test)]
            disk_left: None,
        }
    }

    fn make_room(&mut self, wanted: u64) -> io::Result<()> {
        let until = (self.end + wanted).next_multiple_of(ROOM_BYTES);
        if until > self.room {
            let zeros = vec![0; usize::try_from(until - self.room).map_err(io::Error::other)?];
            self.put(&zeros, self.room)?;
            self.file.sync_all()?;
            self.room = until;
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        #[cfg(test)]
        if let Some(left) = &mut self.disk_left {
            let fits = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
            self.file.write_all_at(&bytes[..fits], at)?;
            *left -= fits as u64;
            if fits < bytes.len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            return Ok(());
        }
        self.file.write_all_at(bytes, at)
    }

    /// Writes records after the last ones.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.make_room(bytes.len() as u64)?;
        self.put(bytes, self.end)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Returns when everything has reached the medium.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// A test's disk is full after so many bytes more; the room made ahead does not count.
    #[cfg(test)]
    pub(super) fn fill_disk_after(&mut self, left: u64) {
        self.disk_left = Some(left);
    }

    /// After a failed write: takes away what may stand after `end`, as well as it can.
    pub(super) fn cut(&mut self, end: u64) {
        // Where this fails too, the next opening finds the unacknowledged rest and says so.
        let _ = self.file.set_len(end).and_then(|()| self.file.sync_all());
    }
}

fn encode(header: &Header) -> [u8; START as usize] {
    let mut bytes = [0; START as usize];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..16].copy_from_slice(&header.first.to_le_bytes());
    bytes[16..48].copy_from_slice(&header.chain);
    let crc = crc32c::crc32c(&bytes[..48]);
    bytes[48..52].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Reads a segment's header; `None` where it is absent or damaged.
pub(super) fn decode(bytes: &[u8]) -> Option<Header> {
    let sound = bytes.get(..8)? == MAGIC && u32_at(bytes, 48)? == crc32c::crc32c(bytes.get(..48)?);
    let header = Header { first: u64_at(bytes, 8)?, chain: bytes.get(16..48)?.try_into().ok()? };
    sound.then_some(header)
}
