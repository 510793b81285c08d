//! What must hold for block storage at the end of every test.

use crate::world::{
    compute::{datastore::Mount, state::State},
    invariants::Violation,
    vmfs::Header,
};
use std::collections::BTreeSet;

/// A rule of this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockRule {
    /// A host has an attached device that does not answer.
    DeviceLost,
    /// A datastore is mounted on devices that are gone.
    DatastoreLost,
    /// A host sees a copy that nobody resolved.
    Unresolved,
    /// A filesystem is damaged, or its disk was rolled back beneath a host.
    Corrupt,
    /// One uuid is mounted from two sets of devices.
    MountedTwice,
    /// A host keeps a detached device, or an unmounted filesystem, that is gone.
    Leftover,
}

impl BlockRule {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            BlockRule::DeviceLost => "device-lost",
            BlockRule::DatastoreLost => "datastore-lost",
            BlockRule::Unresolved => "unresolved-copy",
            BlockRule::Corrupt => "vmfs-corrupt",
            BlockRule::MountedTwice => "mounted-twice",
            BlockRule::Leftover => "leftover-device",
        }
    }
}

impl State {
    /// Everything that must not be, as of now; what was and is no longer stands in the world's mishaps.
    pub fn block_violations(&self) -> Vec<Violation> {
        let mut out = Vec::new();
        let mut add = |rule: BlockRule, object: String, detail: &str| {
            out.push(Violation { rule: rule.name(), object, detail: detail.to_owned() });
        };
        for (id, host) in &self.hosts {
            let on = |what: &str| format!("host '{}': {what}", host.name);
            for device in self.lost_devices(id) {
                add(BlockRule::DeviceLost, on(&device), "no path to it works and it is not detached");
            }
            for copy in self.unresolved_now(id) {
                add(BlockRule::Unresolved, on(&copy.label), "a copy waits to be resolved");
            }
            let gone =
                |name: &&String| host.san.devices.get(*name).is_some_and(|d| d.detached && self.live_paths(id, d) == 0);
            for device in host.san.devices.keys().filter(gone) {
                add(BlockRule::Leftover, on(device), "detached and gone, and not forgotten");
            }
            let known: BTreeSet<&String> = self.datastores.values().map(|d| &d.uuid).collect();
            for volume in host.san.unmounted.iter().filter(|uuid| !known.contains(uuid)) {
                add(BlockRule::Leftover, on(volume), "unmounted and gone, and not forgotten");
            }
        }
        for ds in self.datastores.values().filter(|d| d.on_luns()) {
            let object = || format!("datastore '{}'", ds.name);
            let mounted: Vec<&Mount> = ds.mounts.iter().filter(|m| m.mounted).collect();
            if mounted.iter().map(|m| &m.extents).collect::<BTreeSet<_>>().len() > 1 {
                add(BlockRule::MountedTwice, object(), "hosts mount it from different devices");
            }
            for mount in mounted {
                let Some(extents) = self.reach_extents(mount) else {
                    add(BlockRule::DatastoreLost, object(), "a host has it mounted and a device does not answer");
                    continue;
                };
                let rolled_back = !extents.iter().map(|e| e.found.rollbacks).eq(mount.rollbacks.iter().copied());
                if rolled_back || extents.iter().any(|e| Header::read(&e.content).is_some_and(|h| h.corrupt)) {
                    add(BlockRule::Corrupt, object(), "its disk was rolled back beneath a host");
                }
            }
        }
        out.dedup();
        out
    }
}
