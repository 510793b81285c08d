//! The contract between Strata and one storage array. A vendor is one folder in `drivers/` that implements this.
//!
//! The rules, each a case of the conformance suite (tests/src/conformance):
//! - `ensure_*` converges: the caller's key is the idempotency key. Same key and same source: the existing object. Same key
//!   and other source: [`Reason::KeyReused`].
//! - `remove_*` of what is absent succeeds. Only an object that carries our mark, with the same installation and key and on
//!   the volume it was made for, is removed; anything else is [`Reason::NotOurs`].
//! - Native names come from [`crate::naming`], a pure function of key and label.
//! - Long work answers [`Progress::Pending`]; the caller repeats the same call with `resume`. A lost `resume` falls back to
//!   looking for the object by its name.
//! - No retry inside (but for renewing a session once), no sleep, no state that must survive a restart.
//! - A driver knows neither gRPC, nor other vendors, nor a journal.

mod capabilities;
mod error;
mod objects;
mod page;
mod requests;

pub use capabilities::{Capabilities, SnapshotUnit};
pub use error::{DriverError, Reason};
pub use objects::{
    ArrayIdentity, CloneMember, Device, Export, ExportedLun, Lun, MissingRight, NfsPath, Owned, OwnedKind, Preflight,
    Resolution, RestoredFile, Snapshot, SnapshotMember, Volume,
};
pub use page::{Page, PageRequest};
pub use requests::{
    CloneRemoval, CloneTarget, ExportRequest, ExportTo, FileCloneRequest, FileCloneTarget, FileMapping, HostInitiators,
    RestoreFilesRequest, RestoreRequest, SnapshotRemoval, SnapshotRequest, SnapshotTarget, VolumeCloneRequest,
};

use async_trait::async_trait;
use std::{fmt::Debug, time::Duration};
use strata_model::ids::{ArraySnapshotId, VolumeId};

/// Done, or not yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<T> {
    /// Done, whole and durable.
    Ready(T),
    /// The array works on it: repeat the same call.
    Pending {
        /// How long to wait before asking again.
        ask_again_after: Duration,
        /// Opaque: the array's job. Goes into the repeated call.
        resume: String,
        /// 0 to 100, where the array tells.
        percent: Option<u8>,
    },
}

impl<T> Progress<T> {
    /// Changes what is ready.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Progress<U> {
        match self {
            Progress::Ready(value) => Progress::Ready(change(value)),
            Progress::Pending { ask_again_after, resume, percent } => {
                Progress::Pending { ask_again_after, resume, percent }
            }
        }
    }
}

/// One array, spoken to in one vendor's dialect. Every verb may be repeated.
#[async_trait]
pub trait ArrayDriver: Debug + Send + Sync {
    /// Which driver: `ceph`, `filer`, `reference`.
    fn kind(&self) -> &'static str;
    /// What the array can do, as known since the last [`identify`](Self::identify); asks nobody.
    fn capabilities(&self) -> Capabilities;
    /// Who the array is; also the health check, and what fills the capabilities.
    async fn identify(&self) -> Result<ArrayIdentity, DriverError>;
    /// The volumes, by id.
    async fn volumes(&self, page: &PageRequest) -> Result<Page<Volume>, DriverError>;
    /// One volume; [`Reason::NotFound`] where there is none.
    async fn volume(&self, id: &VolumeId) -> Result<Volume, DriverError>;
    /// The volume behind a device that a host sees.
    async fn resolve(&self, device: &Device) -> Result<Resolution, DriverError>;
    /// A volume's snapshots, ours and others', oldest first.
    async fn snapshots(&self, volume: &VolumeId, page: &PageRequest) -> Result<Page<Snapshot>, DriverError>;
    /// One snapshot of a set of volumes, or of files in them, at one point in time.
    async fn ensure_snapshot(&self, want: &SnapshotRequest) -> Result<Progress<Snapshot>, DriverError>;
    /// Removes what [`ensure_snapshot`](Self::ensure_snapshot) made, also what a failed try of it left.
    async fn remove_snapshot(&self, want: &SnapshotRemoval) -> Result<Progress<()>, DriverError>;
    /// All bytes of a small file (at most [`READ_BYTES_MAX`]) of a snapshot.
    async fn read_snapshot_file(
        &self,
        volume: &VolumeId,
        snapshot: &ArraySnapshotId,
        path: &str,
    ) -> Result<Vec<u8>, DriverError>;
    /// Everything on the array that carries a mark of Strata; of one installation, or of all.
    async fn owned(&self, installation: Option<&str>, page: &PageRequest) -> Result<Page<Owned>, DriverError>;
    /// Which rights and licences are missing.
    async fn preflight(&self) -> Result<Preflight, DriverError>;

    /// Where whole volumes can be cloned and exported.
    fn volume_clones(&self) -> Option<&dyn VolumeClones> {
        None
    }
    /// Where single LUNs can be cloned into the same volume.
    fn lun_clones(&self) -> Option<&dyn LunClones> {
        None
    }
    /// Where a volume can be rolled back in place.
    fn volume_restore(&self) -> Option<&dyn VolumeRestore> {
        None
    }
    /// Where a single LUN can be overwritten in place.
    fn lun_restore(&self) -> Option<&dyn LunRestore> {
        None
    }
    /// Where clones can be exported to hosts.
    fn exports(&self) -> Option<&dyn Exports> {
        None
    }
    /// Where files can be cloned into the same volume.
    fn file_clones(&self) -> Option<&dyn FileClones> {
        None
    }
    /// Where files can be put back from a snapshot.
    fn file_restore(&self) -> Option<&dyn FileRestore> {
        None
    }
}

/// The most that [`ArrayDriver::read_snapshot_file`] reads.
pub const READ_BYTES_MAX: u64 = 1 << 20;

/// Clones of whole volumes.
#[async_trait]
pub trait VolumeClones: Send + Sync {
    /// A writable volume a target, from its snapshot.
    async fn ensure_clone(&self, want: &VolumeCloneRequest) -> Result<Progress<Vec<CloneMember>>, DriverError>;
    /// Removes the clone with all that was written into it; [`Reason::Exported`] while hosts may mount it or have it open,
    /// [`Reason::HasDependents`] while it has snapshots that were made of it, whoever made them.
    async fn remove_clone(&self, want: &CloneRemoval) -> Result<Progress<()>, DriverError>;
}

/// Clones of single LUNs into the volumes of their sources.
#[async_trait]
pub trait LunClones: Send + Sync {
    /// Each target's LUNs, from its snapshot; the members' `luns` in the order asked.
    async fn ensure_lun_clone(&self, want: &VolumeCloneRequest) -> Result<Progress<Vec<CloneMember>>, DriverError>;
    /// Removes the LUNs with all that was written into them; [`Reason::Exported`] while hosts may reach them.
    async fn remove_lun_clone(&self, want: &CloneRemoval) -> Result<Progress<()>, DriverError>;
}

/// How hosts reach clones of volumes and of LUNs.
#[async_trait]
pub trait Exports: Send + Sync {
    /// Lets these hosts reach the clone, and nobody else. [`Reason::NotSupported`] for a kind that is absent by capability.
    async fn ensure_export(&self, want: &ExportRequest) -> Result<Progress<Export>, DriverError>;
    /// Takes the clone from all hosts.
    async fn remove_export(&self, want: &ExportRequest) -> Result<Progress<()>, DriverError>;
}

/// A volume rolled back to a snapshot, in place.
#[async_trait]
pub trait VolumeRestore: Send + Sync {
    /// Everything in the volume. [`Reason::NewerSnapshots`] where the array would delete them (S1);
    /// [`Reason::InUse`] while an initiator is mapped that has not let go (S21).
    async fn restore_volume(&self, want: &RestoreRequest) -> Result<Progress<()>, DriverError>;
}

/// One LUN overwritten with its state in a snapshot, in place; it keeps its canonical name and its mappings.
#[async_trait]
pub trait LunRestore: Send + Sync {
    /// [`Reason::InUse`] while an initiator is mapped that has not let go (S21).
    async fn restore_lun(&self, want: &RestoreRequest) -> Result<Progress<()>, DriverError>;
}

/// Clones of files into a new directory of the same volume.
#[async_trait]
pub trait FileClones: Send + Sync {
    /// The directories, each whole or not there at all. [`Reason::NotOurs`] where one exists and is not this clone's.
    async fn ensure_file_clone(&self, want: &FileCloneRequest) -> Result<Progress<Vec<CloneMember>>, DriverError>;
    /// Removes the directories with all that was written into them.
    async fn remove_file_clone(&self, want: &CloneRemoval) -> Result<Progress<()>, DriverError>;
}

/// Files of a snapshot, put back into the live volume.
#[async_trait]
pub trait FileRestore: Send + Sync {
    /// Each file appears whole or not at all; one that exists is left alone.
    async fn restore_files(&self, want: &RestoreFilesRequest) -> Result<Progress<Vec<RestoredFile>>, DriverError>;
}
