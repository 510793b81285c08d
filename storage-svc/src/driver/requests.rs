//! What drivers are asked. The key of a request is `mark.key`.

use super::{DriverError, Lun};
use crate::{driver::Reason, rel_path::RelPath};
use std::{collections::BTreeSet, time::Duration};
use strata_model::{
    ids::{ArraySnapshotId, VolumeId},
    mark::Mark,
};

/// What of a volume goes into a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotTarget {
    /// The volume.
    pub volume: VolumeId,
    /// Directories or files that the snapshot must hold; all that it holds where the unit is the file.
    pub paths: Vec<String>,
    /// Refuse unless the volume has this identity.
    pub expected_uuid: Option<String>,
}

/// Asks for a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// Whose, and under which key.
    pub mark: Mark,
    /// For people.
    pub label: String,
    /// What to cut; no volume twice.
    pub targets: Vec<SnapshotTarget>,
    /// The longest time between the parts; zero asks for one point in time.
    pub skew_max: Duration,
    /// Nothing writes to the files meanwhile.
    pub vm_off: bool,
    /// From an earlier Pending.
    pub resume: Option<String>,
}

impl SnapshotRequest {
    /// What every driver refuses, before it asks the array.
    pub fn check(&self) -> Result<(), DriverError> {
        crate::naming::check_key(&self.mark.key)?;
        let volumes: BTreeSet<&VolumeId> = self.targets.iter().map(|target| &target.volume).collect();
        if volumes.is_empty() || volumes.len() != self.targets.len() {
            return Err(DriverError::new(
                Reason::InvalidRequest,
                format!("snapshot '{}' needs at least one volume, and each only once", self.mark.key),
            ));
        }
        Ok(())
    }
}

/// Asks for a snapshot's removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRemoval {
    /// Whose it must be.
    pub mark: Mark,
    /// The label it was made with.
    pub label: String,
    /// The volumes it was made of.
    pub volumes: Vec<VolumeId>,
    /// From an earlier Pending.
    pub resume: Option<String>,
}

/// A file to clone or restore.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileMapping {
    /// Path in the snapshot.
    pub from: String,
    /// Path in the live volume.
    pub to: String,
}

/// One volume's part of a clone of volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloneTarget {
    /// The volume that was cut.
    pub volume: VolumeId,
    /// Its snapshot.
    pub snapshot: ArraySnapshotId,
    /// For clones of files: the directory; empty otherwise.
    pub directory: String,
    /// For block storage: paths of the LUNs that hosts shall reach (of those to clone, for clones of LUNs).
    pub luns: Vec<String>,
}

/// Asks for new volumes, or for LUNs cloned into the volumes of their sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeCloneRequest {
    /// Whose, and under which key.
    pub mark: Mark,
    /// For people.
    pub label: String,
    /// One new volume each; for clones of LUNs one volume each, with the LUNs in it.
    pub targets: Vec<CloneTarget>,
    /// From an earlier Pending.
    pub resume: Option<String>,
}

/// One directory of cloned files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCloneTarget {
    /// The volume.
    pub volume: VolumeId,
    /// Its snapshot.
    pub snapshot: ArraySnapshotId,
    /// The new directory, which belongs to the clone alone.
    pub directory: String,
    /// Which files; each `to` lies in `directory`.
    pub files: Vec<FileMapping>,
}

/// Asks for new directories with cloned files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCloneRequest {
    /// Whose, and under which key.
    pub mark: Mark,
    /// For people.
    pub label: String,
    /// One directory each.
    pub targets: Vec<FileCloneTarget>,
    /// From an earlier Pending.
    pub resume: Option<String>,
}

impl FileCloneRequest {
    /// What every driver refuses, before it asks the array.
    pub fn check(&self) -> Result<(), DriverError> {
        crate::naming::check_key(&self.mark.key)?;
        let wrong = |text: String| Err(DriverError::new(Reason::InvalidRequest, text));
        let mut directories = BTreeSet::new();
        for target in &self.targets {
            let directory = RelPath::parse(&target.directory)?;
            let mut to_paths = BTreeSet::new();
            for file in &target.files {
                RelPath::parse(&file.from)?;
                let to = RelPath::parse(&file.to)?;
                // Names of ours in a clone are marks.
                let taken = to.split().1.starts_with(".strata");
                if !to.is_in(&directory) || to == directory || taken || !to_paths.insert(to) {
                    return wrong(format!(
                        "file '{}' is not a name of its own in the clone's directory '{}'; give each file another one there",
                        file.to, target.directory
                    ));
                }
            }
            if target.files.is_empty() || !directories.insert((&target.volume, directory)) {
                return wrong(format!(
                    "directory '{}' of clone '{}' has no files or is named twice",
                    target.directory, self.mark.key
                ));
            }
        }
        if self.targets.is_empty() {
            return wrong(format!("clone '{}' has no targets; name at least one directory", self.mark.key));
        }
        Ok(())
    }
}

/// Asks for a clone's removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloneRemoval {
    /// Whose it must be.
    pub mark: Mark,
    /// The label it was made with.
    pub label: String,
    /// What it was made of.
    pub targets: Vec<CloneTarget>,
    /// From an earlier Pending.
    pub resume: Option<String>,
}

/// Asks for an export, or for its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRequest {
    /// Whose the clone must be.
    pub mark: Mark,
    /// The label it was made with.
    pub label: String,
    /// The clone's volume.
    pub volume: VolumeId,
    /// Who.
    pub to: ExportTo,
    /// From an earlier Pending.
    pub resume: Option<String>,
}

/// Who may reach a clone; the lists of hosts are not used when it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportTo {
    /// Hosts that mount it by NFS, by address.
    Nfs(Vec<String>),
    /// Hosts that its LUNs are mapped to.
    Luns {
        /// Paths within the clone's volume; its other LUNs stay as they are.
        paths: Vec<String>,
        /// And nobody else.
        hosts: Vec<HostInitiators>,
    },
}

/// A host, and the names by which a SAN knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostInitiators {
    /// For people.
    pub host: String,
    /// iqn.…, nqn.…, or a WWPN as `20:01:00:…` in lower case.
    pub initiators: Vec<String>,
}

/// Asks to roll a volume, or one LUN of it, back in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreRequest {
    /// Whose work it is.
    pub mark: Mark,
    /// The volume.
    pub volume: VolumeId,
    /// Refuse unless the volume has this identity.
    pub expected_uuid: Option<String>,
    /// The snapshot.
    pub snapshot: ArraySnapshotId,
    /// For [`super::LunRestore`]: the LUN's path within the volume; not used otherwise.
    pub lun: String,
    /// Initiators of hosts that have let go. [`Reason::InUse`] while another is mapped (S21).
    pub released_initiators: Vec<String>,
    /// From an earlier Pending.
    pub resume: Option<String>,
}

impl RestoreRequest {
    /// Refuses while a LUN is mapped to an initiator that has not let go.
    pub fn check_released(&self, luns: &[Lun]) -> Result<(), DriverError> {
        let released: BTreeSet<String> = self.released_initiators.iter().map(|it| it.to_ascii_lowercase()).collect();
        for lun in luns {
            if let Some(other) = lun.initiators.iter().find(|it| !released.contains(&it.to_ascii_lowercase())) {
                return Err(DriverError::new(
                    Reason::InUse,
                    format!(
                        "LUN '{}' of volume '{}' is mapped to '{other}', which nobody has seen to let go; \
                         unmap it there, or revert by clone",
                        lun.path, self.volume
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// Asks to put files back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreFilesRequest {
    /// Whose work it is; its key names temporary files.
    pub mark: Mark,
    /// The volume.
    pub volume: VolumeId,
    /// Refuse unless the volume has this identity.
    pub expected_uuid: Option<String>,
    /// The snapshot.
    pub snapshot: ArraySnapshotId,
    /// Which files.
    pub files: Vec<FileMapping>,
    /// From an earlier Pending.
    pub resume: Option<String>,
}
