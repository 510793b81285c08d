//! Block storage as hosts see it: adapters, devices that appear and go with rescans, VMFS volumes that are mounted by their
//! signature, copies that wait to be resolved, and what happens when a disk goes away beneath all that.
//!
//! The arrays' side is `world::storage`; nothing here is told when a map changes. A host finds new devices when it rescans
//! and loses old ones at once.

mod adapter;
mod attach;
mod format;
mod lost;
mod mount;
mod raw;
mod reach;
mod rescan;
mod resignature;
mod scsi_device;
#[cfg(test)]
mod tests;
mod unresolved;
mod violations;
mod vmfs_rescan;

pub use adapter::{Adapter, AdapterKind, wwn_number};
pub use lost::APD_TIMEOUT;
pub use resignature::Resolution;
pub use scsi_device::{ScsiDevice, ScsiPath, scsi_uuid};
pub use unresolved::{UnresolvedExtent, UnresolvedVolume};
pub use violations::BlockRule;

use crate::world::vmfs::Header;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A host's block storage. Maps are by canonical name.
#[derive(Debug, Clone, Default)]
pub struct San {
    /// Its adapters.
    pub adapters: Vec<Adapter>,
    /// Devices that it knows since it last looked.
    pub devices: BTreeMap<String, ScsiDevice>,
    /// What it read from them when it last looked for filesystems.
    pub headers: BTreeMap<String, Header>,
    /// Filesystems (uuids) that were unmounted on purpose: they stay so, whatever is rescanned.
    pub unmounted: BTreeSet<String>,
    /// Since when devices that it needs do not answer.
    pub lost_since: Option<Timestamp>,
    /// It no longer answers because of that.
    pub hung: bool,
}
