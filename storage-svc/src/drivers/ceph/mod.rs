//! Ceph: images of RADOS block devices as volumes of one LUN each, by the dashboard's REST API. See README.md.

mod client;
mod clones;
mod config;
mod error;
mod images;
mod look;
mod mark;
mod remove_clone;
mod remove_snapshot;
mod restore;
mod snapshots;
mod wire;

pub use config::{CephConfig, CephLun};

use crate::driver::{
    ArrayDriver, ArrayIdentity, Capabilities, CloneMember, CloneRemoval, Device, DriverError, Owned, Page, PageRequest,
    Preflight, Progress, Reason, Resolution, RestoreRequest, Snapshot, SnapshotRemoval, SnapshotRequest, SnapshotUnit,
    Volume, VolumeCloneRequest, VolumeClones, VolumeRestore,
};
use async_trait::async_trait;
use client::{Call, Client, right};
use images::Seen;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};
use strata_kit::{clock::SharedClock, http::SharedHttp};
use strata_model::ids::{ArraySnapshotId, VolumeId};

/// The driver.
#[derive(Debug)]
pub struct Ceph {
    client: Client,
    clock: SharedClock,
    /// Names of the pools whose images are volumes.
    pools: Vec<String>,
    luns: Vec<CephLun>,
    system: RwLock<Option<System>>,
    seen: Mutex<Seen>,
    /// Which volumes each key was used for, as far as this process saw it. See README.md.
    sources: Mutex<HashMap<String, String>>,
}

/// Who the cluster is.
#[derive(Debug, Clone)]
struct System {
    fsid: String,
    version: String,
    /// Ids and names of the configured pools.
    pools: Vec<wire::Pool>,
}

/// More keys than this are not remembered.
const SOURCES_MAX: usize = 10_000;

impl System {
    /// A volume's id as its pool's name and its image's id: `<pool id>.<image id>`. Neither changes by renaming.
    fn parse(&self, id: &VolumeId) -> Option<(String, String)> {
        let (pool, image) = id.as_str().split_once('.')?;
        let pool: u64 = pool.parse().ok()?;
        let plain = !image.is_empty() && image.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let pool = self.pools.iter().find(|known| known.id == pool).filter(|_| plain)?;
        Some((pool.name.clone(), image.to_owned()))
    }
}

impl Ceph {
    /// Asks nobody yet.
    pub fn new(config: &CephConfig, http: SharedHttp, clock: SharedClock) -> Self {
        Self {
            client: Client::new(config, http),
            clock,
            pools: config.pools.clone(),
            luns: config.luns.clone(),
            system: RwLock::default(),
            seen: Mutex::default(),
            sources: Mutex::default(),
        }
    }

    fn known(&self) -> Option<System> {
        self.system.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn system(&self) -> Result<System, DriverError> {
        match self.known() {
            Some(system) => Ok(system),
            None => self.system_again().await,
        }
    }

    async fn system_again(&self) -> Result<System, DriverError> {
        let summary: wire::Summary = self.client.read(Call::get("/summary", "say its version", right::READ)).await?;
        let monitors: wire::Monitors = self.client.read(Call::get("/monitor", "say who it is", right::MONITOR)).await?;
        let call = Call::get("/pool?attrs=pool_name%2Cpool", "list its pools", right::POOL);
        let mut pools: Vec<wire::Pool> = self.client.read(call).await?;
        pools.retain(|pool| self.pools.contains(&pool.name));
        if let Some(lacking) = self.pools.iter().find(|name| !pools.iter().any(|pool| pool.name == **name)) {
            let text =
                format!("array {} has no pool '{lacking}'; correct pools in the configuration", self.client.name());
            return Err(DriverError::new(Reason::NotFound, text));
        }
        let system = System { fsid: monitors.mon_status.monmap.fsid, version: summary.version, pools };
        *self.system.write().unwrap_or_else(PoisonError::into_inner) = Some(system.clone());
        Ok(system)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` for an image of a pool that is not configured.
    fn volume_id(&self, image: &wire::Image) -> Option<VolumeId> {
        let system = self.known()?;
        let pool = system.pools.iter().find(|pool| pool.name == image.pool_name)?;
        Some(VolumeId(format!("{}.{}", pool.id, image.id)))
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

/// The same for every cluster; what depends on it is said in README.md.
fn capabilities() -> Capabilities {
    Capabilities {
        snapshot_unit: SnapshotUnit::Volume,
        group_volumes_max: 1,
        clone_volume: true,
        clone_files: false,
        restore_files: false,
        restore_volume: true,
        restore_keeps_newer_snapshots: true,
        clone_pins_snapshot: true,
        note_bytes_max: 120,
        snapshot_names: mark::RULES,
        skew_us_max: 0,
        snapshots_per_volume_max: 510,
        needs_vm_off: false,
        export_nfs: false,
        export_luns: false,
        clone_luns: false,
        restore_lun: false,
        read_files: false,
    }
}

#[async_trait]
impl ArrayDriver for Ceph {
    fn kind(&self) -> &'static str {
        "ceph"
    }

    fn capabilities(&self) -> Capabilities {
        self.known().map_or_else(Capabilities::unknown, |_| capabilities())
    }

    async fn identify(&self) -> Result<ArrayIdentity, DriverError> {
        let system = self.system_again().await?;
        Ok(ArrayIdentity { serial: system.fsid, version: system.version })
    }

    async fn volumes(&self, page: &PageRequest) -> Result<Page<Volume>, DriverError> {
        look::volumes(self, page).await
    }

    async fn volume(&self, id: &VolumeId) -> Result<Volume, DriverError> {
        let image = images::get(self, id).await?;
        look::to_volume(self, &image).await
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
        _: &ArraySnapshotId,
        _: &str,
    ) -> Result<Vec<u8>, DriverError> {
        let text = format!("volume '{volume}' is a LUN: its array knows no files; clone it and let a host look");
        Err(DriverError::new(Reason::NotSupported, text))
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

    fn volume_restore(&self) -> Option<&dyn VolumeRestore> {
        self.capabilities().restore_volume.then_some(self)
    }
}

#[async_trait]
impl VolumeClones for Ceph {
    async fn ensure_clone(&self, want: &VolumeCloneRequest) -> Result<Progress<Vec<CloneMember>>, DriverError> {
        clones::ensure(self, want).await
    }

    async fn remove_clone(&self, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
        remove_clone::remove(self, want).await
    }
}

#[async_trait]
impl VolumeRestore for Ceph {
    async fn restore_volume(&self, want: &RestoreRequest) -> Result<Progress<()>, DriverError> {
        restore::restore(self, want).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_volumes() {
        let pools = vec![wire::Pool { id: 2, name: "vm".into() }];
        let system = System { fsid: String::new(), version: String::new(), pools };
        assert_eq!(system.parse(&"2.10ab67".into()), Some(("vm".to_owned(), "10ab67".to_owned())));
        for id in [
            "",
            ".",
            "2",
            "2.",
            "3.10ab67",
            "vm.10ab67",
            "2.a/b",
            "2.a.b",
            "2.ä",
            "00000000-0000-4000-8000-000000000000",
        ] {
            assert_eq!(system.parse(&id.into()), None, "{id}");
        }
    }
}
