//! Detaching, attaching and forgetting devices on one host.

use super::ScsiDevice;
use crate::world::compute::{fault::Fault, state::State};

impl State {
    fn device_by_uuid(&self, host: &str, uuid: &str) -> Result<ScsiDevice, Fault> {
        let devices = self.hosts.get(host).into_iter().flat_map(|h| h.san.devices.values());
        let mut found = devices.filter(|d| d.uuid() == uuid);
        found.next().cloned().ok_or_else(|| Fault::new("NotFound", format!("The host knows no device '{uuid}'")))
    }

    fn set_detached(&mut self, host: &str, device: &str, detached: bool) {
        let devices = self.hosts.get_mut(host).map(|h| &mut h.san.devices);
        if let Some(device) = devices.and_then(|d| d.get_mut(device)) {
            device.detached = detached;
        }
        if detached && let Some(h) = self.hosts.get_mut(host) {
            h.san.headers.remove(device);
        }
        self.touch();
    }

    /// Detaches a device from one host: it is off, and may then be taken away on the array.
    ///
    /// Errors: HostNotConnected; NotFound; InvalidState where it is off; ResourceInUse where a mounted filesystem lies on it
    /// or a VM on this host has it as a raw disk.
    pub fn detach_device(&mut self, host: &str, uuid: &str) -> Result<(), Fault> {
        self.check_host(host)?;
        let device = self.device_by_uuid(host, uuid)?;
        if device.detached {
            return Err(Fault::new("InvalidState", format!("The device '{}' is already detached", device.name)));
        }
        let mut vms = self.vms.values().filter(|vm| vm.host == host);
        let raw = vms.any(|vm| vm.disks().any(|d| d.rdm.as_ref().is_some_and(|r| r.device == device.name)));
        if raw || self.devices_in_use(host).contains(&device.name) {
            let text = format!("The device '{}' is in use by a mounted VMFS volume or a raw mapping", device.name);
            return Err(Fault::new("ResourceInUse", text).with("type", "ScsiLun").with("name", device.name.as_str()));
        }
        self.set_detached(host, &device.name, true);
        Ok(())
    }

    /// Attaches a device that was detached.
    ///
    /// Errors: HostNotConnected; NotFound; InvalidState where it is attached; HostConfigFault where it does not answer.
    pub fn attach_device(&mut self, host: &str, uuid: &str) -> Result<(), Fault> {
        self.check_host(host)?;
        let device = self.device_by_uuid(host, uuid)?;
        if !device.detached {
            return Err(Fault::new("InvalidState", format!("The device '{}' is already attached", device.name)));
        }
        if self.live_paths(host, &device) == 0 {
            return Err(Fault::new("HostConfigFault", format!("The device '{}' does not answer", device.name)));
        }
        self.set_detached(host, &device.name, false);
        Ok(())
    }

    /// Forgets a detached device that is gone; one with the same name that comes later is then not off.
    ///
    /// Errors: HostNotConnected; HostConfigFault where the host does not know it, or it is attached, or still answers.
    pub fn forget_device(&mut self, host: &str, canonical_name: &str) -> Result<(), Fault> {
        self.check_host(host)?;
        let device = self.hosts.get(host).and_then(|h| h.san.devices.get(canonical_name).cloned());
        let refuse = |why: &str| Err(Fault::new("HostConfigFault", format!("The device '{canonical_name}' {why}")));
        match device {
            None => return refuse("is not known to the host"),
            Some(d) if !d.detached => return refuse("is not detached"),
            Some(d) if self.live_paths(host, &d) > 0 => return refuse("is still there"),
            Some(_) => {}
        }
        if let Some(h) = self.hosts.get_mut(host) {
            h.san.devices.remove(canonical_name);
        }
        self.touch();
        Ok(())
    }
}
