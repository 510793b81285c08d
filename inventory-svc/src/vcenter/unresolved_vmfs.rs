//! Copies of VMFS that hosts see and do not mount (HostUnresolvedVmfsVolume).

use crate::soap::Element;

/// All visible copies of one VMFS: where there is more than one, vCenter lists their extents together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedVmfs {
    /// Uuid of the original.
    pub vmfs_uuid: String,
    /// Label of the original.
    pub label: String,
    /// Extents of the copies.
    pub extents: Vec<UnresolvedExtent>,
    /// Whether vCenter would give it a signature.
    pub resolvable: bool,
    /// True where vCenter says that an extent is missing.
    pub incomplete: bool,
    /// True where vCenter says that there is more than one copy.
    pub several_copies: bool,
}

/// One extent of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedExtent {
    /// Canonical name of its device.
    pub device: String,
    /// What a resignature takes: `/vmfs/devices/disks/naa...:1`.
    pub path: String,
    /// True for the first extent.
    pub head: bool,
    /// Its place in the file system.
    pub ordinal: u32,
}

impl UnresolvedVmfs {
    /// From a `returnval` of QueryUnresolvedVmfsVolumes.
    pub fn from_element(value: &Element) -> Self {
        let text = |path: &str| value.text_at(path).unwrap_or_default().to_owned();
        Self {
            vmfs_uuid: text("vmfsUuid"),
            label: text("vmfsLabel"),
            extents: value.all("extent").map(extent).collect(),
            resolvable: value.true_at("resolveStatus.resolvable"),
            incomplete: value.true_at("resolveStatus.incompleteExtents"),
            several_copies: value.true_at("resolveStatus.multipleCopies"),
        }
    }
}

fn extent(extent: &Element) -> UnresolvedExtent {
    let text = |path: &str| extent.text_at(path).unwrap_or_default().to_owned();
    UnresolvedExtent {
        device: text("device.diskName"),
        path: text("devicePath"),
        head: extent.true_at("isHeadExtent"),
        ordinal: extent.number_at("ordinal").unwrap_or(0),
    }
}
