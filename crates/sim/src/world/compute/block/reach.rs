//! What a host reaches now.

use super::ScsiDevice;
use crate::world::{
    MemTree,
    compute::{
        datastore::{Datastore, Mount},
        fault::Fault,
        state::State,
        value::MoRef,
    },
    storage::Found,
    tree::FileTree,
    vmfs::{Corrupt, ExtentFiles, Header, Span},
};
use std::{collections::BTreeSet, sync::Arc};

/// A device with the LUN behind it.
pub(super) struct Reached {
    pub(super) found: Found,
    pub(super) content: Arc<MemTree>,
}

impl State {
    /// A host that answers.
    ///
    /// Errors: HostNotConnected, also where it hangs because devices are gone; ManagedObjectNotFound.
    pub fn check_host(&self, host: &str) -> Result<(), Fault> {
        match self.hosts.get(host) {
            Some(h) if h.connection == "connected" => Ok(()),
            Some(h) => Err(Fault::new(
                "HostNotConnected",
                format!("Unable to communicate with the remote host, since it is disconnected ({})", h.name),
            )),
            None => Err(Fault::gone(&MoRef::new("HostSystem", host))),
        }
    }

    /// The paths of a device that work now.
    pub fn live_paths(&self, host: &str, device: &ScsiDevice) -> usize {
        let Some(h) = self.hosts.get(host) else { return 0 };
        let reaches = |adapter: &str| {
            let adapter = h.san.adapters.iter().find(|a| a.device == adapter);
            adapter.is_some_and(|a| self.world.reach_lun(&a.initiator, &device.name).is_some())
        };
        device.paths.iter().filter(|path| reaches(&path.adapter)).count()
    }

    /// The LUN behind a device that the host has, that is attached and that answers.
    pub(super) fn reach(&self, host: &str, device: &str) -> Option<Reached> {
        let h = self.hosts.get(host)?;
        let device = h.san.devices.get(device).filter(|d| !d.detached)?;
        let adapters = device.paths.iter().filter_map(|p| h.san.adapters.iter().find(|a| a.device == p.adapter));
        let mut reached = adapters.filter_map(|a| self.world.reach_lun(&a.initiator, &device.name));
        reached.next().map(|(found, content)| Reached { found, content })
    }

    /// All extents of a mount, where the host reaches each.
    pub(super) fn reach_extents(&self, mount: &Mount) -> Option<Vec<Reached>> {
        let usable = mount.mounted && mount.accessible && !mount.extents.is_empty();
        let extents = mount.extents.iter().filter(|_| usable).map(|device| self.reach(&mount.host, device));
        extents.collect::<Option<Vec<_>>>().filter(|all| !all.is_empty())
    }

    /// True where the host of a mount reaches all its extents.
    pub(in crate::world::compute) fn reaches_extents(&self, mount: &Mount) -> bool {
        self.reach_extents(mount).is_some()
    }

    /// The files of a datastore on LUNs, as the first host sees them that can. A host whose disk was rolled back beneath it
    /// sees wrong bytes and damages what is there.
    pub(in crate::world::compute) fn block_tree(&self, ds: &Datastore) -> Option<Arc<dyn FileTree>> {
        let (mount, extents) = ds.mounts.iter().find_map(|m| Some((m, self.reach_extents(m)?)))?;
        let rollbacks: Vec<u64> = extents.iter().map(|e| e.found.rollbacks).collect();
        if rollbacks != mount.rollbacks {
            self.corrupt(ds, &extents);
        }
        let corrupt = extents.iter().any(|e| Header::read(&e.content).is_none_or(|h| h.corrupt));
        let files = |e: &Reached| -> Arc<dyn FileTree> {
            Arc::new(ExtentFiles::of(Arc::clone(&e.content)).on(&self.world, &e.found.array, e.found.lun))
        };
        let mut files = extents.iter().map(files);
        let tree: Arc<dyn FileTree> = Arc::new(Span::over(files.next()?, files.collect()));
        Some(if corrupt { Arc::new(Corrupt(tree)) } else { tree })
    }

    /// Size of all extents, and what is free of it in bytes. What the LUNs' volumes use counts as used, also where
    /// snapshots or other LUNs use it: thin LUNs promise what the volume may not have.
    pub(in crate::world::compute) fn block_space(&self, ds: &Datastore) -> (u64, u64) {
        let Some(extents) = ds.mounts.iter().find_map(|m| self.reach_extents(m)) else { return (ds.capacity_bytes, 0) };
        let capacity: u64 = extents.iter().map(|e| e.found.size_bytes).sum();
        let mut volumes = BTreeSet::new();
        let mut used = 0;
        for extent in &extents {
            let Ok(array) = self.world.array(&extent.found.array) else { continue };
            let volume = array.lun(extent.found.lun).and_then(|lun| array.volume(lun.volume));
            if let Some(volume) = volume.ok().filter(|v| volumes.insert(v.id)) {
                used += volume.used_bytes;
            }
        }
        (capacity, capacity.saturating_sub(used))
    }

    fn corrupt(&self, ds: &Datastore, extents: &[Reached]) {
        let detail = "its disk was rolled back while a host had it mounted; unmount and detach it first".to_owned();
        self.world.note_mishap("vmfs-corrupt", format!("datastore '{}' ({})", ds.name, ds.uuid), detail);
        for extent in extents {
            if let Some(mut header) = Header::read(&extent.content).filter(|h| !h.corrupt) {
                header.corrupt = true;
                // A disk that cannot be written is not damaged any further.
                let _read_only = header.write(&extent.content);
            }
        }
    }
}
