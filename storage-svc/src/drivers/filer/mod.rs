//! A Linux file system as an array: real bytes, atomic snapshots on btrfs, shared extents on XFS, copies elsewhere. See README.md.

mod beneath;
mod btrfs;
mod clone_record;
mod config;
mod copy;
mod cut_files;
mod ensure_clone;
mod ensure_snapshot;
mod error;
mod jobs;
mod look;
mod record;
mod remove_clone;
mod remove_snapshot;
mod restore_files;
mod shared;
mod snapshot;
mod volume;

pub use config::{EngineChoice, FilerConfig};

use crate::driver::{
    ArrayDriver, ArrayIdentity, Capabilities, CloneMember, CloneRemoval, Device, DriverError, FileCloneRequest,
    FileClones, FileRestore, Owned, Page, PageRequest, Preflight, Progress, Reason, Resolution, RestoreFilesRequest,
    RestoredFile, Snapshot, SnapshotRemoval, SnapshotRequest, Volume,
};
use async_trait::async_trait;
use jobs::Jobs;
use shared::Shared;
use std::sync::{Arc, PoisonError, RwLock};
use strata_kit::clock::SharedClock;
use strata_model::ids::{ArraySnapshotId, VolumeId};

/// The driver. Opens its root when it is first asked, so that one that is absent makes one array unreachable and not the
/// service.
#[derive(Debug)]
pub struct Filer {
    config: FilerConfig,
    clock: SharedClock,
    jobs: Jobs,
    shared: RwLock<Option<Arc<Shared>>>,
}

impl Filer {
    /// Touches nothing yet.
    pub fn new(config: FilerConfig, clock: SharedClock) -> Self {
        Self { config, jobs: Jobs::new(clock.clone()), clock, shared: RwLock::default() }
    }

    fn known(&self) -> Option<Arc<Shared>> {
        self.shared.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn open(&self) -> Result<Arc<Shared>, DriverError> {
        match self.known() {
            Some(shared) => Ok(shared),
            None => self.open_again().await,
        }
    }

    async fn open_again(&self) -> Result<Arc<Shared>, DriverError> {
        let (config, clock) = (self.config.clone(), self.clock.clone());
        let shared = Arc::new(blocking(move || Shared::open(config, clock)).await?);
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) = Some(shared.clone());
        Ok(shared)
    }

    /// Work that changes nothing.
    async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, DriverError> + Send + 'static,
    ) -> Result<T, DriverError> {
        let shared = self.open().await?;
        blocking(move || work(&shared)).await
    }

    /// Work that changes something: a job of its key.
    async fn act<R, T>(
        &self,
        key: &str,
        resume: Option<&str>,
        want: R,
        work: fn(&Shared, &R) -> Result<T, DriverError>,
    ) -> Result<Progress<T>, DriverError>
    where
        R: std::fmt::Debug + Send + 'static,
        T: Send + 'static,
    {
        let shared = self.open().await?;
        self.jobs.run(key, format!("{want:?}"), resume, move || work(&shared, &want)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DriverError> + Send + 'static,
) -> Result<T, DriverError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        DriverError::new(Reason::Unexpected, "the filer's work ended without an answer; ask again").because(error)
    })?
}

#[async_trait]
impl ArrayDriver for Filer {
    fn kind(&self) -> &'static str {
        "filer"
    }

    fn capabilities(&self) -> Capabilities {
        self.known().map_or_else(Capabilities::unknown, |shared| shared.capabilities())
    }

    async fn identify(&self) -> Result<ArrayIdentity, DriverError> {
        // Opened anew each time: the disk may have been mounted since, or another one in its place.
        let shared = self.open_again().await?;
        let version = format!("Linux file system {} (engine {})", shared.root.display(), shared.engine.as_str());
        Ok(ArrayIdentity { serial: shared.serial.clone(), version })
    }

    async fn volumes(&self, page: &PageRequest) -> Result<Page<Volume>, DriverError> {
        let volumes = self.look(volume::all).await?;
        Ok(Page::cut(volumes, page, |volume| volume.id.to_string()))
    }

    async fn volume(&self, id: &VolumeId) -> Result<Volume, DriverError> {
        let id = id.clone();
        self.look(move |shared| volume::find(shared, &id).map(|found| found.volume)).await
    }

    async fn resolve(&self, device: &Device) -> Result<Resolution, DriverError> {
        let device = device.clone();
        self.look(move |shared| volume::resolve(shared, &device)).await
    }

    async fn snapshots(&self, volume: &VolumeId, page: &PageRequest) -> Result<Page<Snapshot>, DriverError> {
        let id = volume.clone();
        let stored = self
            .look(move |shared| {
                volume::find(shared, &id)?;
                snapshot::of_volume(shared, &id)
            })
            .await?;
        let Page { items, next } = Page::cut(stored, page, snapshot::order);
        Ok(Page { items: items.iter().map(snapshot::Stored::to_snapshot).collect(), next })
    }

    async fn ensure_snapshot(&self, want: &SnapshotRequest) -> Result<Progress<Snapshot>, DriverError> {
        let request = SnapshotRequest { resume: None, ..want.clone() };
        self.act(&want.mark.key, want.resume.as_deref(), request, ensure_snapshot::run).await
    }

    async fn remove_snapshot(&self, want: &SnapshotRemoval) -> Result<Progress<()>, DriverError> {
        let request = SnapshotRemoval { resume: None, ..want.clone() };
        self.act(&want.mark.key, want.resume.as_deref(), request, remove_snapshot::run).await
    }

    async fn read_snapshot_file(
        &self,
        volume: &VolumeId,
        snapshot: &ArraySnapshotId,
        path: &str,
    ) -> Result<Vec<u8>, DriverError> {
        let (volume, snapshot, path) = (volume.clone(), snapshot.clone(), path.to_owned());
        self.look(move |shared| look::read_snapshot_file(shared, &volume, &snapshot, &path)).await
    }

    async fn owned(&self, installation: Option<&str>, page: &PageRequest) -> Result<Page<Owned>, DriverError> {
        let installation = installation.map(str::to_owned);
        let owned = self.look(move |shared| look::owned(shared, installation.as_deref())).await?;
        Ok(Page::cut(owned, page, look::owned_token))
    }

    async fn preflight(&self) -> Result<Preflight, DriverError> {
        self.look(look::preflight).await
    }

    fn file_clones(&self) -> Option<&dyn FileClones> {
        self.capabilities().clone_files.then_some(self)
    }

    fn file_restore(&self) -> Option<&dyn FileRestore> {
        self.capabilities().restore_files.then_some(self)
    }
}

#[async_trait]
impl FileClones for Filer {
    async fn ensure_file_clone(&self, want: &FileCloneRequest) -> Result<Progress<Vec<CloneMember>>, DriverError> {
        let request = FileCloneRequest { resume: None, ..want.clone() };
        self.act(&want.mark.key, want.resume.as_deref(), request, ensure_clone::run).await
    }

    async fn remove_file_clone(&self, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
        let request = CloneRemoval { resume: None, ..want.clone() };
        self.act(&want.mark.key, want.resume.as_deref(), request, remove_clone::run).await
    }
}

#[async_trait]
impl FileRestore for Filer {
    async fn restore_files(&self, want: &RestoreFilesRequest) -> Result<Progress<Vec<RestoredFile>>, DriverError> {
        let request = RestoreFilesRequest { resume: None, ..want.clone() };
        self.act(&want.mark.key, want.resume.as_deref(), request, restore_files::run).await
    }
}
