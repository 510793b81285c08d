//! NetApp ONTAP by its REST API, releases 9.8 and later: NFS volumes and LUNs. See README.md.

mod client;
mod comment;
mod config;
mod ensure_snapshot;
mod error;
mod export_luns;
mod export_nfs;
mod export_policies;
mod exports;
mod file_clones;
mod file_marks;
mod files;
mod groups;
mod identity;
mod job;
mod lun_clones;
mod luns;
mod names;
mod owned;
mod preflight;
mod read_file;
mod release;
mod remove_snapshot;
mod remove_volume_clone;
mod resolve;
mod restore_files;
mod restore_lun;
mod restore_volume;
mod serial;
mod snapshots;
mod volume_clones;
mod volumes;
mod wire;

pub use config::{OntapConfig, Scope};
pub use release::Release;

use crate::driver::{
    ArrayDriver, ArrayIdentity, Capabilities, CloneMember, CloneRemoval, Device, DriverError, Export, ExportRequest,
    Exports, FileCloneRequest, FileClones, FileRestore, LunClones, LunRestore, Owned, Page, PageRequest, Preflight,
    Progress, Resolution, RestoreFilesRequest, RestoreRequest, RestoredFile, Snapshot, SnapshotRemoval,
    SnapshotRequest, Volume, VolumeCloneRequest, VolumeClones, VolumeRestore,
};
use async_trait::async_trait;
use client::Client;
use identity::Learned;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError, RwLock},
};
use strata_kit::http::SharedHttp;
use strata_model::ids::{ArraySnapshotId, VolumeId};

/// The driver of one cluster, or of one SVM.
#[derive(Debug)]
pub struct Ontap {
    client: Client,
    config: OntapConfig,
    learned: RwLock<Option<Learned>>,
    /// Which source each key was used for, as far as this process saw it. See README.md.
    sources: Mutex<HashMap<String, String>>,
}

/// More keys than this are not remembered.
const SOURCES_MAX: usize = 10_000;

impl Ontap {
    /// Asks nobody yet.
    pub fn new(config: &OntapConfig, http: SharedHttp) -> Self {
        Self {
            client: Client::new(config, http),
            config: config.clone(),
            learned: RwLock::default(),
            sources: Mutex::default(),
        }
    }

    fn known(&self) -> Option<Learned> {
        self.learned.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known of the array; asked for where nothing is.
    async fn learned(&self) -> Result<Learned, DriverError> {
        match self.known() {
            Some(learned) => Ok(learned),
            None => self.learn_again().await,
        }
    }

    async fn learn_again(&self) -> Result<Learned, DriverError> {
        let learned = identity::learn(self).await?;
        *self.learned.write().unwrap_or_else(PoisonError::into_inner) = Some(learned.clone());
        Ok(learned)
    }

    /// Notes what a key was used for.
    fn remember(&self, key: &str, source: String) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= SOURCES_MAX {
            sources.clear();
        }
        sources.insert(key.to_owned(), source);
    }

    fn remembered(&self, key: &str) -> Option<String> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn forget(&self, key: &str) {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[async_trait]
impl ArrayDriver for Ontap {
    fn kind(&self) -> &'static str {
        "ontap"
    }

    fn capabilities(&self) -> Capabilities {
        self.known().map_or_else(Capabilities::unknown, |learned| identity::capabilities(&learned))
    }

    async fn identify(&self) -> Result<ArrayIdentity, DriverError> {
        Ok(self.learn_again().await?.identity())
    }

    async fn volumes(&self, page: &PageRequest) -> Result<Page<Volume>, DriverError> {
        volumes::page(self, page).await
    }

    async fn volume(&self, id: &VolumeId) -> Result<Volume, DriverError> {
        let volume = volumes::get(self, id).await?;
        Ok(volumes::Teller::new(self).await?.tell(volume))
    }

    async fn resolve(&self, device: &Device) -> Result<Resolution, DriverError> {
        resolve::resolve(self, device).await
    }

    async fn snapshots(&self, volume: &VolumeId, page: &PageRequest) -> Result<Page<Snapshot>, DriverError> {
        snapshots::page(self, volume, page).await
    }

    async fn ensure_snapshot(&self, want: &SnapshotRequest) -> Result<Progress<Snapshot>, DriverError> {
        ensure_snapshot::ensure(self, want).await
    }

    async fn remove_snapshot(&self, want: &SnapshotRemoval) -> Result<Progress<()>, DriverError> {
        remove_snapshot::remove(self, want).await
    }

    async fn read_snapshot_file(
        &self,
        volume: &VolumeId,
        snapshot: &ArraySnapshotId,
        path: &str,
    ) -> Result<Vec<u8>, DriverError> {
        read_file::read(self, volume, snapshot, path).await
    }

    async fn owned(&self, installation: Option<&str>, page: &PageRequest) -> Result<Page<Owned>, DriverError> {
        owned::page(self, installation, page).await
    }

    async fn preflight(&self) -> Result<Preflight, DriverError> {
        preflight::check(self).await
    }

    fn volume_clones(&self) -> Option<&dyn VolumeClones> {
        self.capabilities().clone_volume.then_some(self)
    }

    fn lun_clones(&self) -> Option<&dyn LunClones> {
        self.capabilities().clone_luns.then_some(self)
    }

    fn volume_restore(&self) -> Option<&dyn VolumeRestore> {
        self.capabilities().restore_volume.then_some(self)
    }

    fn lun_restore(&self) -> Option<&dyn LunRestore> {
        self.capabilities().restore_lun.then_some(self)
    }

    fn exports(&self) -> Option<&dyn Exports> {
        self.capabilities().clone_volume.then_some(self)
    }

    fn file_clones(&self) -> Option<&dyn FileClones> {
        self.capabilities().clone_files.then_some(self)
    }

    fn file_restore(&self) -> Option<&dyn FileRestore> {
        self.capabilities().restore_files.then_some(self)
    }
}

#[async_trait]
impl VolumeClones for Ontap {
    async fn ensure_clone(&self, want: &VolumeCloneRequest) -> Result<Progress<Vec<CloneMember>>, DriverError> {
        volume_clones::ensure(self, want).await
    }

    async fn remove_clone(&self, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
        remove_volume_clone::remove(self, want).await
    }
}

#[async_trait]
impl LunClones for Ontap {
    async fn ensure_lun_clone(&self, want: &VolumeCloneRequest) -> Result<Progress<Vec<CloneMember>>, DriverError> {
        lun_clones::ensure(self, want).await
    }

    async fn remove_lun_clone(&self, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
        lun_clones::remove(self, want).await
    }
}

#[async_trait]
impl Exports for Ontap {
    async fn ensure_export(&self, want: &ExportRequest) -> Result<Progress<Export>, DriverError> {
        exports::ensure(self, want).await
    }

    async fn remove_export(&self, want: &ExportRequest) -> Result<Progress<()>, DriverError> {
        exports::remove(self, want).await
    }
}

#[async_trait]
impl VolumeRestore for Ontap {
    async fn restore_volume(&self, want: &RestoreRequest) -> Result<Progress<()>, DriverError> {
        restore_volume::restore(self, want).await
    }
}

#[async_trait]
impl LunRestore for Ontap {
    async fn restore_lun(&self, want: &RestoreRequest) -> Result<Progress<()>, DriverError> {
        restore_lun::restore(self, want).await
    }
}

#[async_trait]
impl FileClones for Ontap {
    async fn ensure_file_clone(&self, want: &FileCloneRequest) -> Result<Progress<Vec<CloneMember>>, DriverError> {
        file_clones::ensure(self, want).await
    }

    async fn remove_file_clone(&self, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
        file_clones::remove(self, want).await
    }
}

#[async_trait]
impl FileRestore for Ontap {
    async fn restore_files(&self, want: &RestoreFilesRequest) -> Result<Progress<Vec<RestoredFile>>, DriverError> {
        restore_files::restore(self, want).await
    }
}

#[cfg(test)]
mod tests;
