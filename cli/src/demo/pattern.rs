//! What the demo writes into disks: blocks that say whose they are, where, and in which version, so that a wrong byte
//! tells where it came from.

use strata_model::ErrorKind;
use strata_sim::world::compute::Vcenter;

use crate::failure::Failure;

/// One block.
pub const BLOCK_BYTES: usize = 64 << 10;
/// Every so many blocks one is changed between versions.
const CHANGED_EVERY: u64 = 16;

/// A version of a disk's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Before the snapshot.
    Old,
    /// After it: some blocks differ.
    New,
}

/// The block that a disk of this VM holds there in this version.
pub fn block(vm: &str, index: u64, version: Version) -> Vec<u8> {
    let written = if version == Version::New && index.is_multiple_of(CHANGED_EVERY) { "new" } else { "old" };
    let mut stamp = format!("{vm} block {index} {written} ").into_bytes();
    stamp.resize(stamp.len().next_power_of_two().max(64), b'.');
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    while block.len() < BLOCK_BYTES {
        let take = stamp.len().min(BLOCK_BYTES - block.len());
        block.extend_from_slice(&stamp[..take]);
    }
    block
}

/// Writes a version over the first bytes of a VM's first disk: everything, or what differs from the version before.
///
/// # Errors
/// The guest cannot write.
pub fn write(vcenter: &Vcenter, vm: &str, bytes: u64, version: Version) -> Result<(), Failure> {
    let blocks = bytes / BLOCK_BYTES as u64;
    for index in (0..blocks).filter(|index| version == Version::Old || index.is_multiple_of(CHANGED_EVERY)) {
        let block = block(vm, index, version);
        vcenter.guest_write(vm, 0, index * BLOCK_BYTES as u64, &block).map_err(|error| {
            let message = format!("the guest of {vm} cannot write: {}", error.message);
            Failure::new(ErrorKind::Unexpected, "DEMO_FAILED", message)
        })?;
    }
    Ok(())
}

/// The first difference between a VM's first disk and what the disk of `owner` held in this version; none where equal.
pub fn difference(vcenter: &Vcenter, vm: &str, owner: &str, bytes: u64, version: Version) -> Option<String> {
    (0..bytes / BLOCK_BYTES as u64).find_map(|index| {
        match vcenter.guest_read(vm, 0, index * BLOCK_BYTES as u64, BLOCK_BYTES) {
            Err(error) => Some(format!("block {index} cannot be read: {}", error.message)),
            Ok(found) if found == block(owner, index, version) => None,
            Ok(found) => {
                let text = String::from_utf8_lossy(&found[..found.len().min(40)]).into_owned();
                Some(format!("block {index} holds {text:?}"))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_tell_vm_place_and_version_apart() {
        let one = block("web-01", 16, Version::Old);
        assert_eq!(one.len(), BLOCK_BYTES);
        assert_ne!(one, block("web-02", 16, Version::Old));
        assert_ne!(one, block("web-01", 17, Version::Old));
        assert_ne!(one, block("web-01", 16, Version::New));
        assert_eq!(block("web-01", 17, Version::Old), block("web-01", 17, Version::New), "most blocks stay");
    }
}
