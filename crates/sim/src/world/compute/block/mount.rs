//! Mounting, unmounting and forgetting filesystems on one host.

use crate::world::compute::{datastore::Mount, fault::Fault, state::State};

impl State {
    fn mount_of(&self, host: &str, uuid: &str) -> Result<(String, Mount), Fault> {
        let absent = || Fault::new("NotFound", format!("The host knows no VMFS volume '{uuid}'"));
        let on_host =
            |d: &crate::world::compute::datastore::Datastore| d.mounts.iter().find(|m| m.host == host).cloned();
        let found = self.datastores.iter().filter(|(_, d)| d.on_luns() && d.uuid == uuid);
        found.filter_map(|(id, d)| Some((id.clone(), on_host(d)?))).next().ok_or_else(absent)
    }

    fn set_mount(&mut self, datastore: &str, host: &str, change: impl Fn(&mut Mount)) {
        let mounts = self.datastores.get_mut(datastore).into_iter().flat_map(|d| &mut d.mounts);
        mounts.filter(|m| m.host == host).for_each(change);
        self.touch();
    }

    /// Unmounts a filesystem on one host. It stays known, and stays unmounted whatever is rescanned.
    ///
    /// Errors: HostNotConnected; NotFound; InvalidState where it is unmounted already, or gone beneath the host; ResourceInUse
    /// where a VM registered on this host has files there.
    pub fn unmount_vmfs(&mut self, host: &str, uuid: &str) -> Result<(), Fault> {
        self.check_host(host)?;
        let (id, mount) = self.mount_of(host, uuid)?;
        if !mount.mounted {
            return Err(Fault::new("InvalidState", format!("The VMFS volume '{uuid}' is already unmounted")));
        }
        if self.reach_extents(&mount).is_none() {
            return Err(Fault::new("InvalidState", format!("The VMFS volume '{uuid}' is not accessible")));
        }
        let name = self.datastores.get(&id).map(|d| d.name.clone()).unwrap_or_default();
        if let Some(vm) = self.vms.values().find(|v| v.host == host && v.datastores().contains(id.as_str())) {
            let text = format!("The resource '{name}' is in use by '{}'.", vm.config.name);
            return Err(Fault::new("ResourceInUse", text).with("type", "Datastore").with("name", name));
        }
        if let Some(h) = self.hosts.get_mut(host).filter(|_| !mount.forced) {
            h.san.unmounted.insert(uuid.to_owned());
        }
        self.set_mount(&id, host, |m| m.mounted = false);
        if mount.forced {
            // A copy mounted by force is a copy again.
            self.drop_mounts(host, |held, m| held == uuid && m.forced);
        }
        Ok(())
    }

    /// Unmounts a copy that was mounted by force.
    ///
    /// Errors: as [`State::unmount_vmfs`]; InvalidState where it was not mounted by force.
    pub fn unmount_forced_vmfs(&mut self, host: &str, uuid: &str) -> Result<(), Fault> {
        self.check_host(host)?;
        if !self.mount_of(host, uuid)?.1.forced {
            return Err(Fault::new("InvalidState", format!("The VMFS volume '{uuid}' was not mounted by force")));
        }
        self.unmount_vmfs(host, uuid)
    }

    /// Mounts a filesystem that was unmounted.
    ///
    /// Errors: HostNotConnected; NotFound; InvalidState where it is mounted; HostConfigFault where a device does not answer.
    pub fn mount_vmfs(&mut self, host: &str, uuid: &str) -> Result<(), Fault> {
        self.check_host(host)?;
        let (id, mount) = self.mount_of(host, uuid)?;
        if mount.mounted {
            return Err(Fault::new("InvalidState", format!("The VMFS volume '{uuid}' is already mounted")));
        }
        let reached: Option<Vec<u64>> =
            mount.extents.iter().map(|d| self.reach(host, d).map(|r| r.found.rollbacks)).collect();
        let Some(rollbacks) = reached else {
            let text = format!("The VMFS volume '{uuid}' cannot be mounted: a device is detached or does not answer");
            return Err(Fault::new("HostConfigFault", text));
        };
        if let Some(h) = self.hosts.get_mut(host) {
            h.san.unmounted.remove(uuid);
        }
        self.set_mount(&id, host, |m| (m.mounted, m.rollbacks) = (true, rollbacks.clone()));
        Ok(())
    }

    /// Forgets a filesystem that was unmounted and is gone: the host no longer keeps it unmounted.
    ///
    /// Errors: HostNotConnected; HostConfigFault where it is mounted, or still there.
    pub fn forget_vmfs(&mut self, host: &str, uuid: &str) -> Result<(), Fault> {
        self.check_host(host)?;
        if let Ok((_, mount)) = self.mount_of(host, uuid) {
            let there = mount.extents.iter().any(|d| self.reach(host, d).is_some());
            if mount.mounted || there {
                let text = format!("The VMFS volume '{uuid}' is still there; unmount it and detach its devices first");
                return Err(Fault::new("HostConfigFault", text));
            }
        }
        if let Some(h) = self.hosts.get_mut(host) {
            h.san.unmounted.remove(uuid);
        }
        self.drop_mounts(host, |held, _| held == uuid);
        self.touch();
        Ok(())
    }
}
