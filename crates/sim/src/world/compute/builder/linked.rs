//! Linked clones.

use super::{Builder, VmSpec, devices::unit_of};
use crate::world::compute::{
    device::{Controller, Device, Disk, Kind},
    fault::Fault,
    files::DsPath,
};

impl Builder {
    /// A linked clone: a VM whose disks are deltas on the disks of another, which must have a snapshot.
    #[must_use]
    pub fn linked_clone(mut self, of: &str, name: &str) -> Self {
        if let Err(fault) = self.add_linked(of, name) {
            self.failures.push(fault);
        }
        self
    }

    fn add_linked(&mut self, of: &str, name: &str) -> Result<(), Fault> {
        let found = self.state.vms.values().find(|v| v.config.name == of).cloned();
        let parent = found.ok_or_else(|| Fault::new("NotFound", format!("'{name}': no VM '{of}'")))?;
        // The parents' frozen files: what their running disks derive from.
        let frozen: Vec<DsPath> = parent.disks().filter_map(|d| d.parents.first()).map(|p| p.file.clone()).collect();
        let spec = VmSpec { disks: Vec::new(), ..VmSpec::named(name) };
        self.add_vm(&spec)?;
        let s = &mut self.state;
        let id = s.vms.iter().find(|(_, v)| v.config.name == name).map(|(id, _)| id.clone()).unwrap_or_default();
        let home = s.vm(&id)?.vmx.clone();
        for (n, file) in frozen.into_iter().enumerate() {
            let mut base = Disk { file, mode: "persistent".to_owned(), ..Disk::default() };
            s.refresh_disk(&mut base);
            let mut made = Disk { file: s.create_delta(&base, &home)?, ..base };
            s.refresh_disk(&mut made);
            let controller = Controller::of_vmx("scsi", "pvscsi", 0, "");
            let unit = unit_of(n);
            let (key, above) = (controller.child_key(unit), Some(controller.key()));
            let device = Device { key, controller: above, unit: Some(unit), kind: Kind::Disk(made) };
            s.vm_mut(&id)?.config.devices.push(device);
        }
        s.save(&id)
    }
}
