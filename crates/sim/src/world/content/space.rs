//! The space that a volume's chunks take. A chunk that a snapshot or a clone shares is counted once, by the volume that
//! wrote it, for as long as anyone holds it: so overwriting data under a snapshot takes space, as on an array.

use crate::world::tree::TreeError;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The fixed size of a chunk, and the grain of sharing and of space.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// A quota and what is used of it, in bytes.
#[derive(Debug)]
pub struct Space {
    quota_bytes: AtomicU64,
    used_bytes: AtomicU64,
}

impl Space {
    /// An empty space with a quota.
    pub fn with_quota(quota_bytes: u64) -> Arc<Self> {
        Arc::new(Space { quota_bytes: AtomicU64::new(quota_bytes), used_bytes: AtomicU64::new(0) })
    }

    /// An empty space without a quota.
    pub fn unlimited() -> Arc<Self> {
        Self::with_quota(u64::MAX)
    }

    /// What the volume may use, in bytes.
    pub fn quota_bytes(&self) -> u64 {
        self.quota_bytes.load(Ordering::Relaxed)
    }

    /// Changes the quota; one below what is used only stops further growth.
    pub fn set_quota_bytes(&self, quota_bytes: u64) {
        self.quota_bytes.store(quota_bytes, Ordering::Relaxed);
    }

    /// What live data and snapshots use together, in bytes.
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }
}

/// One chunk of bytes, paid for from a space until it is dropped.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) bytes: Box<[u8]>,
    space: Arc<Space>,
}

impl Chunk {
    /// A chunk of zeros, or a copy of another; fails with [`TreeError::Full`] at the quota.
    pub(super) fn new(copy_of: Option<&Chunk>, space: &Arc<Space>) -> Result<Self, TreeError> {
        let quota = space.quota_bytes();
        space
            .used_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(CHUNK_BYTES as u64).filter(|sum| *sum <= quota)
            })
            .map_err(|_used| TreeError::Full)?;
        let bytes = copy_of.map_or_else(|| vec![0; CHUNK_BYTES].into_boxed_slice(), |chunk| chunk.bytes.clone());
        Ok(Chunk { bytes, space: Arc::clone(space) })
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.space.used_bytes.fetch_sub(CHUNK_BYTES as u64, Ordering::Relaxed);
    }
}
