//! A VM or template.

use super::{
    device::{Device, Disk, Kind, Nic},
    fault::Fault,
    files::DsPath,
    state::State,
    value::MoRef,
    vmx::Vmx,
};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What the .vmx holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VmConfig {
    /// Name within the .vmx; vCenter's name of the VM.
    pub name: String,
    /// BIOS uuid.
    pub uuid: String,
    /// vCenter's uuid.
    pub instance_uuid: String,
    /// Guest id, such as `ubuntu64Guest`.
    pub guest_id: String,
    /// MiB.
    pub memory_mb: i64,
    /// Cores.
    pub cpus: i64,
    /// Notes.
    pub annotation: String,
    /// Hardware version, such as `vmx-19`.
    pub version: String,
    /// Changed block tracking.
    pub cbt: bool,
    /// Extension key and type of whom it is managed by.
    pub managed_by: Option<(String, String)>,
    /// Name of the .nvram beside the .vmx.
    pub nvram: Option<String>,
    /// Devices.
    pub devices: Vec<Device>,
    /// All other keys, shown as extraConfig.
    pub extra: Vmx,
}

/// State of VMware Tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tools {
    /// Not installed.
    Absent,
    /// Installed; runs when the VM runs.
    Installed,
    /// Installed, but the guest does not answer a freeze.
    Hung,
}

/// A question that blocks a VM.
#[derive(Debug, Clone)]
pub struct Question {
    /// Id to answer with.
    pub id: String,
    /// Id of the message, such as `msg.uuid.altered`.
    pub message_id: String,
    /// Text.
    pub text: String,
    /// Key and label of each choice.
    pub choices: Vec<(String, String)>,
    /// Index of the default.
    pub default: usize,
    /// The task that waits.
    pub task: MoRef,
}

/// A VM.
#[derive(Debug, Clone)]
pub struct Vm {
    /// Folder id.
    pub folder: String,
    /// Pool id; none for a template.
    pub pool: Option<String>,
    /// Host id.
    pub host: String,
    /// Its .vmx.
    pub vmx: DsPath,
    /// What the .vmx says; none where the file could not be read (then the VM is `invalid`).
    pub config: VmConfig,
    /// `connected`, `disconnected`, `orphaned`, `inaccessible` or `invalid`.
    pub connection: String,
    /// Powered on.
    pub on: bool,
    /// Suspended to disk.
    pub suspended: bool,
    /// Template.
    pub template: bool,
    /// Tools.
    pub tools: Tools,
    /// When it was powered on.
    pub boot_time: Option<Timestamp>,
    /// Counts changes of the configuration.
    pub change_version: u64,
    /// When the configuration changed.
    pub modified: Timestamp,
    /// The question that blocks it.
    pub question: Option<Question>,
    /// Disks need consolidation.
    pub consolidation_needed: bool,
    /// Snapshot that the disks now derive from.
    pub current_snapshot: Option<String>,
    /// Tasks, newest last.
    pub tasks: Vec<String>,
    /// A test wants the next merge of deltas to fail.
    pub refuse_consolidation: bool,
    /// Address that Tools report.
    pub guest_address: String,
    /// How often the applications in its guest were frozen.
    pub application_freezes: u32,
}

impl Vm {
    /// All disks, in the order of their devices.
    pub fn disks(&self) -> impl Iterator<Item = &Disk> {
        self.config.devices.iter().filter_map(|d| match &d.kind {
            Kind::Disk(disk) => Some(disk),
            _ => None,
        })
    }

    /// All network cards.
    pub fn nics(&self) -> impl Iterator<Item = &Nic> {
        self.config.devices.iter().filter_map(|d| match &d.kind {
            Kind::Nic(nic) => Some(nic),
            _ => None,
        })
    }

    /// Ids of the datastores that hold a file of it.
    pub fn datastores(&self) -> BTreeSet<&str> {
        let mut all: BTreeSet<&str> = BTreeSet::from([self.vmx.ds.as_str()]);
        for device in &self.config.devices {
            match &device.kind {
                Kind::Disk(disk) => {
                    all.insert(&disk.file.ds);
                    all.extend(disk.parents.iter().map(|p| p.file.ds.as_str()));
                }
                Kind::Cdrom(Some(iso)) => {
                    all.insert(&iso.ds);
                }
                _ => {}
            }
        }
        all.remove("");
        all
    }

    /// vim25's name of the power state.
    pub fn power_state(&self) -> &'static str {
        match (self.on, self.suspended) {
            (true, _) => "poweredOn",
            (false, true) => "suspended",
            _ => "poweredOff",
        }
    }

    /// True for a guest that has VSS.
    pub fn is_windows(&self) -> bool {
        self.config.guest_id.starts_with("win")
    }

    /// True where VMware Tools run.
    pub fn tools_running(&self) -> bool {
        self.on && self.tools != Tools::Absent
    }

    /// The version that guards against crossing changes.
    pub fn change_version(&self) -> String {
        format!("cv-{}", self.change_version)
    }
}

impl State {
    /// A VM's reference.
    pub fn vm_ref(id: &str) -> MoRef {
        MoRef::new("VirtualMachine", id)
    }

    /// Writes the configuration to the .vmx and says that it changed.
    pub fn save(&mut self, vm: &str) -> Result<(), Fault> {
        let (path, text) = {
            let vm = self.vm(vm)?;
            (vm.vmx.clone(), self.vmx_of(&vm.config, &vm.vmx).text())
        };
        self.write_text(&path, &text)?;
        let now = self.now();
        let vm = self.vm_mut(vm)?;
        vm.change_version += 1;
        vm.modified = now;
        Ok(())
    }

    /// The files that a running VM holds locked: its descriptors, its data and its configuration.
    pub fn held_by(&self, file: &DsPath) -> Vec<&str> {
        let holds = |vm: &Vm| {
            if *file == vm.vmx || vm.config.nvram.as_ref().is_some_and(|n| *file == vm.vmx.sibling(n)) {
                return true;
            }
            vm.disks().flat_map(Disk::chain).any(|link| {
                let stem = link.stem().to_owned();
                *file == link
                    || ["-flat.vmdk", "-delta.vmdk", "-ctk.vmdk"]
                        .iter()
                        .any(|end| *file == link.sibling(&format!("{stem}{end}")))
            })
        };
        self.vms.iter().filter(|(_, vm)| vm.on && holds(vm)).map(|(id, _)| id.as_str()).collect()
    }

    /// Refuses where a running VM holds the file, or a file below the directory.
    pub fn check_unlocked(&self, path: &DsPath) -> Result<(), Fault> {
        let below = format!("{}/", path.rel);
        let inside = self.vms.values().filter(|vm| vm.on).any(|vm| {
            std::iter::once(vm.vmx.clone())
                .chain(vm.disks().flat_map(Disk::chain))
                .any(|f| f.ds == path.ds && f.rel.starts_with(&below))
        });
        if inside || !self.held_by(path).is_empty() {
            return Err(Fault::file_locked(&self.show(path)));
        }
        Ok(())
    }
}

impl Vm {
    /// A VM that is off.
    pub fn new(folder: String, pool: Option<String>, host: String, vmx: DsPath, config: VmConfig) -> Self {
        Vm {
            folder,
            pool,
            host,
            vmx,
            config,
            connection: "connected".to_owned(),
            on: false,
            suspended: false,
            template: false,
            tools: Tools::Installed,
            boot_time: None,
            change_version: 1,
            modified: Timestamp::UNIX_EPOCH,
            question: None,
            consolidation_needed: false,
            current_snapshot: None,
            tasks: Vec::new(),
            refuse_consolidation: false,
            guest_address: "198.51.100.10".to_owned(),
            application_freezes: 0,
        }
    }
}
