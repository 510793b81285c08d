//! Raw device mappings: what a VM writes through a pointer file goes to the LUN that the pointer names, wherever the
//! pointer lies. A copy of a filesystem holds pointers to the originals' LUNs.

use crate::world::{
    MemTree,
    compute::{
        fault::Fault,
        files::{DsPath, tree_fault},
        state::State,
    },
    storage::Found,
    tree::FileTree as _,
    vmfs::{Header, RAW},
};
use std::sync::Arc;

impl State {
    /// The LUN behind a raw mapping, where a host has the device and reaches it.
    fn raw_device(&self, device: &str) -> Option<(Found, Arc<MemTree>)> {
        let reached = self.hosts.keys().find_map(|host| self.reach(host, device))?;
        Some((reached.found, reached.content))
    }

    /// Reads a raw disk; none where the device is no LUN of this world.
    pub(in crate::world::compute) fn read_raw(
        &self,
        device: &str,
        offset: u64,
        length: usize,
    ) -> Option<Result<Vec<u8>, Fault>> {
        let (_, lun) = self.raw_device(device)?;
        let bytes = match lun.read(RAW, offset, length) {
            Ok(bytes) => bytes,
            Err(crate::world::tree::TreeError::NotFound(_)) => Vec::new(),
            Err(error) => return Some(Err(tree_fault(&error, device))),
        };
        let mut bytes = bytes;
        bytes.resize(length, 0);
        Some(Ok(bytes))
    }

    /// Writes a raw disk through the pointer file at `pointer`; none where the device is no LUN of this world.
    pub(in crate::world::compute) fn write_raw(
        &self,
        pointer: &DsPath,
        device: &str,
        offset: u64,
        bytes: &[u8],
    ) -> Option<Result<(), Fault>> {
        let (found, lun) = self.raw_device(device)?;
        if self.lies_on_copy(&pointer.ds) && !self.is_copy(&found) {
            let detail = format!("written through '{}', a pointer file in a copy", self.show(pointer));
            self.world.note_mishap("production-written", format!("{}: LUN {}", found.array, found.lun), detail);
        }
        Some(lun.write(RAW, offset, bytes).map_err(|e| tree_fault(&e, device)))
    }

    /// True where a datastore is a copy that an array made: a signed one, or one whose LUNs or volume are clones.
    fn lies_on_copy(&self, datastore: &str) -> bool {
        let Some(ds) = self.datastores.get(datastore).filter(|d| d.on_luns()) else { return false };
        let extents = ds.mounts.iter().find_map(|m| self.reach_extents(m)).unwrap_or_default();
        extents.iter().any(|e| Header::read(&e.content).is_some_and(|h| h.copy_of.is_some()) || self.is_copy(&e.found))
    }

    fn is_copy(&self, found: &Found) -> bool {
        let lun = self.world.array(&found.array).and_then(|a| a.lun(found.lun));
        lun.is_ok_and(|l| l.origin.is_some())
    }
}
