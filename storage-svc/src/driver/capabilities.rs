//! What an array can do, as data: callers decide by this and never by a driver's kind.

use crate::naming::NameRules;

/// What one snapshot covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotUnit {
    /// A whole volume.
    Volume,
    /// Only the files that were named.
    File,
}

/// See the module. Fields as in storage.v1's `Capabilities`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// What one snapshot covers.
    pub snapshot_unit: SnapshotUnit,
    /// How many volumes can be cut at one point in time; 1 where each is cut alone.
    pub group_volumes_max: u32,
    /// [`super::VolumeClones`] is there.
    pub clone_volume: bool,
    /// [`super::FileClones`] is there, and shares bytes instead of copying them.
    pub clone_files: bool,
    /// [`super::FileRestore`] is there.
    pub restore_files: bool,
    /// [`super::VolumeRestore`] is there.
    pub restore_volume: bool,
    /// Rolling back keeps snapshots that are newer than the source (S1).
    pub restore_keeps_newer_snapshots: bool,
    /// A snapshot that a clone still needs cannot be removed.
    pub clone_pins_snapshot: bool,
    /// Bytes of text that a snapshot's comment holds.
    pub note_bytes_max: u32,
    /// The rules for a snapshot's name.
    pub snapshot_names: NameRules,
    /// Longest time between the first and the last part of one snapshot, in microseconds; 0 where the cut is atomic.
    pub skew_us_max: u64,
    /// Snapshots that a volume can have.
    pub snapshots_per_volume_max: u32,
    /// Snapshots are copies, so nothing may write meanwhile (S15).
    pub needs_vm_off: bool,
    /// Clones of volumes can be exported by NFS.
    pub export_nfs: bool,
    /// LUNs of clones can be mapped to hosts.
    pub export_luns: bool,
    /// [`super::LunClones`] is there.
    pub clone_luns: bool,
    /// [`super::LunRestore`] is there.
    pub restore_lun: bool,
    /// Files of a snapshot can be read, where the volume holds files.
    pub read_files: bool,
}

impl Capabilities {
    /// What may be said of an array that was never reached: it can do nothing.
    pub fn unknown() -> Self {
        Self {
            snapshot_unit: SnapshotUnit::Volume,
            group_volumes_max: 1,
            clone_volume: false,
            clone_files: false,
            restore_files: false,
            restore_volume: false,
            restore_keeps_newer_snapshots: false,
            clone_pins_snapshot: true,
            note_bytes_max: 0,
            snapshot_names: NameRules::PORTABLE,
            skew_us_max: 0,
            snapshots_per_volume_max: 0,
            needs_vm_off: false,
            export_nfs: false,
            export_luns: false,
            clone_luns: false,
            restore_lun: false,
            read_files: false,
        }
    }
}
