//! The reference array, simulated, for files and LUNs, with a REST API: how a driver for a real one looks. See README.md.

mod client;
mod comment;
mod config;
mod error;
mod exports;
mod file_clones;
mod file_marks;
mod files;
mod look;
mod lun_clones;
mod luns;
mod maps;
mod remove_snapshot;
mod restore;
mod roll_back;
mod snapshots;
mod volume_clones;
mod wire;

pub use config::ReferenceConfig;

use crate::{
    driver::{
        ArrayDriver, ArrayIdentity, Capabilities, CloneMember, CloneRemoval, Device, DriverError, Export,
        ExportRequest, Exports, FileCloneRequest, FileClones, FileRestore, LunClones, LunRestore, Owned, Page,
        PageRequest, Preflight, Progress, Resolution, RestoreFilesRequest, RestoreRequest, RestoredFile, Snapshot,
        SnapshotRemoval, SnapshotRequest, SnapshotUnit, Volume, VolumeCloneRequest, VolumeClones, VolumeRestore,
    },
    naming::NameRules,
};
use async_trait::async_trait;
use client::Client;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError, RwLock},
};
use strata_kit::http::SharedHttp;
use strata_model::ids::{ArraySnapshotId, VolumeId};

/// The driver.
#[derive(Debug)]
pub struct Reference {
    client: Client,
    system: RwLock<Option<wire::System>>,
    /// Which source each key was used for, as far as this process saw it. See README.md.
    sources: Mutex<HashMap<String, String>>,
}

/// More keys than this are not remembered.
const SOURCES_MAX: usize = 10_000;

impl Reference {
    /// Asks nobody yet.
    pub fn new(config: &ReferenceConfig, http: SharedHttp) -> Self {
        Self { client: Client::new(config, http), system: RwLock::default(), sources: Mutex::default() }
    }

    fn known(&self) -> Option<wire::System> {
        self.system.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn system(&self) -> Result<wire::System, DriverError> {
        match self.known() {
            Some(system) => Ok(system),
            None => self.system_again().await,
        }
    }

    async fn system_again(&self) -> Result<wire::System, DriverError> {
        let system: wire::System = self.client.get("/system", "say who it is").await?;
        *self.system.write().unwrap_or_else(PoisonError::into_inner) = Some(system.clone());
        Ok(system)
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

/// The rules for names of snapshots and volumes.
fn name_rules(capabilities: &wire::Capabilities) -> NameRules {
    NameRules { bytes_max: capabilities.name_max_bytes, separator: '_', punctuation: "-." }
}

fn capabilities(system: &wire::System) -> Capabilities {
    let can = &system.capabilities;
    let group = can.group_volumes_max.min(comment::volumes_max(can.comment_max_bytes)).max(1);
    Capabilities {
        snapshot_unit: SnapshotUnit::Volume,
        group_volumes_max: if can.group_snapshots { group } else { 1 },
        clone_volume: true,
        clone_files: can.file_clones,
        restore_files: can.file_clones,
        restore_volume: can.volume_restore,
        restore_keeps_newer_snapshots: can.restore_keeps_newer_snapshots,
        clone_pins_snapshot: can.clones_pin_snapshots,
        note_bytes_max: can.comment_max_bytes,
        snapshot_names: name_rules(can),
        skew_us_max: 0,
        snapshots_per_volume_max: can.snapshots_per_volume_max,
        needs_vm_off: false,
        export_nfs: true,
        export_luns: can.luns_per_volume_max > 0,
        clone_luns: can.lun_clones,
        restore_lun: can.lun_clones,
        read_files: true,
    }
}

#[async_trait]
impl ArrayDriver for Reference {
    fn kind(&self) -> &'static str {
        "reference"
    }

    fn capabilities(&self) -> Capabilities {
        self.known().map_or_else(Capabilities::unknown, |system| capabilities(&system))
    }

    async fn identify(&self) -> Result<ArrayIdentity, DriverError> {
        let system = self.system_again().await?;
        Ok(ArrayIdentity { serial: system.id, version: format!("{} {}", system.model, system.version) })
    }

    async fn volumes(&self, page: &PageRequest) -> Result<Page<Volume>, DriverError> {
        look::volumes(self, page).await
    }

    async fn volume(&self, id: &VolumeId) -> Result<Volume, DriverError> {
        let volume = look::volume(self, id).await?;
        Ok(look::to_volume(&self.system().await?, volume))
    }

    async fn resolve(&self, device: &Device) -> Result<Resolution, DriverError> {
        look::resolve(self, device).await
    }

    async fn snapshots(&self, volume: &VolumeId, page: &PageRequest) -> Result<Page<Snapshot>, DriverError> {
        snapshots::list(self, volume, page).await
    }

    async fn ensure_snapshot(&self, want: &SnapshotRequest) -> Result<Progress<Snapshot>, DriverError> {
        snapshots::ensure(self, want).await
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
        files::read(self, volume, snapshot, path).await
    }

    async fn owned(&self, installation: Option<&str>, page: &PageRequest) -> Result<Page<Owned>, DriverError> {
        look::owned(self, installation, page).await
    }

    async fn preflight(&self) -> Result<Preflight, DriverError> {
        look::preflight(self).await
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
        Some(self)
    }

    fn file_clones(&self) -> Option<&dyn FileClones> {
        self.capabilities().clone_files.then_some(self)
    }

    fn file_restore(&self) -> Option<&dyn FileRestore> {
        self.capabilities().restore_files.then_some(self)
    }
}

#[async_trait]
impl VolumeClones for Reference {
    async fn ensure_clone(&self, want: &VolumeCloneRequest) -> Result<Progress<Vec<CloneMember>>, DriverError> {
        volume_clones::ensure(self, want).await
    }

    async fn remove_clone(&self, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
        volume_clones::remove(self, want).await
    }
}

#[async_trait]
impl LunClones for Reference {
    async fn ensure_lun_clone(&self, want: &VolumeCloneRequest) -> Result<Progress<Vec<CloneMember>>, DriverError> {
        lun_clones::ensure(self, want).await
    }

    async fn remove_lun_clone(&self, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
        lun_clones::remove(self, want).await
    }
}

#[async_trait]
impl VolumeRestore for Reference {
    async fn restore_volume(&self, want: &RestoreRequest) -> Result<Progress<()>, DriverError> {
        roll_back::volume(self, want).await
    }
}

#[async_trait]
impl LunRestore for Reference {
    async fn restore_lun(&self, want: &RestoreRequest) -> Result<Progress<()>, DriverError> {
        roll_back::lun(self, want).await
    }
}

#[async_trait]
impl Exports for Reference {
    async fn ensure_export(&self, want: &ExportRequest) -> Result<Progress<Export>, DriverError> {
        exports::ensure(self, want).await
    }

    async fn remove_export(&self, want: &ExportRequest) -> Result<Progress<()>, DriverError> {
        exports::remove(self, want).await
    }
}

#[async_trait]
impl FileClones for Reference {
    async fn ensure_file_clone(&self, want: &FileCloneRequest) -> Result<Progress<Vec<CloneMember>>, DriverError> {
        file_clones::ensure(self, want).await
    }

    async fn remove_file_clone(&self, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
        file_clones::remove(self, want).await
    }
}

#[async_trait]
impl FileRestore for Reference {
    async fn restore_files(&self, want: &RestoreFilesRequest) -> Result<Progress<Vec<RestoredFile>>, DriverError> {
        restore::restore(self, want).await
    }
}
