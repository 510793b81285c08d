//! One file in memory: a length and a map of chunks.

use super::{
    chunks::ChunkMap,
    space::{CHUNK_BYTES, Chunk, Space},
};
use crate::world::tree::TreeError;
use std::sync::Arc;

const CHUNK: u64 = CHUNK_BYTES as u64;

/// A file's bytes; cloning shares them.
#[derive(Debug, Clone, Default)]
pub(super) struct FileBytes {
    pub(super) size_bytes: u64,
    chunks: ChunkMap,
}

impl FileBytes {
    pub(super) fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        let end = self.size_bytes.min(offset.saturating_add(length as u64));
        let Some(wanted) = end.checked_sub(offset).and_then(|n| usize::try_from(n).ok()) else {
            return Vec::new();
        };
        let mut bytes = Vec::with_capacity(wanted);
        while bytes.len() < wanted {
            let at = offset + bytes.len() as u64;
            let within = (at % CHUNK) as usize;
            let take = (CHUNK_BYTES - within).min(wanted - bytes.len());
            match self.chunks.get(at / CHUNK) {
                Some(chunk) => bytes.extend_from_slice(&chunk.bytes[within..within + take]),
                None => bytes.resize(bytes.len() + take, 0),
            }
        }
        bytes
    }

    /// Writes chunk by chunk. At the quota, what was written so far stays: so does a filesystem.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8], space: &Arc<Space>) -> Result<(), TreeError> {
        let mut done = 0;
        while done < bytes.len() {
            let at = offset + done as u64;
            let within = (at % CHUNK) as usize;
            let take = (CHUNK_BYTES - within).min(bytes.len() - done);
            let part = &bytes[done..done + take];
            let place = self.chunks.place(at / CHUNK);
            if let Some(own) = place.as_mut().and_then(Arc::get_mut) {
                own.bytes[within..within + take].copy_from_slice(part);
            } else {
                let mut fresh = Chunk::new(place.as_deref(), space)?;
                fresh.bytes[within..within + take].copy_from_slice(part);
                *place = Some(Arc::new(fresh));
            }
            done += take;
            self.size_bytes = self.size_bytes.max(at + take as u64);
        }
        Ok(())
    }

    pub(super) fn set_len(&mut self, size_bytes: u64, space: &Arc<Space>) -> Result<(), TreeError> {
        if size_bytes < self.size_bytes {
            let within = (size_bytes % CHUNK) as usize;
            let index = size_bytes / CHUNK;
            // The cut-off end of the last chunk must read as zeros when the file grows again.
            if within > 0 && self.chunks.get(index).is_some() {
                let place = self.chunks.place(index);
                if let Some(own) = place.as_mut().and_then(Arc::get_mut) {
                    own.bytes[within..].fill(0);
                } else {
                    let mut fresh = Chunk::new(place.as_deref(), space)?;
                    fresh.bytes[within..].fill(0);
                    *place = Some(Arc::new(fresh));
                }
            }
            self.chunks.cut(size_bytes.div_ceil(CHUNK));
        }
        self.size_bytes = size_bytes;
        Ok(())
    }
}
