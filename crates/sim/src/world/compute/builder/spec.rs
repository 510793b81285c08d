//! What a VM is to be made of.

use crate::world::compute::vm::Tools;

/// A disk to make.
#[derive(Debug, Clone)]
pub struct DiskSpec {
    /// Datastore's name; none for the VM's own.
    pub datastore: Option<String>,
    /// Size in bytes, a multiple of 512.
    pub capacity_bytes: u64,
    /// Raw device mapping of this device instead of a file: name, physical mode.
    pub rdm: Option<(String, bool)>,
    /// `persistent`, `independent_persistent`...
    pub mode: String,
    /// Multi-writer.
    pub multi_writer: bool,
    /// An existing file instead of a new one: `[datastore] path`.
    pub existing: Option<String>,
    /// Name of its file; the VM's name, numbered after the first, where none is given.
    pub file_name: Option<String>,
}

impl DiskSpec {
    /// A thin disk of this many bytes beside the .vmx.
    pub fn of(capacity_bytes: u64) -> Self {
        DiskSpec {
            datastore: None,
            capacity_bytes,
            rdm: None,
            mode: "persistent".to_owned(),
            multi_writer: false,
            existing: None,
            file_name: None,
        }
    }
}

/// A VM to make.
#[derive(Debug, Clone)]
pub struct VmSpec {
    /// Name.
    pub name: String,
    /// Datastore's name; the first one when none.
    pub datastore: Option<String>,
    /// Folder below the datacenter's folder of VMs; made where absent.
    pub folder: Option<String>,
    /// Host's name; the first one when none.
    pub host: Option<String>,
    /// Disks.
    pub disks: Vec<DiskSpec>,
    /// Names of networks, one a card.
    pub networks: Vec<String>,
    /// Powered on at start.
    pub on: bool,
    /// Template.
    pub template: bool,
    /// Tools.
    pub tools: Tools,
    /// Changed block tracking.
    pub cbt: bool,
    /// Cores.
    pub cpus: i64,
    /// MiB.
    pub memory_mb: i64,
    /// Guest id, such as `windows2019srv_64Guest`.
    pub guest_id: String,
    /// Address that Tools report.
    pub guest_address: String,
    /// Further keys of the .vmx.
    pub extra: Vec<(String, String)>,
    /// Extension key and type of whom it is managed by.
    pub managed_by: Option<(String, String)>,
    /// ISO image in its CD drive: `[datastore] path`.
    pub iso: Option<String>,
}

impl VmSpec {
    /// A VM with one disk of 1 MiB and one card, powered off.
    pub fn named(name: &str) -> Self {
        VmSpec {
            name: name.to_owned(),
            datastore: None,
            folder: None,
            host: None,
            disks: vec![DiskSpec::of(1 << 20)],
            networks: vec!["VM Network".to_owned()],
            on: false,
            template: false,
            tools: Tools::Installed,
            cbt: false,
            cpus: 2,
            memory_mb: 2048,
            guest_id: "ubuntu64Guest".to_owned(),
            guest_address: "198.51.100.10".to_owned(),
            extra: Vec::new(),
            managed_by: None,
            iso: None,
        }
    }

    /// The same, powered on.
    #[must_use]
    pub fn on(mut self) -> Self {
        self.on = true;
        self
    }

    /// The same, on this datastore.
    #[must_use]
    pub fn datastore(mut self, name: &str) -> Self {
        self.datastore = Some(name.to_owned());
        self
    }

    /// The same, with these disks.
    #[must_use]
    pub fn disks(mut self, disks: Vec<DiskSpec>) -> Self {
        self.disks = disks;
        self
    }
}
