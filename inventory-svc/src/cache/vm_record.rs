//! A VM as it is held: no XML, each text that others share once.

use super::strings::Strings;
use crate::{
    soap::{Element, MoRef},
    topology::{
        places::unescape,
        vm::{self, STRATA_KEY},
    },
    vcenter::snapshot,
};
use std::sync::Arc;
use strata_proto::strata::inventory::v1::PowerState;

/// A text from `config`, and the same from `summary`, which vCenter knows of VMs whose configuration it cannot read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Twice {
    config: Option<Arc<str>>,
    summary: Option<Arc<str>>,
}

impl Twice {
    /// What is known; `config` goes before `summary`.
    pub fn get(&self) -> Option<&Arc<str>> {
        self.config.as_ref().or(self.summary.as_ref())
    }

    fn set(&mut self, in_config: bool, text: &str) {
        let (mine, other) = match in_config {
            true => (&mut self.config, &self.summary),
            false => (&mut self.summary, &self.config),
        };
        *mine = match other {
            _ if text.is_empty() => None,
            Some(other) if **other == *text => Some(other.clone()),
            _ => Some(Arc::from(text)),
        };
    }
}

/// See the module. Fields are named as in the contract's `Vm`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmRecord {
    /// `vm-42`.
    pub moref: Arc<str>,
    /// For people, unescaped.
    pub display_name: Arc<str>,
    /// instanceUuid.
    pub instance_uuid: Twice,
    /// BIOS uuid.
    pub bios_uuid: Twice,
    /// The .vmx.
    pub vmx_path: Twice,
    /// Folder, or the vApp it is in.
    pub parent: Option<Arc<MoRef>>,
    /// vApp, where it is in one.
    pub parent_vapp: Option<Arc<MoRef>>,
    /// Resource pool.
    pub pool: Option<Arc<MoRef>>,
    /// Host.
    pub host: Option<Arc<MoRef>>,
    /// Datastores.
    pub datastores: Box<[Arc<MoRef>]>,
    /// VMware snapshots.
    pub vm_snapshot_count: u32,
    /// Of the configuration.
    pub change_version: Box<str>,
    /// Changed block tracking.
    pub change_tracking: bool,
    /// Extension and type.
    pub managed_by: Arc<str>,
    /// Made by vSphere Cluster Services, by who manages it.
    pub system_by_manager: bool,
    /// The same, by its extraConfig.
    pub system_by_config: bool,
    /// From its extraConfig.
    pub strata_key: Box<str>,
    /// Whether it runs.
    pub power_state: PowerState,
    /// As vCenter says.
    pub connection_state: Arc<str>,
    /// vCenter waits for an answer.
    pub question_pending: bool,
    /// By `config`.
    pub template: bool,
    /// By `summary`.
    pub summary_template: bool,
    /// Name that the guest gives itself.
    pub guest_host_name: Box<str>,
    /// Its address.
    pub guest_address: Box<str>,
    /// Tools run.
    pub tools_running: bool,
}

impl VmRecord {
    /// A VM of which nothing is known but its id.
    pub fn blank(moref: Arc<str>, strings: &mut Strings) -> Self {
        let none = strings.text("");
        Self {
            moref,
            display_name: none.clone(),
            instance_uuid: Twice::default(),
            bios_uuid: Twice::default(),
            vmx_path: Twice::default(),
            parent: None,
            parent_vapp: None,
            pool: None,
            host: None,
            datastores: Box::default(),
            vm_snapshot_count: 0,
            change_version: Box::default(),
            change_tracking: false,
            managed_by: none.clone(),
            system_by_manager: false,
            system_by_config: false,
            strata_key: Box::default(),
            power_state: PowerState::Unspecified,
            connection_state: none,
            question_pending: false,
            template: false,
            summary_template: false,
            guest_host_name: Box::default(),
            guest_address: Box::default(),
            tools_running: false,
        }
    }

    /// Takes a property's news in; `None` where it is not set any more. Gives false for a path that is not watched.
    pub fn assign(&mut self, path: &str, value: Option<&Element>, strings: &mut Strings) -> bool {
        let text = value.map(Element::value).unwrap_or_default();
        let is_true = value.is_some_and(Element::is_true);
        let moref = |strings: &mut Strings| value.and_then(Element::moref).map(|moref| strings.moref(moref));
        let items = value.map(|array| array.children.as_slice()).unwrap_or_default();
        match path {
            "name" => self.display_name = Arc::from(unescape(text)),
            "parent" => self.parent = moref(strings),
            "parentVApp" => self.parent_vapp = moref(strings),
            "resourcePool" => self.pool = moref(strings),
            "runtime.host" => self.host = moref(strings),
            "datastore" => {
                self.datastores = items.iter().filter_map(Element::moref).map(|moref| strings.moref(moref)).collect();
            }
            "snapshot" => self.vm_snapshot_count = u32::try_from(snapshot::tree(value).len()).unwrap_or(u32::MAX),
            "config.instanceUuid" => self.instance_uuid.set(true, text),
            "summary.config.instanceUuid" => self.instance_uuid.set(false, text),
            "config.uuid" => self.bios_uuid.set(true, text),
            "summary.config.uuid" => self.bios_uuid.set(false, text),
            "config.files.vmPathName" => self.vmx_path.set(true, text),
            "summary.config.vmPathName" => self.vmx_path.set(false, text),
            "config.template" => self.template = is_true,
            "summary.config.template" => self.summary_template = is_true,
            "config.changeVersion" => self.change_version = Box::from(text),
            "config.changeTrackingEnabled" => self.change_tracking = is_true,
            "config.managedBy" => {
                self.managed_by = strings.text(&vm::managed_by(value));
                self.system_by_manager = value.is_some_and(vm::is_cluster_agent);
            }
            "config.extraConfig" => {
                self.strata_key = Box::from(vm::entry(items, STRATA_KEY).unwrap_or_default());
                self.system_by_config = vm::is_cluster_agent_by(items);
            }
            "runtime.powerState" => self.power_state = vm::power_state_of(text),
            "runtime.connectionState" => self.connection_state = strings.text(text),
            "runtime.question" => {
                self.question_pending = value.is_some_and(|question| question.text_at("id").is_some());
            }
            "guest.hostName" => self.guest_host_name = Box::from(text),
            "guest.ipAddress" => self.guest_address = Box::from(text),
            "guest.toolsRunningStatus" => self.tools_running = text == "guestToolsRunning",
            _ => return false,
        }
        true
    }

    /// What it lies in, in the inventory.
    pub fn folder(&self) -> Option<&Arc<MoRef>> {
        self.parent.as_ref().or(self.parent_vapp.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::watched;

    #[test]
    fn every_watched_path_is_taken_in_and_taken_back() {
        let mut strings = Strings::default();
        let blank = VmRecord::blank(Arc::from("vm-1"), &mut strings);
        for path in watched::VM.paths {
            let mut vm = blank.clone();
            let value = Element { text: "true".to_owned(), ..Element::default() };
            assert!(vm.assign(path, Some(&value), &mut strings), "{path} is watched and not taken in");
            assert!(vm.assign(path, None, &mut strings));
            let blank = match *path {
                // The name's copy is its own.
                "name" => VmRecord { display_name: vm.display_name.clone(), ..blank.clone() },
                _ => blank.clone(),
            };
            assert_eq!(vm, blank, "{path} does not go back to unset");
        }
        assert!(!blank.clone().assign("config.hardware.device[2000]", None, &mut strings));
    }

    #[test]
    fn the_configuration_goes_before_the_summary() {
        let mut uuid = Twice::default();
        uuid.set(false, "s");
        assert_eq!(uuid.get().map(|text| &**text), Some("s"));
        uuid.set(true, "c");
        assert_eq!(uuid.get().map(|text| &**text), Some("c"));
        uuid.set(true, "");
        assert_eq!(uuid.get().map(|text| &**text), Some("s"));
    }
}
