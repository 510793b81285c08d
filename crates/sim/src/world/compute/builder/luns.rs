//! Datastores and raw disks on LUNs of the world's arrays.

use super::Builder;
use crate::world::{
    compute::{fault::Fault, state::State, value::MoRef},
    storage::{InitiatorGroup, StorageError},
};
use std::collections::BTreeSet;
use uuid::Uuid;

fn as_fault(error: &StorageError) -> Fault {
    Fault::new("NotFound", error.to_string())
}

impl Builder {
    /// A VMFS datastore on these LUNs (array and LUN, the head first), mounted by all hosts of the last datacenter; one that
    /// lies on them already is kept. The LUNs are mapped to the group of the datacenter's hosts, under one number for all.
    #[must_use]
    pub fn lun_datastore(mut self, name: &str, luns: &[(&str, Uuid)]) -> Self {
        if let Err(fault) = self.add_lun_datastore(name, luns) {
            self.failures.push(fault);
        }
        self
    }

    /// A LUN that all hosts of the last datacenter see: for raw mappings.
    #[must_use]
    pub fn mapped_lun(mut self, array: &str, lun: Uuid) -> Self {
        let hosts = self.hosts_here();
        if let Err(fault) = show(&mut self.state, &hosts, array, lun) {
            self.failures.push(fault);
        }
        self
    }

    fn hosts_here(&mut self) -> Vec<String> {
        let here = MoRef::new("Datacenter", self.last_datacenter());
        let s = &self.state;
        s.hosts.keys().filter(|h| s.is_below(&MoRef::new("HostSystem", *h), &here)).cloned().collect()
    }

    fn add_lun_datastore(&mut self, name: &str, luns: &[(&str, Uuid)]) -> Result<(), Fault> {
        let hosts = self.hosts_here();
        let devices = luns.iter().map(|(array, lun)| show(&mut self.state, &hosts, array, *lun));
        let devices = devices.collect::<Result<Vec<_>, _>>()?;
        let first = hosts.first().ok_or_else(|| Fault::new("NotFound", format!("'{name}': no host")))?;
        // Another vCenter of this world may have made it.
        if !self.state.holds_vmfs(first, &devices) {
            self.state.format_vmfs(first, name, &devices)?;
        }
        hosts.iter().try_for_each(|host| self.state.rescan_vmfs(host))
    }
}

/// Maps a LUN to the hosts' group, lets the hosts look, and returns its canonical name.
fn show(state: &mut State, hosts: &[String], array: &str, lun: Uuid) -> Result<String, Fault> {
    let world = std::sync::Arc::clone(&state.world);
    let adapters = hosts.iter().filter_map(|id| state.hosts.get(id)).flat_map(|h| &h.san.adapters);
    let initiators: BTreeSet<String> = adapters.map(|a| a.initiator.clone()).collect();
    let made = || -> Result<String, StorageError> {
        let array = world.array(array)?;
        let same = |g: &InitiatorGroup| g.initiators == initiators;
        let group = match array.initiator_groups()?.into_iter().find(same) {
            Some(group) => group,
            None => array.create_initiator_group(&format!("{}-hosts", state.name), initiators.clone())?,
        };
        let shown = array.lun(lun)?;
        if !shown.maps.iter().any(|m| m.group == group.id) {
            array.map_lun(lun, group.id, None)?;
        }
        Ok(shown.canonical_name)
    };
    let device = made().map_err(|e| as_fault(&e))?;
    hosts.iter().try_for_each(|host| state.rescan_adapters(host, None))?;
    Ok(device)
}
