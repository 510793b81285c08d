//! What cases are written with: requests with sensible values, calls that follow Pending to its end, checks that explain.

use super::bench::Bench;
use anyhow::{Context as _, bail, ensure};
use std::{future::Future, sync::Arc, time::Duration};
use strata_model::{
    ids::{ArraySnapshotId, VolumeId},
    mark::Mark,
};
use strata_storage_svc::driver::{
    ArrayDriver, CloneMember, CloneRemoval, CloneTarget, DriverError, FileCloneRequest, FileCloneTarget, FileMapping,
    Owned, Page, PageRequest, Progress, Reason, RestoreFilesRequest, RestoreRequest, RestoredFile, Snapshot,
    SnapshotRemoval, SnapshotRequest, SnapshotTarget, VolumeCloneRequest,
};

/// Our installation.
pub const OURS: &str = "0123456789abcdef0123456789abcdef";
/// Somebody else's.
pub const THEIRS: &str = "ffffffffffffffffffffffffffffffff";

/// A bench with its driver, which can be restarted.
#[derive(Debug)]
pub struct Lab {
    /// What lies behind the driver.
    pub bench: Box<dyn Bench>,
    driver: Arc<dyn ArrayDriver>,
}

/// Our mark for a key.
pub fn mark(key: &str) -> Mark {
    Mark { installation: OURS.to_owned(), key: key.to_owned(), generation: 3 }
}

/// A stranger's mark for a key.
pub fn their_mark(key: &str) -> Mark {
    Mark { installation: THEIRS.to_owned(), ..mark(key) }
}

/// Bytes that no other seed gives.
pub fn pattern(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// `from` -> `to`.
pub fn file(from: &str, to: &str) -> FileMapping {
    FileMapping { from: from.to_owned(), to: to.to_owned() }
}

/// Fails unless the call was refused for this reason.
pub fn refused<T: std::fmt::Debug>(result: Result<T, DriverError>, reason: Reason) -> anyhow::Result<DriverError> {
    match result {
        Ok(value) => bail!("expected {reason:?}, but it was done: {value:?}"),
        Err(error) if error.reason == reason => Ok(error),
        Err(error) => bail!("expected {reason:?}, got {:?}: {error}", error.reason),
    }
}

/// Fails with what is expected beside what is there.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> anyhow::Result<()> {
    ensure!(found == expected, "{what}: found {found:?}, expected {expected:?}");
    Ok(())
}

impl Lab {
    /// With the bench's driver.
    pub fn new(bench: Box<dyn Bench>) -> Self {
        let driver = bench.driver();
        Self { bench, driver }
    }

    /// The driver under test.
    pub fn driver(&self) -> &Arc<dyn ArrayDriver> {
        &self.driver
    }

    /// Repeats a call while it is pending.
    pub async fn follow<T, F, Call>(&self, mut call: Call) -> Result<T, DriverError>
    where
        F: Future<Output = Result<Progress<T>, DriverError>>,
        Call: FnMut(Option<String>) -> F,
    {
        let mut resume = None;
        for _ in 0..200 {
            match call(resume).await? {
                Progress::Ready(value) => return Ok(value),
                Progress::Pending { ask_again_after, resume: next, .. } => {
                    self.bench.pass_time(ask_again_after);
                    resume = Some(next);
                }
            }
        }
        Err(DriverError::new(Reason::Unexpected, "still pending after 200 repeats"))
    }

    /// A request for these volumes' directory `vm`, as lenient as the array needs.
    pub fn snapshot_request(&self, key: &str, volumes: &[usize]) -> SnapshotRequest {
        let target = |index: &usize| SnapshotTarget {
            volume: self.bench.volume(*index),
            paths: vec!["vm".to_owned()],
            expected_uuid: None,
        };
        SnapshotRequest {
            mark: mark(key),
            label: "web-01".to_owned(),
            targets: volumes.iter().map(target).collect(),
            skew_max: Duration::from_secs(60),
            vm_off: self.driver.capabilities().needs_vm_off,
            resume: None,
        }
    }

    /// Makes it, to the end.
    pub async fn ensure(&self, request: &SnapshotRequest) -> Result<Snapshot, DriverError> {
        self.ensure_by(&self.driver, request).await
    }

    /// Makes it by another driver.
    pub async fn ensure_by(
        &self,
        driver: &Arc<dyn ArrayDriver>,
        request: &SnapshotRequest,
    ) -> Result<Snapshot, DriverError> {
        self.follow(|resume| async { driver.ensure_snapshot(&SnapshotRequest { resume, ..request.clone() }).await })
            .await
    }

    /// Makes a snapshot of volume 0's `vm`.
    pub async fn snapshot(&self, key: &str) -> anyhow::Result<Snapshot> {
        self.ensure(&self.snapshot_request(key, &[0])).await.with_context(|| format!("snapshot {key}"))
    }

    /// The request that removes what [`Lab::snapshot_request`] made.
    pub fn removal(&self, key: &str, volumes: &[usize]) -> SnapshotRemoval {
        SnapshotRemoval {
            mark: mark(key),
            label: "web-01".to_owned(),
            volumes: volumes.iter().map(|index| self.bench.volume(*index)).collect(),
            resume: None,
        }
    }

    /// Removes, to the end.
    pub async fn remove(&self, request: &SnapshotRemoval) -> Result<(), DriverError> {
        self.remove_by(&self.driver, request).await
    }

    /// Removes by another driver.
    pub async fn remove_by(&self, driver: &Arc<dyn ArrayDriver>, request: &SnapshotRemoval) -> Result<(), DriverError> {
        self.follow(|resume| async { driver.remove_snapshot(&SnapshotRemoval { resume, ..request.clone() }).await })
            .await
    }

    /// All snapshots of a volume, two a page.
    pub async fn list(&self, index: usize) -> anyhow::Result<Vec<Snapshot>> {
        let volume = self.bench.volume(index);
        all_pages(|page| {
            let volume = volume.clone();
            async move { self.driver.snapshots(&volume, &page).await }
        })
        .await
    }

    /// All that is marked, two a page.
    pub async fn owned(&self, installation: Option<&str>) -> anyhow::Result<Vec<Owned>> {
        all_pages(|page| async move { self.driver.owned(installation, &page).await }).await
    }

    /// A request for a clone of files of `vm` into a directory.
    pub fn file_clone(&self, key: &str, snapshot: &Snapshot, directory: &str, names: &[&str]) -> FileCloneRequest {
        let files = names.iter().map(|name| file(&format!("vm/{name}"), &format!("{directory}/{name}"))).collect();
        FileCloneRequest {
            mark: mark(key),
            label: "web-01-t".to_owned(),
            targets: vec![FileCloneTarget {
                volume: self.bench.volume(0),
                snapshot: id_of(snapshot, &self.bench.volume(0)),
                directory: directory.to_owned(),
                files,
            }],
            resume: None,
        }
    }

    /// Clones files, to the end.
    pub async fn clone_files(&self, request: &FileCloneRequest) -> Result<Vec<CloneMember>, DriverError> {
        let clones = self.driver.file_clones().ok_or_else(lacking)?;
        self.follow(|resume| async { clones.ensure_file_clone(&FileCloneRequest { resume, ..request.clone() }).await })
            .await
    }

    /// The request that removes such a clone.
    pub fn file_clone_removal(&self, request: &FileCloneRequest) -> CloneRemoval {
        let target = |from: &FileCloneTarget| CloneTarget {
            volume: from.volume.clone(),
            snapshot: from.snapshot.clone(),
            directory: from.directory.clone(),
            luns: Vec::new(),
        };
        CloneRemoval {
            mark: request.mark.clone(),
            label: request.label.clone(),
            targets: request.targets.iter().map(target).collect(),
            resume: None,
        }
    }

    /// Removes a clone of files, to the end.
    pub async fn remove_files(&self, request: &CloneRemoval) -> Result<(), DriverError> {
        let clones = self.driver.file_clones().ok_or_else(lacking)?;
        self.follow(|resume| async { clones.remove_file_clone(&CloneRemoval { resume, ..request.clone() }).await })
            .await
    }

    /// A request for a clone of a volume.
    pub fn volume_clone(&self, key: &str, snapshot: &Snapshot, indices: &[usize]) -> VolumeCloneRequest {
        let target = |index: &usize| CloneTarget {
            volume: self.bench.volume(*index),
            snapshot: id_of(snapshot, &self.bench.volume(*index)),
            directory: String::new(),
            luns: Vec::new(),
        };
        VolumeCloneRequest {
            mark: mark(key),
            label: "web-01-t".to_owned(),
            targets: indices.iter().map(target).collect(),
            resume: None,
        }
    }

    /// Clones volumes, to the end.
    pub async fn clone_volumes(&self, request: &VolumeCloneRequest) -> Result<Vec<CloneMember>, DriverError> {
        let clones = self.driver.volume_clones().ok_or_else(lacking)?;
        self.follow(|resume| async { clones.ensure_clone(&VolumeCloneRequest { resume, ..request.clone() }).await })
            .await
    }

    /// Removes a clone of volumes, to the end.
    pub async fn remove_volumes(&self, request: &VolumeCloneRequest) -> Result<(), DriverError> {
        let clones = self.driver.volume_clones().ok_or_else(lacking)?;
        let VolumeCloneRequest { mark, label, targets, .. } = request.clone();
        let removal = CloneRemoval { mark, label, targets, resume: None };
        self.follow(|resume| async { clones.remove_clone(&CloneRemoval { resume, ..removal.clone() }).await }).await
    }

    /// A request to put files of volume 0 back.
    pub fn restore_request(&self, key: &str, snapshot: &Snapshot, files: Vec<FileMapping>) -> RestoreFilesRequest {
        RestoreFilesRequest {
            mark: mark(key),
            volume: self.bench.volume(0),
            expected_uuid: None,
            snapshot: id_of(snapshot, &self.bench.volume(0)),
            files,
            resume: None,
        }
    }

    /// Restores, to the end.
    pub async fn restore(&self, request: &RestoreFilesRequest) -> Result<Vec<RestoredFile>, DriverError> {
        let restore = self.driver.file_restore().ok_or_else(lacking)?;
        self.follow(|resume| async { restore.restore_files(&RestoreFilesRequest { resume, ..request.clone() }).await })
            .await
    }

    /// A file of a volume's snapshot: by the driver where it reads files, else by the bench's witness.
    pub async fn held(&self, index: usize, snapshot: &ArraySnapshotId, path: &str) -> anyhow::Result<Vec<u8>> {
        self.held_by(&self.driver, index, snapshot, path).await
    }

    /// The same by another driver.
    pub async fn held_by(
        &self,
        driver: &Arc<dyn ArrayDriver>,
        index: usize,
        snapshot: &ArraySnapshotId,
        path: &str,
    ) -> anyhow::Result<Vec<u8>> {
        if self.driver.capabilities().read_files {
            return Ok(driver.read_snapshot_file(&self.bench.volume(index), snapshot, path).await?);
        }
        let found = self.bench.read_snapshot(index, snapshot, path)?;
        found.with_context(|| format!("'{path}' is not in the snapshot"))
    }

    /// A request to roll volume 0 back, with all hosts gone.
    pub fn rollback(&self, key: &str, snapshot: &Snapshot) -> RestoreRequest {
        RestoreRequest {
            mark: mark(key),
            volume: self.bench.volume(0),
            expected_uuid: None,
            snapshot: id_of(snapshot, &self.bench.volume(0)),
            lun: String::new(),
            released_initiators: self.bench.initiators(0),
            resume: None,
        }
    }

    /// Rolls back, to the end.
    pub async fn roll_back(&self, request: &RestoreRequest) -> Result<(), DriverError> {
        let restore = self.driver.volume_restore().ok_or_else(lacking)?;
        self.follow(|resume| async { restore.restore_volume(&RestoreRequest { resume, ..request.clone() }).await })
            .await
    }

    /// Fails unless the live file has these bytes.
    pub fn expect_live(&self, index: usize, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let found = self.bench.read(index, path)?.with_context(|| format!("'{path}' is not in the live volume"))?;
        ensure!(found == bytes, "'{path}' has other bytes than expected ({} and {} long)", found.len(), bytes.len());
        Ok(())
    }

    /// Fails unless the live volume lacks the path.
    pub fn expect_absent(&self, index: usize, path: &str) -> anyhow::Result<()> {
        ensure!(self.bench.read(index, path)?.is_none(), "'{path}' is in the live volume");
        Ok(())
    }

    /// Fails where temporary things of ours were left.
    pub fn expect_no_leftovers(&self) -> anyhow::Result<()> {
        same("leftovers on the array", self.bench.leftovers()?, Vec::new())
    }
}

fn lacking() -> DriverError {
    DriverError::new(Reason::NotSupported, "the driver does not hand the ability out")
}

/// The array's id of a volume's part; one that cannot exist where it has none.
pub fn id_of(snapshot: &Snapshot, volume: &VolumeId) -> ArraySnapshotId {
    let member = snapshot.members.iter().find(|member| member.volume == *volume);
    member.map_or_else(|| ArraySnapshotId("no-such-part".to_owned()), |member| member.id.clone())
}

/// The name that the array shows for the first part.
pub fn native_name(snapshot: &Snapshot) -> anyhow::Result<String> {
    Ok(snapshot.members.first().context("a snapshot without parts")?.native_name.clone())
}

/// Follows pages of two to their end.
pub async fn all_pages<T, F>(mut ask: impl FnMut(PageRequest) -> F) -> anyhow::Result<Vec<T>>
where
    F: Future<Output = Result<Page<T>, DriverError>>,
{
    let (mut request, mut all) = (PageRequest::first(2), Vec::new());
    for _ in 0..1000 {
        let page = ask(request.clone()).await?;
        ensure!(page.items.len() <= 2, "a page of {} where 2 were asked for", page.items.len());
        all.extend(page.items);
        match page.next {
            Some(token) => request.token = Some(token),
            None => return Ok(all),
        }
    }
    bail!("the list has no end")
}
