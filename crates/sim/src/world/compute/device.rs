//! A VM's virtual devices.

use super::files::DsPath;

/// A device, with the numbers by which vim25 names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Key, unique in the VM.
    pub key: i64,
    /// Key of its controller.
    pub controller: Option<i64>,
    /// Unit on the controller.
    pub unit: Option<i64>,
    /// What it is.
    pub kind: Kind,
}

/// What a device is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A controller of disks: vim25 type, its prefix in the .vmx, bus number.
    Controller(Controller),
    /// A disk.
    Disk(Disk),
    /// A network card.
    Nic(Nic),
    /// A CD drive, with its image when it has one.
    Cdrom(Option<DsPath>),
    /// A device that every VM has, or that is only shown: vim25 type and label.
    Other(&'static str, &'static str),
}

/// A controller of disks.
#[derive(Debug, Clone, PartialEq)]
pub struct Controller {
    /// vim25 type.
    pub ty: &'static str,
    /// `scsi`, `sata`, `nvme` or `ide`.
    pub prefix: &'static str,
    /// Bus number.
    pub bus: i64,
    /// `noSharing`, `virtualSharing` or `physicalSharing` (SCSI).
    pub sharing: &'static str,
}

/// A raw device mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Rdm {
    /// The device's canonical name.
    pub device: String,
    /// True in physical compatibility mode.
    pub physical: bool,
}

/// A file of a disk's chain above the file that the device names.
#[derive(Debug, Clone, PartialEq)]
pub struct Parent {
    /// Its descriptor.
    pub file: DsPath,
    /// Its uuid.
    pub uuid: Option<String>,
}

/// A disk. What follows `sharing` is read from its files and read again whenever they may have changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Disk {
    /// Descriptor of the file that the VM writes to.
    pub file: DsPath,
    /// `persistent`, `independent_persistent` or `independent_nonpersistent`.
    pub mode: String,
    /// Shared with other VMs at the same time (multi-writer).
    pub multi_writer: bool,
    /// Size in bytes.
    pub capacity_bytes: u64,
    /// Its uuid.
    pub uuid: Option<String>,
    /// Thin provisioned.
    pub thin: bool,
    /// Raw device mapping.
    pub rdm: Option<Rdm>,
    /// Parents, nearest first.
    pub parents: Vec<Parent>,
    /// File of changed blocks.
    pub ctk: Option<String>,
    /// Content id of the descriptor.
    pub content_id: String,
    /// What was not there when the files were read.
    pub missing: Option<DsPath>,
}

impl Disk {
    /// All descriptors of the chain, the written one first.
    pub fn chain(&self) -> Vec<DsPath> {
        std::iter::once(self.file.clone()).chain(self.parents.iter().map(|p| p.file.clone())).collect()
    }

    /// True where VMware snapshots leave it out.
    pub fn independent(&self) -> bool {
        self.mode.starts_with("independent") || self.rdm.as_ref().is_some_and(|r| r.physical)
    }
}

/// A network card.
#[derive(Debug, Clone, PartialEq)]
pub struct Nic {
    /// vim25 type.
    pub ty: &'static str,
    /// Network id, when the name is known.
    pub network: String,
    /// Address.
    pub mac: String,
    /// `generated`, `assigned` or `manual`.
    pub address_type: String,
    /// Connected at power-on.
    pub start_connected: bool,
    /// Connected now.
    pub connected: bool,
}

const CONTROLLERS: &[(&str, &str, &str)] = &[
    ("scsi", "pvscsi", "ParaVirtualSCSIController"),
    ("scsi", "lsisas1068", "VirtualLsiLogicSASController"),
    ("scsi", "lsilogic", "VirtualLsiLogicController"),
    ("scsi", "buslogic", "VirtualBusLogicController"),
    ("sata", "", "VirtualAHCIController"),
    ("nvme", "", "VirtualNVMEController"),
    ("ide", "", "VirtualIDEController"),
];

const NICS: &[(&str, &str)] = &[
    ("vmxnet3", "VirtualVmxnet3"),
    ("e1000", "VirtualE1000"),
    ("e1000e", "VirtualE1000e"),
    ("vmxnet2", "VirtualVmxnet2"),
    ("vlance", "VirtualPCNet32"),
];

impl Controller {
    /// From what a .vmx says.
    pub fn of_vmx(prefix: &'static str, virtual_dev: &str, bus: i64, sharing: &str) -> Self {
        let known = CONTROLLERS.iter().filter(|(p, _, _)| *p == prefix);
        let ty =
            known.clone().find(|(_, d, _)| *d == virtual_dev).or_else(|| known.clone().next_back()).map_or("", |k| k.2);
        let sharing = match sharing {
            "virtual" => "virtualSharing",
            "physical" => "physicalSharing",
            _ => "noSharing",
        };
        Controller { ty, prefix, bus, sharing }
    }

    /// From a vim25 type; none where it is not a controller of disks.
    pub fn of_type(ty: &str, bus: i64) -> Option<Self> {
        let known = CONTROLLERS.iter().find(|(_, _, t)| *t == ty)?;
        Some(Controller { ty: known.2, prefix: known.0, bus, sharing: "noSharing" })
    }

    /// `virtualDev` for the .vmx, empty where there is none.
    pub fn virtual_dev(&self) -> &'static str {
        CONTROLLERS.iter().find(|(_, _, t)| *t == self.ty).map_or("", |k| k.1)
    }

    /// The key that vCenter gives it.
    pub fn key(&self) -> i64 {
        self.bus + device_bases(self.prefix).0
    }

    /// The key of a disk or drive on it.
    pub fn child_key(&self, unit: i64) -> i64 {
        let (_, base, stride) = device_bases(self.prefix);
        base + self.bus * stride + unit
    }
}

fn device_bases(prefix: &str) -> (i64, i64, i64) {
    match prefix {
        "scsi" => (1000, 2000, 16),
        "sata" => (15_000, 16_000, 30),
        "nvme" => (31_000, 32_000, 15),
        _ => (200, 3000, 2),
    }
}

/// vim25 type of a network card from `virtualDev`.
pub fn nic_type(virtual_dev: &str) -> &'static str {
    NICS.iter().find(|(d, _)| *d == virtual_dev).map_or("VirtualE1000", |n| n.1)
}

/// The known network card type of this name, and its `virtualDev`.
pub fn nic_of_type(ty: &str) -> Option<(&'static str, &'static str)> {
    NICS.iter().find(|(_, t)| *t == ty).map(|(d, t)| (*t, *d))
}

/// The devices that every VM has.
pub fn built_in() -> Vec<Device> {
    let at = |key, controller, unit, ty, label| Device { key, controller, unit, kind: Kind::Other(ty, label) };
    vec![
        at(100, None, None, "VirtualPCIController", "PCI controller 0"),
        at(300, None, None, "VirtualPS2Controller", "PS2 controller 0"),
        at(600, Some(300), Some(0), "VirtualKeyboard", "Keyboard"),
        at(700, Some(300), Some(1), "VirtualPointingDevice", "Pointing device"),
        at(500, Some(100), Some(0), "VirtualMachineVideoCard", "Video card"),
        at(12_000, Some(100), Some(17), "VirtualMachineVMCIDevice", "VMCI device"),
    ]
}
