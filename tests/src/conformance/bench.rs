//! What a case may do to an array behind its driver's back: write as a host does, and act as a stranger, a crash or an
//! administrator would.

use anyhow::bail;
use std::{any::Any, fmt::Debug, sync::Arc, time::Duration};
use strata_model::ids::{ArraySnapshotId, VolumeId};
use strata_storage_svc::driver::{ArrayDriver, NfsPath};

/// One array with two volumes, 0 and 1, called `ds-0` and `ds-1`; made anew for each case. What answers `None` or `false`
/// cannot be done on this kind of array, and the case is absent then.
pub trait Bench: Debug + Send + Sync {
    /// The driver under test.
    fn driver(&self) -> Arc<dyn ArrayDriver>;
    /// Another driver over the same array, as after a restart of the service.
    fn restart(&self) -> Arc<dyn ArrayDriver>;
    /// The id of volume 0 or 1.
    fn volume(&self, index: usize) -> VolumeId;
    /// How hosts mount it.
    fn nfs(&self, index: usize) -> NfsPath;

    /// Writes a file of the live volume as a host does, with its directories.
    fn write(&self, index: usize, path: &str, bytes: &[u8]) -> anyhow::Result<()>;
    /// A file of the live volume; `None` where it is absent.
    fn read(&self, index: usize, path: &str) -> anyhow::Result<Option<Vec<u8>>>;
    /// Removes a file or directory of the live volume as a host does.
    fn remove(&self, index: usize, path: &str) -> anyhow::Result<()>;
    /// Names in a directory of the live volume, all of them.
    fn list(&self, index: usize, dir: &str) -> anyhow::Result<Vec<String>>;
    /// Copies a directory with everything in it, hidden files too, as `cp -a` does.
    fn copy(&self, index: usize, from: &str, to: &str) -> anyhow::Result<()>;
    /// A file behind an export, as this client sees it; `None` where it may not mount it or the file is absent.
    fn read_nfs(&self, client: &str, export: &NfsPath, path: &str) -> Option<Vec<u8>>;
    /// Writes behind an export, as a host does.
    fn write_nfs(&self, export: &NfsPath, path: &str, bytes: &[u8]) -> anyhow::Result<()>;

    /// Where volume 0 or 1 is a LUN: its canonical name.
    fn device(&self, _index: usize) -> Option<String> {
        None
    }
    /// Who is mapped to it, or may mount it, sorted; nobody where the kind of array does not count them.
    fn initiators(&self, _index: usize) -> Vec<String> {
        Vec::new()
    }
    /// Where volume 0 or 1 holds a LUN that can be cloned, mapped and restored by itself: its path in the volume.
    fn lun_path(&self, _index: usize) -> Option<String> {
        None
    }
    /// A file behind a device, as a host with this initiator sees it; `None` where it does not reach the device.
    fn read_device(&self, _initiator: &str, _canonical_name: &str, _path: &str) -> Option<Vec<u8>> {
        None
    }
    /// For drivers that read no files: a file of a snapshot as somebody else than the driver reads it.
    fn read_snapshot(
        &self,
        _index: usize,
        _snapshot: &ArraySnapshotId,
        _path: &str,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        bail!("the bench has no witness for the bytes of snapshots")
    }
    /// For drivers that export nothing by NFS: a file of any volume, a clone say, as somebody else than the driver reads it.
    fn read_volume(&self, _volume: &VolumeId, _path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        bail!("the bench has no witness for the bytes of volumes")
    }
    /// The same, written.
    fn write_volume(&self, _volume: &VolumeId, _path: &str, _bytes: &[u8]) -> anyhow::Result<()> {
        bail!("the bench has no witness for the bytes of volumes")
    }
    /// Opens a volume as a host or gateway does, until what is answered is dropped.
    fn hold_open(&self, _volume: &VolumeId) -> anyhow::Result<Option<Box<dyn Any + Send>>> {
        Ok(None)
    }

    /// Deletes the volume and makes another one under the same name.
    fn recreate(&self, index: usize) -> anyhow::Result<()>;
    /// A snapshot under this name that somebody else made, with this comment.
    fn plant_snapshot(&self, index: usize, name: &str, comment: &str) -> anyhow::Result<bool>;
    /// True where a snapshot of this name is there.
    fn has_snapshot(&self, index: usize, name: &str) -> anyhow::Result<bool>;
    /// What a crash in the middle of a snapshot leaves, under this name.
    fn plant_partial_snapshot(&self, index: usize, name: &str) -> anyhow::Result<bool>;
    /// A volume that carries a copy of everything in volume 0, marks included (replication, or a copy of the disk).
    /// Answers a driver that sees it, and the copy's id.
    fn replica(&self) -> anyhow::Result<Option<(Arc<dyn ArrayDriver>, VolumeId)>>;
    /// Makes the volume read-only.
    fn set_read_only(&self, index: usize) -> anyhow::Result<bool>;
    /// Takes all free space; `free_space` gives it back.
    fn fill_space(&self) -> anyhow::Result<bool>;
    /// Undoes [`Bench::fill_space`].
    fn free_space(&self) -> anyhow::Result<()>;
    /// Puts a symbolic link into the live volume.
    fn symlink(&self, index: usize, target: &str, path: &str) -> anyhow::Result<bool>;
    /// From now on answers of calls whose path holds `part` are lost after their effect, this many times.
    fn lose_answers(&self, method: &str, part: &str, times: u64) -> bool;
    /// Ends all sessions with the array.
    fn end_sessions(&self) -> bool;
    /// Breaks the credentials; the driver answered sees the broken ones.
    fn with_wrong_password(&self) -> Option<Arc<dyn ArrayDriver>>;
    /// Takes a privilege away from the login, by the array's own word; `None` where it has no privileges.
    fn deny(&self, feature: &str) -> Option<String>;
    /// Lets time pass for the array.
    fn pass_time(&self, period: Duration);
    /// Temporary things of ours that lie on the array and should not.
    fn leftovers(&self) -> anyhow::Result<Vec<String>>;
}
