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
    tree::{FileTree as _, TreeError},
    vmfs::{Header, RAW},
};
use std::sync::Arc;

impl State {
    /// The LUN behind a raw mapping, where a host has the device and reaches it.
    fn raw_device(&self, device: &str) -> Option<(Found, Arc<MemTree>)> {
        let reached = self.hosts.keys().find_map(|host| self.reach(host, device))?;
        Some((reached.found, reached.content))
    }

    /// The LUN behind a raw mapping; none where the device is nobody's: no array has it and no host knows it.
    fn raw_or_lost(&self, device: &str) -> Option<Result<(Found, Arc<MemTree>), Fault>> {
        if let Some(found) = self.raw_device(device) {
            return Some(Ok(found));
        }
        let known = self.world.has_lun(device) || self.hosts.values().any(|h| h.san.devices.contains_key(device));
        known.then(|| {
            let text = format!("Cannot access the raw device '{device}': no host reaches it");
            Err(Fault::new("GenericVmConfigFault", text.clone()).with("reason", text))
        })
    }

    /// Refuses where a host does not reach the LUN of a raw mapping.
    ///
    /// Errors: GenericVmConfigFault.
    pub(in crate::world::compute) fn check_raw(&self, host: &str, device: &str) -> Result<(), Fault> {
        let nobodys = self.raw_or_lost(device).is_none();
        if nobodys || self.reach(host, device).is_some() {
            return Ok(());
        }
        let text = format!("The host does not reach the raw device '{device}'");
        Err(Fault::new("GenericVmConfigFault", text.clone()).with("reason", text))
    }

    /// Reads a raw disk; none where the device is nobody's.
    pub(in crate::world::compute) fn read_raw(
        &self,
        device: &str,
        offset: u64,
        length: usize,
    ) -> Option<Result<Vec<u8>, Fault>> {
        let read = self.raw_or_lost(device)?.and_then(|(_, lun)| match lun.read(RAW, offset, length) {
            Err(TreeError::NotFound(_)) => Ok(Vec::new()),
            other => other.map_err(|e| tree_fault(&e, device)),
        });
        Some(read.map(|mut bytes| {
            bytes.resize(length, 0);
            bytes
        }))
    }

    /// Writes a raw disk through the pointer file at `pointer`; none where the device is nobody's.
    pub(in crate::world::compute) fn write_raw(
        &self,
        pointer: &DsPath,
        device: &str,
        offset: u64,
        bytes: &[u8],
    ) -> Option<Result<(), Fault>> {
        let (found, lun) = match self.raw_or_lost(device)? {
            Ok(found) => found,
            Err(fault) => return Some(Err(fault)),
        };
        if self.lies_on_copy(&pointer.ds) && !self.is_copy(&found) {
            let detail = format!("written through '{}', a pointer file in a copy", self.show(pointer));
            self.world.note_mishap("production-written", format!("{}: LUN {}", found.array, found.lun), detail);
        }
        Some(lun.write(RAW, offset, bytes).map_err(|e| tree_fault(&e, device)))
    }

    /// The canonical name of a device that a client names by its path, its `vml.` name or its canonical name.
    pub fn canonical_device(&self, host: &str, name: &str) -> String {
        let plain = name.strip_prefix("/vmfs/devices/disks/").unwrap_or(name);
        let devices = self.hosts.get(host).into_iter().flat_map(|h| h.san.devices.values());
        let mut same = devices.filter(|d| plain.strip_prefix("vml.") == Some(d.uuid().as_str()));
        same.next().map_or_else(|| plain.to_owned(), |d| d.name.clone())
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
