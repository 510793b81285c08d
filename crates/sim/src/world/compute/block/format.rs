//! Making filesystems, naming and removing them.

use crate::world::{
    compute::{fault::Fault, files::tree_fault, state::State},
    vmfs::Header,
};

impl State {
    /// Puts a new VMFS onto devices of a host and mounts it there. Returns the datastore's id. Whatever was on them is gone.
    ///
    /// Errors: HostNotConnected; NotFound where a device is not there or does not answer; DuplicateName.
    pub fn format_vmfs(&mut self, host: &str, label: &str, devices: &[String]) -> Result<String, Fault> {
        self.check_host(host)?;
        if let Some(id) = self.datastore_named(label, None) {
            let other = crate::world::compute::value::MoRef::new("Datastore", id);
            return Err(Fault::new("DuplicateName", format!("The name '{label}' already exists."))
                .with("name", label)
                .with("object", other));
        }
        let reached = devices.iter().map(|device| {
            self.reach(host, device)
                .ok_or_else(|| Fault::new("NotFound", format!("The host does not reach '{device}'")))
        });
        let reached = reached.collect::<Result<Vec<_>, _>>()?;
        let volume = self.volume_uuid();
        for (ordinal, extent) in reached.iter().enumerate() {
            let bad = |e| tree_fault(&e, label);
            Header::wipe(&extent.content).map_err(bad)?;
            let header = Header {
                volume: volume.clone(),
                label: label.to_owned(),
                devices: devices.to_vec(),
                ordinal,
                copy_of: None,
                corrupt: false,
            };
            header.write(&extent.content).map_err(bad)?;
        }
        self.rescan_vmfs(host)?;
        let made = self.datastores.iter().find(|(_, d)| d.uuid == volume).map(|(id, _)| id.clone());
        made.ok_or_else(|| Fault::new("HostConfigFault", format!("'{label}' could not be mounted")))
    }

    /// True where a VMFS lies on exactly these devices.
    pub fn holds_vmfs(&self, host: &str, devices: &[String]) -> bool {
        let header = devices.first().and_then(|d| Header::read(&self.reach(host, d)?.content));
        header.is_some_and(|h| h.devices == devices)
    }

    /// Writes a datastore's name onto its LUNs, as the label; other kinds have none.
    pub fn write_label(&self, datastore: &str, label: &str) -> Result<(), Fault> {
        let ds = self.datastore(datastore)?;
        if !ds.on_luns() {
            return Ok(());
        }
        let extents = ds.mounts.iter().find_map(|m| self.reach_extents(m)).ok_or_else(|| {
            Fault::new("InaccessibleDatastore", format!("The datastore '{}' is not accessible", ds.name))
        })?;
        for extent in extents {
            if let Some(header) = Header::read(&extent.content) {
                let header = Header { label: label.to_owned(), ..header };
                header.write(&extent.content).map_err(|e| tree_fault(&e, label))?;
            }
        }
        Ok(())
    }

    /// Removes a datastore on LUNs with all it holds.
    ///
    /// Errors: ResourceInUse where a VM has files there; InaccessibleDatastore; NotSupported for datastores of other kinds.
    pub fn destroy_vmfs(&mut self, datastore: &str) -> Result<(), Fault> {
        let ds = self.datastore(datastore)?.clone();
        if !ds.on_luns() {
            return Err(Fault::new("NotSupported", "The operation is not supported on the object."));
        }
        if !self.vms_on(datastore).is_empty() {
            let text = format!("The resource '{}' is in use.", ds.name);
            return Err(Fault::new("ResourceInUse", text).with("type", "Datastore").with("name", ds.name));
        }
        let extents = ds.mounts.iter().find_map(|m| self.reach_extents(m)).ok_or_else(|| {
            Fault::new("InaccessibleDatastore", format!("The datastore '{}' is not accessible", ds.name))
        })?;
        for extent in extents {
            Header::wipe(&extent.content).map_err(|e| tree_fault(&e, &ds.name))?;
        }
        for host in self.hosts.values_mut() {
            host.san.headers.retain(|_, header| header.volume != ds.uuid);
        }
        self.datastores.remove(datastore);
        self.touch();
        Ok(())
    }
}
