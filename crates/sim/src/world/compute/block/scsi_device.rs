//! A device as one host knows it.

/// A path from an adapter to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScsiPath {
    /// The adapter's device name.
    pub adapter: String,
    /// The array's port.
    pub target: String,
    /// LUN number.
    pub number: u32,
}

/// A SCSI disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScsiDevice {
    /// Canonical name (`naa....`).
    pub name: String,
    /// Serial number.
    pub serial: String,
    /// SCSI vendor.
    pub vendor: String,
    /// SCSI product.
    pub product: String,
    /// Length in bytes, as of the last rescan.
    pub size_bytes: u64,
    /// Paths, as of the last rescan of each adapter.
    pub paths: Vec<ScsiPath>,
    /// Detached by an administrator: off, and kept so until it is attached or forgotten.
    pub detached: bool,
}

/// The uuid by which a host names a device with this canonical name (`ScsiLun.uuid`, `lunUuid` of raw mappings).
pub fn scsi_uuid(canonical_name: &str) -> String {
    let digits = canonical_name.split_once('.').map_or(canonical_name, |(_, digits)| digits);
    format!("02000000{digits}")
}

impl ScsiDevice {
    /// Its uuid on hosts.
    pub fn uuid(&self) -> String {
        scsi_uuid(&self.name)
    }

    /// Its path in the host's file tree.
    pub fn device_path(&self) -> String {
        format!("/vmfs/devices/disks/{}", self.name)
    }
}
