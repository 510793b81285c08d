//! Looking for devices.

use super::{ScsiDevice, ScsiPath};
use crate::world::compute::{fault::Fault, state::State};
use std::collections::BTreeSet;

impl State {
    /// Looks for devices through one adapter, or (`None`) through all. Devices that are new appear; those that lost their
    /// last path go, unless something uses them (they stay, lost) or they are detached (they stay, off).
    ///
    /// Errors: HostNotConnected; NotFound where the host has no such adapter.
    pub fn rescan_adapters(&mut self, host: &str, adapter: Option<&str>) -> Result<(), Fault> {
        self.check_host(host)?;
        let adapters = self.hosts.get(host).map(|h| h.san.adapters.clone()).unwrap_or_default();
        let asked: Vec<_> = adapters.into_iter().filter(|a| adapter.is_none_or(|name| a.device == name)).collect();
        if let (true, Some(name)) = (asked.is_empty(), adapter) {
            return Err(Fault::new("NotFound", format!("The host has no adapter '{name}'")));
        }
        let used = self.devices_in_use(host);
        let found: Vec<_> = asked.iter().map(|a| (a.clone(), self.world.luns_seen_by(&a.initiator))).collect();
        let Some(h) = self.hosts.get_mut(host) else { return Ok(()) };
        for (adapter, found) in found {
            h.san.devices.values_mut().for_each(|d| d.paths.retain(|p| p.adapter != adapter.device));
            for lun in found {
                let device = h.san.devices.entry(lun.canonical_name.clone()).or_insert_with(|| ScsiDevice {
                    name: lun.canonical_name.clone(),
                    serial: lun.serial.clone(),
                    vendor: lun.vendor.to_owned(),
                    product: lun.product.to_owned(),
                    size_bytes: lun.size_bytes,
                    paths: Vec::new(),
                    detached: false,
                });
                device.size_bytes = lun.size_bytes;
                let (adapter, target, number) = (adapter.device.clone(), lun.target, lun.number);
                device.paths.push(ScsiPath { adapter, target, number });
            }
        }
        h.san.devices.retain(|name, d| !d.paths.is_empty() || d.detached || used.contains(name));
        let present: BTreeSet<&String> = h.san.devices.keys().collect();
        h.san.headers.retain(|name, _| present.contains(name));
        self.touch();
        Ok(())
    }

    /// Devices of a host that a mounted filesystem lies on, or that a running VM there has as a raw disk.
    pub(super) fn devices_in_use(&self, host: &str) -> BTreeSet<String> {
        let mounts = self.datastores.values().flat_map(|d| &d.mounts).filter(|m| m.host == host && m.mounted);
        let mut used: BTreeSet<String> = mounts.flat_map(|m| m.extents.clone()).collect();
        let running = self.vms.values().filter(|vm| vm.on && vm.host == host);
        used.extend(
            running
                .flat_map(|vm| vm.disks().filter_map(|d| d.rdm.as_ref().map(|r| r.device.clone())).collect::<Vec<_>>()),
        );
        used
    }
}
