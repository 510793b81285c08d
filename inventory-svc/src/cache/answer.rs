//! Answers from memory, in the contract's words.

use super::held::{Held, ListKey};
use super::vm_record::VmRecord;
use crate::{
    footing::Standing,
    soap::MoRef,
    topology::{datastore, host, pb},
};
use std::{ops::Bound, sync::Arc};
use strata_model::DatastorePath;

/// Which VMs a list shows: those that fit every field that is not empty.
#[derive(Debug, Clone, Default)]
pub struct VmFilter {
    /// For people.
    pub display_name: String,
    /// BIOS uuid.
    pub bios_uuid: String,
    /// `[datastore] directory/name.vmx`.
    pub vmx_path: String,
    /// `datastore-12`.
    pub datastore_moref: String,
    /// `vm-42`.
    pub moref: String,
}

impl Held {
    /// Up to `most` VMs of a filter, by display name and then name, from behind a display name and name on.
    pub fn vms(&self, filter: &VmFilter, after: Option<&(String, String)>, most: usize, by: &Standing) -> Vec<pb::Vm> {
        let is_behind = |key: &ListKey| {
            after.is_none_or(|(display_name, name)| (&*key.0, &*key.1) > (display_name.as_str(), name.as_str()))
        };
        if let Some(few) = self.few(filter) {
            let mut found: Vec<(ListKey, &VmRecord)> = few
                .into_iter()
                .filter_map(|moref| self.vms.get(&moref))
                .filter(|vm| self.fits(filter, vm))
                .map(|vm| ((vm.display_name.clone(), self.name_of(vm), vm.moref.clone()), vm))
                .filter(|(key, _)| is_behind(key))
                .collect();
            found.sort_by(|left, right| left.0.cmp(&right.0));
            return found.into_iter().take(most).map(|(_, vm)| self.shown(vm, by)).collect();
        }
        let first = match (after, filter.display_name.as_str()) {
            (Some((display_name, name)), _) => (Arc::from(display_name.as_str()), Arc::from(name.as_str())),
            (None, display_name) => (Arc::from(display_name), Arc::from("")),
        };
        let from = self.in_order.range((Bound::Included((first.0, first.1, Arc::from(""))), Bound::Unbounded));
        let named = |key: &&ListKey| filter.display_name.is_empty() || *key.0 == *filter.display_name;
        from.take_while(named)
            .filter(|key| is_behind(key))
            .filter_map(|key| self.vms.get(&key.2))
            .take(most)
            .map(|vm| self.shown(vm, by))
            .collect()
    }

    /// The VM of an instanceUuid. Where several claim it, that of the lowest moref.
    pub fn vm(&self, instance_uuid: &str, by: &Standing) -> Option<pb::Vm> {
        let moref = self.by_instance_uuid.get(instance_uuid).next()?;
        self.vms.get(moref).map(|vm| self.shown(vm, by))
    }

    /// Whether a VM has this instanceUuid.
    pub fn has_instance_uuid(&self, uuid: &str) -> bool {
        self.by_instance_uuid.get(uuid).next().is_some()
    }

    /// The VM of a moref.
    pub fn vm_by_moref(&self, moref: &str, by: &Standing) -> Option<pb::Vm> {
        self.vms.get(moref).map(|vm| self.shown(vm, by))
    }

    /// The datastore of a moref.
    pub fn datastore(&self, moref: &str) -> Option<pb::Datastore> {
        let store = self.places.get(&MoRef::new("Datastore", moref))?;
        Some(datastore::datastore(&self.vcenter, store, &self.places))
    }

    /// The host of a moref.
    pub fn host(&self, moref: &str) -> Option<pb::Host> {
        let found = self.places.get(&MoRef::new("HostSystem", moref))?;
        Some(host::host(&self.vcenter, found, Some(found), &self.places))
    }

    /// All datastores, in no order.
    pub fn datastores(&self) -> Vec<pb::Datastore> {
        let stores = self.places.of_kind("Datastore");
        stores.map(|store| datastore::datastore(&self.vcenter, store, &self.places)).collect()
    }

    /// All hosts, in no order.
    pub fn hosts(&self) -> Vec<pb::Host> {
        let hosts = self.places.of_kind("HostSystem");
        hosts.map(|found| host::host(&self.vcenter, found, Some(found), &self.places)).collect()
    }

    /// The VMs by the narrowest index that a filter allows; `None` where it is the order of lists.
    fn few(&self, filter: &VmFilter) -> Option<Vec<Arc<str>>> {
        if !filter.moref.is_empty() {
            return Some(vec![Arc::from(filter.moref.as_str())]);
        }
        [
            (&self.by_vmx_path, &filter.vmx_path),
            (&self.by_bios_uuid, &filter.bios_uuid),
            (&self.by_datastore, &filter.datastore_moref),
        ]
        .into_iter()
        .find(|(_, key)| !key.is_empty())
        .map(|(index, key)| index.get(key).cloned().collect())
    }

    fn fits(&self, filter: &VmFilter, vm: &VmRecord) -> bool {
        let is =
            |wanted: &str, found: Option<&Arc<str>>| wanted.is_empty() || found.is_some_and(|found| **found == *wanted);
        is(&filter.display_name, Some(&vm.display_name))
            && is(&filter.bios_uuid, vm.bios_uuid.get())
            && is(&filter.vmx_path, vm.vmx_path.get())
            && is(&filter.moref, Some(&vm.moref))
            && (filter.datastore_moref.is_empty()
                || vm.datastores.iter().any(|store| store.value == filter.datastore_moref))
    }

    /// As [`crate::topology::vm::vm`] shows it, but for what is not held: its tasks.
    fn shown(&self, vm: &VmRecord, by: &Standing) -> pb::Vm {
        let (host, folder) = (vm.host.as_deref(), vm.folder().map(|folder| &**folder));
        let datacenter = folder.or(host).and_then(|place| self.places.datacenter(place));
        let mut datastores: Vec<String> = vm.datastores.iter().map(|store| self.places.name(store)).collect();
        datastores.sort();
        let value = |moref: Option<&MoRef>| moref.map(|moref| moref.value.clone()).unwrap_or_default();
        let text = |text: Option<&Arc<str>>| text.map(ToString::to_string).unwrap_or_default();
        let path = vm.vmx_path.get().and_then(|path| path.parse::<DatastorePath>().ok());
        let bios_uuid = text(vm.bios_uuid.get());
        pb::Vm {
            name: self.name_of(vm).to_string(),
            display_name: vm.display_name.to_string(),
            moref: vm.moref.to_string(),
            instance_uuid: text(vm.instance_uuid.get()),
            power_state: vm.power_state.into(),
            template: vm.template || vm.summary_template,
            connection_state: vm.connection_state.to_string(),
            host: host.map(|host| self.places.name(host)).unwrap_or_default(),
            host_moref: value(host),
            folder_path: folder.map(|folder| self.places.path(folder)).unwrap_or_default(),
            folder_moref: value(folder),
            pool_moref: value(vm.pool.as_deref()),
            datacenter_path: datacenter.as_ref().map(|found| found.path.clone()).unwrap_or_default(),
            datacenter_moref: value(datacenter.as_ref().map(|found| &found.moref)),
            vmx_path: path.map(|path| path.to_string()).unwrap_or_default(),
            change_version: vm.change_version.to_string(),
            tools_running: vm.tools_running,
            managed_by: vm.managed_by.to_string(),
            vm_snapshot_count: vm.vm_snapshot_count,
            change_tracking: vm.change_tracking,
            question_pending: vm.question_pending,
            datastores,
            strata_key: vm.strata_key.to_string(),
            system_vm: vm.system_by_manager || vm.system_by_config,
            running_tasks: Vec::new(),
            application_freeze: false,
            application_freeze_reason: String::new(),
            protected_reason: by.reason_by(&vm.guest_address, &vm.guest_host_name, &bios_uuid),
            bios_uuid,
            freshness: None,
        }
    }
}
