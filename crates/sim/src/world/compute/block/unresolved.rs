//! Copies of filesystems: what a host found on devices whose headers name other devices.

use crate::world::{
    compute::{fault::Fault, state::State},
    vmfs::Header,
};
use std::collections::BTreeMap;

/// An extent of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedExtent {
    /// The device it lies on.
    pub device: String,
    /// Which extent of the filesystem it is.
    pub ordinal: usize,
    /// `diskIdMismatch`, or `uuidConflict` where the original is mounted on this host.
    pub reason: &'static str,
}

impl UnresolvedExtent {
    /// The partition's path on the host, by which it is named when it is resolved.
    pub fn device_path(&self) -> String {
        format!("/vmfs/devices/disks/{}:1", self.device)
    }
}

/// All copies of one filesystem that a host sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedVolume {
    /// Uuid of the filesystem that they are copies of.
    pub uuid: String,
    /// Its label.
    pub label: String,
    /// The extents, by ordinal and then by device.
    pub extents: Vec<UnresolvedExtent>,
    /// An extent is missing.
    pub incomplete: bool,
    /// An extent is there more than once.
    pub multiple: bool,
    /// How many extents the filesystem has.
    pub count: usize,
}

impl UnresolvedVolume {
    /// It can be resolved: nothing is missing, and nothing is there twice.
    pub fn resolvable(&self) -> bool {
        !self.incomplete && !self.multiple
    }
}

impl State {
    /// The copies that a host saw when it last looked for filesystems, and that still are copies.
    ///
    /// Errors: HostNotConnected.
    pub fn unresolved(&self, host: &str) -> Result<Vec<UnresolvedVolume>, Fault> {
        self.check_host(host)?;
        Ok(self.unresolved_now(host))
    }

    pub(super) fn unresolved_now(&self, host: &str) -> Vec<UnresolvedVolume> {
        let Some(h) = self.hosts.get(host) else { return Vec::new() };
        let forced: Vec<&String> = self
            .datastores
            .values()
            .flat_map(|d| &d.mounts)
            .filter(|m| m.host == host && m.mounted && m.forced)
            .flat_map(|m| &m.extents)
            .collect();
        let copies = h.san.headers.iter().filter(|(device, header)| {
            header.device() != device.as_str() && !forced.contains(device) && self.reach(host, device).is_some()
        });
        let mut volumes: BTreeMap<String, Vec<(&String, &Header)>> = BTreeMap::new();
        copies.for_each(|(device, header)| volumes.entry(header.volume.clone()).or_default().push((device, header)));
        volumes.into_iter().filter_map(|(uuid, extents)| self.unresolved_volume(host, uuid, &extents)).collect()
    }

    fn unresolved_volume(&self, host: &str, uuid: String, found: &[(&String, &Header)]) -> Option<UnresolvedVolume> {
        let (_, first) = found.first()?;
        let mounted = self.datastores.values().any(|d| {
            d.on_luns() && d.uuid == uuid && d.mounts.iter().any(|m| m.host == host && m.mounted && !m.forced)
        });
        let reason = if mounted { "uuidConflict" } else { "diskIdMismatch" };
        let extent = |(device, header): &(&String, &Header)| UnresolvedExtent {
            device: (*device).clone(),
            ordinal: header.ordinal,
            reason,
        };
        let mut extents: Vec<UnresolvedExtent> = found.iter().map(extent).collect();
        extents.sort_by(|a, b| (a.ordinal, &a.device).cmp(&(b.ordinal, &b.device)));
        let count = first.devices.len();
        let copies = |ordinal: usize| extents.iter().filter(|e| e.ordinal == ordinal).count();
        let incomplete = (0..count).any(|n| copies(n) == 0);
        let multiple = (0..count).any(|n| copies(n) > 1);
        Some(UnresolvedVolume { label: first.label.clone(), uuid, extents, incomplete, multiple, count })
    }
}
