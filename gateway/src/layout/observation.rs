//! What of a VM must not change while it is cut (safety.md S13).

use super::VmLayout;
use serde::{Deserialize, Serialize};

/// What must be the same before and after a cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// vCenter's id of the host.
    pub host_moref: String,
    /// Version of the configuration.
    pub change_version: String,
    /// For each disk by key: its chain, the file that is written now first.
    pub chains: Vec<(i32, Vec<String>)>,
    /// What vCenter does to it now.
    pub running_tasks: Vec<String>,
    /// vCenter's power state as the contract numbers it; 0 in records of before it was noted.
    #[serde(default)]
    pub power_state: i32,
}

impl Observation {
    /// As a layout that was just read shows it.
    pub fn of(layout: &VmLayout) -> Self {
        Self {
            host_moref: layout.vm.host_moref.clone(),
            change_version: layout.vm.change_version.clone(),
            chains: layout.disks.iter().map(|placed| (placed.disk.key, placed.disk.chain.clone())).collect(),
            running_tasks: layout.vm.running_tasks.clone(),
            power_state: layout.vm.power_state,
        }
    }

    /// What differs from an earlier look, in words.
    pub fn moved_since(&self, earlier: &Observation) -> Option<String> {
        if self.host_moref != earlier.host_moref {
            return Some(format!("it moved from host {} to {}", earlier.host_moref, self.host_moref));
        }
        if self.chains != earlier.chains {
            return Some("its disks changed".to_owned());
        }
        let known = self.power_state != 0 && earlier.power_state != 0;
        if known && self.power_state != earlier.power_state {
            return Some("it was turned on or off".to_owned());
        }
        if self.change_version != earlier.change_version {
            return Some("it was reconfigured".to_owned());
        }
        self.running_tasks.first().map(|task| format!("vCenter works on it: {task}"))
    }

    /// The file that a disk writes now.
    pub fn leaf(&self, key: i32) -> Option<&String> {
        self.chains.iter().find(|(chain_key, _)| *chain_key == key)?.1.first()
    }
}
