//! Changed block tracking: the files that it makes and removes.

use super::{device::Kind, fault::Fault, files::DsPath, state::State};

impl State {
    /// Makes the tracking file of every disk that can have one.
    pub fn enable_cbt_files(&mut self, vm: &str) -> Result<(), Fault> {
        for (key, file, tracked) in self.trackable(vm)? {
            if !tracked {
                let name = format!("{}-ctk.vmdk", file.stem());
                self.write_text(&file.sibling(&name), "ctk\n")?;
                self.set_ctk(&file, Some(&name))?;
            }
            self.point_disk(vm, key, &file)?;
        }
        Ok(())
    }

    /// Removes the tracking files.
    pub fn disable_cbt_files(&mut self, vm: &str) -> Result<(), Fault> {
        for (key, file, _) in self.trackable(vm)? {
            if let Some(ctk) = self.descriptor(&file)?.get("changeTrackPath").map(str::to_owned) {
                self.remove_quietly(&file.sibling(&ctk));
                self.set_ctk(&file, None)?;
            }
            self.point_disk(vm, key, &file)?;
        }
        Ok(())
    }

    fn trackable(&self, vm: &str) -> Result<Vec<(i64, DsPath, bool)>, Fault> {
        let disks = self.vm(vm)?.config.devices.iter().filter_map(|d| match &d.kind {
            Kind::Disk(disk) if !disk.independent() && disk.missing.is_none() => {
                Some((d.key, disk.file.clone(), disk.ctk.is_some()))
            }
            _ => None,
        });
        Ok(disks.collect())
    }
}
