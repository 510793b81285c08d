//! A real Ceph cluster: each case gets a pool of its own with two images. Bytes are written and read by `rbd`, never by the
//! driver.

use super::{Row, lun_files::LunFiles};
use crate::{
    ceph::{Cluster, Hurt, USER},
    conformance::bench::Bench,
};
use anyhow::{Context as _, bail};
use http::Method;
use serde_json::Value;
use std::{
    any::Any,
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use strata_kit::{
    clock::SystemClock,
    config::Secret,
    http::{ReqwestClient, SharedHttp},
};
use strata_model::ids::{ArraySnapshotId, VolumeId};
use strata_storage_svc::{
    driver::{ArrayDriver, NfsPath},
    drivers::ceph::{Ceph, CephConfig, CephLun},
};

const SIZE: &str = "8M";
/// The pools of all rows of this process have names of their own.
static POOLS: AtomicU32 = AtomicU32::new(0);

/// A cluster that makes clones of this format.
#[derive(Debug)]
pub struct CephRow {
    /// The cluster; rows share it, one after the other.
    pub cluster: Arc<Cluster>,
    /// 1: clones need a protected snapshot; 2: they do not.
    pub clone_format: u32,
}

impl Row for CephRow {
    fn name(&self) -> String {
        format!("Ceph 16.2, clones of format {}", self.clone_format)
    }

    fn bench(&self, _case: &str) -> anyhow::Result<Box<dyn Bench>> {
        self.cluster.allow_all()?;
        Ok(Box::new(CephBench::new(Arc::clone(&self.cluster))?))
    }
}

/// One pool with its two images.
#[derive(Debug)]
pub struct CephBench {
    cluster: Arc<Cluster>,
    pool: String,
    pool_id: u64,
    hurt: Arc<Hurt>,
}

fn new_pool(cluster: &Cluster) -> anyhow::Result<(String, u64)> {
    let name = format!("pool-{}", POOLS.fetch_add(1, Ordering::Relaxed));
    cluster.ceph(&["osd", "pool", "create", &name])?;
    let told: Value = serde_json::from_slice(&cluster.ceph(&["osd", "pool", "stats", &name, "--format", "json"])?)?;
    let id = told[0]["pool_id"].as_u64().context("a pool without an id")?;
    Ok((name, id))
}

impl CephBench {
    /// In a pool of its own.
    ///
    /// # Errors
    /// What the cluster's tools said.
    pub fn new(cluster: Arc<Cluster>) -> anyhow::Result<Self> {
        let (pool, pool_id) = new_pool(&cluster)?;
        for index in 0..2 {
            cluster.rbd(&["create", "--size", SIZE, &format!("{pool}/ds-{index}")])?;
        }
        let hurt = Arc::new(Hurt::new(connect(&cluster)?));
        Ok(Self { cluster, pool, pool_id, hurt })
    }

    /// `pool/ds-0` or `pool/ds-1`.
    pub fn spec(&self, index: usize) -> String {
        format!("{}/ds-{index}", self.pool)
    }

    /// The pool's name.
    pub fn pool(&self) -> &str {
        &self.pool
    }

    /// What stands between the drivers and the dashboard.
    pub fn hurt(&self) -> &Hurt {
        &self.hurt
    }

    /// The device that the configuration names for an image.
    pub fn canonical_name(&self, index: usize) -> String {
        format!("naa.6001405{:016x}{index}", self.pool_id)
    }

    fn driver_with(&self, password: &str, pools: &[&str]) -> Arc<dyn ArrayDriver> {
        let lun = |index: usize| CephLun {
            canonical_name: self.canonical_name(index),
            image: self.spec(index),
            initiators: self.initiators(index),
        };
        let config = CephConfig {
            url: self.cluster.url.clone(),
            user: USER.to_owned(),
            password: Secret::new(password),
            pools: pools.iter().map(|pool| (*pool).to_owned()).collect(),
            luns: vec![lun(0), lun(1)],
            ca_file: None,
            thumbprint: Some(self.cluster.thumbprint.clone()),
            request_timeout: None,
        };
        let http: SharedHttp = self.hurt.clone();
        Arc::new(Ceph::new(&config, http, SystemClock::shared()))
    }

    fn files(&self, spec: &str) -> anyhow::Result<LunFiles> {
        LunFiles::read(&self.cluster.rbd(&["export", "--no-progress", spec, "-"])?)
    }

    /// Writes the beginning of an image, as `rbd import-diff` takes it.
    fn change(&self, spec: &str, change: impl FnOnce(&mut LunFiles)) -> anyhow::Result<()> {
        let mut files = self.files(spec)?;
        change(&mut files);
        let bytes = files.to_bytes();
        let mut diff = b"rbd diff v1\nw".to_vec();
        diff.extend(0u64.to_le_bytes());
        diff.extend((bytes.len() as u64).to_le_bytes());
        diff.extend(bytes);
        diff.push(b'e');
        self.cluster.run_with("rbd", &["import-diff", "--no-progress", "-", spec], &diff).map(drop)
    }

    fn image_id(&self, spec: &str) -> anyhow::Result<String> {
        Ok(self.cluster.rbd_json(&["info", spec])?["id"].as_str().context("an image without an id")?.to_owned())
    }

    /// The name of the image with this id, as `pool/name`.
    fn spec_of(&self, volume: &VolumeId) -> anyhow::Result<String> {
        let (_, id) = volume.as_str().split_once('.').context("no id of a volume")?;
        let names = self.cluster.rbd_json(&["ls", &self.pool])?;
        for name in names.as_array().into_iter().flatten().filter_map(Value::as_str) {
            let spec = format!("{}/{name}", self.pool);
            if self.image_id(&spec)? == id {
                return Ok(spec);
            }
        }
        bail!("no image has the id {id}")
    }

    fn snapshots(&self, spec: &str) -> anyhow::Result<Vec<(String, String)>> {
        let told = self.cluster.rbd_json(&["snap", "ls", spec])?;
        let pair = |it: &Value| Some((it["id"].as_u64()?.to_string(), it["name"].as_str()?.to_owned()));
        Ok(told.as_array().into_iter().flatten().filter_map(pair).collect())
    }
}

/// The real client, which trusts the cluster's certificate and no other.
fn connect(cluster: &Cluster) -> anyhow::Result<SharedHttp> {
    let options = strata_kit::http::TlsOptions {
        trust: strata_kit::http::ServerTrust::Thumbprint(cluster.thumbprint.clone()),
        ..Default::default()
    };
    Ok(Arc::new(ReqwestClient::new(&options).map_err(anyhow::Error::msg)?))
}

/// `rbd watch`, which keeps an image open.
#[derive(Debug)]
struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        // By closing its input: a client that is killed holds the image for half a minute.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

impl Bench for CephBench {
    fn driver(&self) -> Arc<dyn ArrayDriver> {
        self.driver_with(&self.cluster.password, &[&self.pool])
    }

    fn restart(&self) -> Arc<dyn ArrayDriver> {
        self.driver()
    }

    fn volume(&self, index: usize) -> VolumeId {
        // An image that is absent has no id; the case that asks then fails by itself.
        VolumeId(format!("{}.{}", self.pool_id, self.image_id(&self.spec(index)).unwrap_or_default()))
    }

    fn nfs(&self, index: usize) -> NfsPath {
        NfsPath { host: "127.0.0.1".to_owned(), path: format!("/ds-{index}") }
    }

    fn device(&self, index: usize) -> Option<String> {
        Some(self.canonical_name(index))
    }

    fn initiators(&self, _index: usize) -> Vec<String> {
        vec!["iqn.1998-01.com.vmware:esx-1".to_owned(), "iqn.1998-01.com.vmware:esx-2".to_owned()]
    }

    fn write(&self, index: usize, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.change(&self.spec(index), |files| files.put(path, bytes))
    }

    fn read(&self, index: usize, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.files(&self.spec(index))?.get(path))
    }

    fn remove(&self, index: usize, path: &str) -> anyhow::Result<()> {
        self.change(&self.spec(index), |files| files.remove(path))
    }

    fn list(&self, index: usize, dir: &str) -> anyhow::Result<Vec<String>> {
        Ok(self.files(&self.spec(index))?.list(dir))
    }

    fn copy(&self, index: usize, from: &str, to: &str) -> anyhow::Result<()> {
        self.change(&self.spec(index), |files| files.copy(from, to))
    }

    fn read_nfs(&self, _client: &str, _export: &NfsPath, _path: &str) -> Option<Vec<u8>> {
        None
    }

    fn write_nfs(&self, _export: &NfsPath, _path: &str, _bytes: &[u8]) -> anyhow::Result<()> {
        bail!("an image is not exported by NFS")
    }

    fn read_snapshot(&self, index: usize, snapshot: &ArraySnapshotId, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let spec = self.spec(index);
        let (_, name) = self
            .snapshots(&spec)?
            .into_iter()
            .find(|(id, _)| *id == snapshot.0)
            .with_context(|| format!("{spec} has no snapshot {snapshot}"))?;
        Ok(self.files(&format!("{spec}@{name}"))?.get(path))
    }

    fn read_volume(&self, volume: &VolumeId, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.files(&self.spec_of(volume)?)?.get(path))
    }

    fn write_volume(&self, volume: &VolumeId, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.change(&self.spec_of(volume)?, |files| files.put(path, bytes))
    }

    fn hold_open(&self, volume: &VolumeId) -> anyhow::Result<Option<Box<dyn Any + Send>>> {
        use std::io::Read as _;
        let mut command = self.cluster.command("rbd");
        command.args(["watch", &self.spec_of(volume)?]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        // It says "press enter to exit..." once it watches.
        child.stdout.as_mut().context("no stdout")?.read_exact(&mut [0; 5])?;
        Ok(Some(Box::new(Watch(child))))
    }

    fn recreate(&self, index: usize) -> anyhow::Result<()> {
        let spec = self.spec(index);
        self.cluster.rbd(&["snap", "purge", "--no-progress", &spec])?;
        self.cluster.rbd(&["rm", "--no-progress", &spec])?;
        self.cluster.rbd(&["create", "--size", SIZE, &spec]).map(drop)
    }

    fn plant_snapshot(&self, index: usize, name: &str, _comment: &str) -> anyhow::Result<bool> {
        // There are no comments: the name is all that a stranger can write.
        self.cluster.rbd(&["snap", "create", "--no-progress", &format!("{}@{name}", self.spec(index))])?;
        Ok(true)
    }

    fn has_snapshot(&self, index: usize, name: &str) -> anyhow::Result<bool> {
        Ok(self.snapshots(&self.spec(index))?.iter().any(|(_, known)| known == name))
    }

    fn plant_partial_snapshot(&self, _index: usize, _name: &str) -> anyhow::Result<bool> {
        // A snapshot is there or is not.
        Ok(false)
    }

    fn replica(&self) -> anyhow::Result<Option<(Arc<dyn ArrayDriver>, VolumeId)>> {
        let (pool, id) = new_pool(&self.cluster)?;
        let copy = format!("{pool}/ds-0");
        self.cluster.rbd(&["deep", "cp", "--no-progress", &self.spec(0), &copy])?;
        let volume = VolumeId(format!("{id}.{}", self.image_id(&copy)?));
        Ok(Some((self.driver_with(&self.cluster.password, &[&self.pool, &pool]), volume)))
    }

    fn set_read_only(&self, _index: usize) -> anyhow::Result<bool> {
        // This version does not tell which images are mirrored to here.
        Ok(false)
    }

    fn fill_space(&self) -> anyhow::Result<bool> {
        // A full pool lets clients wait.
        Ok(false)
    }

    fn free_space(&self) -> anyhow::Result<()> {
        Ok(())
    }

    fn symlink(&self, _index: usize, _target: &str, _path: &str) -> anyhow::Result<bool> {
        Ok(false)
    }

    fn lose_answers(&self, method: &str, part: &str, times: u64) -> bool {
        let Ok(method) = method.parse::<Method>() else { return false };
        let is_hit: fn(&str) -> bool = match part {
            "snapshots" => |path| path.contains("/snap") && !path.ends_with("/clone"),
            "clones" => |path| path.ends_with("/clone"),
            _ => return false,
        };
        self.hurt.lose(method, is_hit, times);
        true
    }

    fn end_sessions(&self) -> bool {
        self.hurt.end_session();
        true
    }

    fn with_wrong_password(&self) -> Option<Arc<dyn ArrayDriver>> {
        Some(self.driver_with("wrong-password", &[&self.pool]))
    }

    fn deny(&self, feature: &str) -> Option<String> {
        if feature != "snapshot" {
            return None;
        }
        self.cluster.deny_creating().ok().map(|()| "rbd-image create".to_owned())
    }

    #[expect(clippy::disallowed_methods, reason = "the cluster is real, and so is its time")]
    fn pass_time(&self, period: Duration) {
        std::thread::sleep(period.min(Duration::from_secs(1)));
    }

    fn leftovers(&self) -> anyhow::Result<Vec<String>> {
        let names = self.cluster.rbd_json(&["ls", &self.pool])?;
        let names = names.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        Ok(names.filter(|name| !name.starts_with("ds-") && !name.starts_with("strata_")).collect())
    }
}
