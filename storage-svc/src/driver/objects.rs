//! What drivers answer with.

use jiff::Timestamp;
use strata_model::{
    ids::{ArraySnapshotId, VolumeId},
    mark::Mark,
};

/// Who an array is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayIdentity {
    /// Serial number or uuid, never reused.
    pub serial: String,
    /// Model and software version, as the array tells.
    pub version: String,
}

/// A device as a host sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Device {
    /// An NFS mount.
    Nfs(NfsPath),
    /// A SCSI or NVMe device: `naa.…` or `eui.…`.
    Canonical(String),
}

/// Server and path, as a host was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NfsPath {
    /// Address or name.
    pub host: String,
    /// Path on that server.
    pub path: String,
}

impl NfsPath {
    /// True where both mean one server: names without regard to case and a dot at the end, addresses in any of their forms.
    pub fn is_same_host(configured: &str, asked: &str) -> bool {
        let plain = |host: &str| host.trim().trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let (a, b) = (plain(configured), plain(asked));
        match (a.parse::<std::net::IpAddr>(), b.parse::<std::net::IpAddr>()) {
            (Ok(a), Ok(b)) => a.to_canonical() == b.to_canonical(),
            _ => a == b,
        }
    }
}

/// Where a device was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "made once a device that is asked for, and moved, never kept in numbers")]
pub enum Resolution {
    /// On this array.
    Found {
        /// The volume.
        volume: Volume,
        /// The device's path in it; empty for its root.
        path_in_volume: String,
        /// How it was found: `NFS path /ds1 exported by 10.0.0.5`.
        evidence: String,
        /// The LUN, where the device is one.
        lun: Option<Lun>,
        /// The other LUNs of the volume: what shares every snapshot with it.
        siblings: Vec<Lun>,
    },
    /// Not here; why, where the array's address matches and the rest does not.
    Absent {
        /// A sentence, or empty.
        reason: String,
    },
}

/// A LUN: a device that hosts see by SCSI or NVMe, in a volume that is the unit of snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lun {
    /// Path within the volume; empty where the volume is the LUN.
    pub path: String,
    /// Immutable; a re-created LUN of the same path has another.
    pub uuid: String,
    /// As a host shows it, `naa.…` or `eui.…`; none where no host can reach it.
    pub canonical_name: Option<String>,
    /// Its size.
    pub size_bytes: u64,
    /// Every initiator that it is mapped to now, sorted.
    pub initiators: Vec<String>,
}

/// How hosts reach a clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Export {
    /// By mounting this.
    Nfs(NfsPath),
    /// As these devices, in the order asked.
    Luns(Vec<ExportedLun>),
}

/// A LUN as hosts reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedLun {
    /// Path within the volume.
    pub path: String,
    /// As a host shows it after a rescan.
    pub canonical_name: String,
    /// The LUN number, where told.
    pub number: Option<u32>,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// The driver's id.
    pub id: VolumeId,
    /// What the array's administrator calls it.
    pub display_name: String,
    /// Immutable; a re-created volume of the same name has another.
    pub uuid: String,
    /// Provisioned; 0 where not limited.
    pub size_bytes: u64,
    /// Free for new writes, where told.
    pub free_bytes: Option<u64>,
    /// False for a replication destination and the like.
    pub read_write: bool,
    /// What it was cloned from.
    pub clone_of: Option<VolumeId>,
    /// How hosts mount it.
    pub nfs: Option<NfsPath>,
}

/// A snapshot, of one volume or of several at one point in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// One a volume.
    pub members: Vec<SnapshotMember>,
    /// By the array's clock.
    pub cut_time: Timestamp,
    /// First to last part, measured; 0 where atomic.
    pub skew_us: u64,
    /// Where it carries Strata's mark.
    pub mark: Option<Mark>,
    /// The comment that the array holds.
    pub comment: String,
}

/// One volume's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotMember {
    /// The volume.
    pub volume: VolumeId,
    /// Its identity when it was cut.
    pub volume_uuid: String,
    /// The array's id of the snapshot.
    pub id: ArraySnapshotId,
    /// The name that the array shows.
    pub native_name: String,
    /// What it costs now, where told.
    pub used_bytes: Option<u64>,
}

/// One part of a clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloneMember {
    /// The new volume, or the source for clones of files.
    pub volume: Volume,
    /// For clones of files: the directory.
    pub directory: String,
    /// Copied instead of shared.
    pub copied_bytes: u64,
    /// The clones of the LUNs that were asked for, in that order.
    pub luns: Vec<Lun>,
}

/// A file after a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredFile {
    /// In the volume.
    pub path: String,
    /// It was there and was left alone.
    pub present: bool,
    /// Copied instead of shared.
    pub copied_bytes: u64,
}

/// The kinds of object that carry a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnedKind {
    /// A snapshot.
    Snapshot,
    /// A cloned volume.
    VolumeClone,
    /// A directory of cloned files.
    FileClone,
    /// A LUN cloned into the volume of its source.
    LunClone,
}

/// Something that carries a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// What.
    pub kind: OwnedKind,
    /// The volume that it belongs to, or is.
    pub volume: VolumeId,
    /// The array's name for it.
    pub native_name: String,
    /// The array's id for it.
    pub native_id: String,
    /// Its mark.
    pub mark: Mark,
    /// By the array's clock.
    pub create_time: Timestamp,
}

/// A right or licence that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRight {
    /// As the vendor writes it.
    pub privilege: String,
    /// Where.
    pub object: String,
    /// What cannot be done without it.
    pub feature: String,
}

/// What a preflight found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preflight {
    /// Missing.
    pub missing: Vec<MissingRight>,
    /// What could not be checked, and what is worth knowing.
    pub remarks: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_the_same() {
        let same = [("Filer.Example", "filer.example."), ("::1", "[0:0:0:0:0:0:0:1]"), ("10.0.0.5", "::ffff:10.0.0.5")];
        for (a, b) in same {
            assert!(NfsPath::is_same_host(a, b), "{a} {b}");
        }
        assert!(!NfsPath::is_same_host("filer", "filer.example"));
    }
}
