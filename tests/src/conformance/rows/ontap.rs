//! The ONTAP driver over the simulated ONTAP, in process, with the world's clock moved by hand.

use super::{
    Row,
    reference::{copy, read, write},
};
use crate::conformance::bench::Bench;
use anyhow::Context as _;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use strata_kit::http::{HttpError, InProcess, SharedHttp};
use strata_model::ids::{ArraySnapshotId, VolumeId};
use strata_sim::{
    clock::HandClock,
    fault::{Action, Rule},
    serve,
    skins::ontap::{Access, Account, Ontap as Face, Release, Scope, Settings, spec},
    world::{
        World,
        storage::{Lun, NewClone, NewLun, NewVolume},
        tree::FileTree,
    },
};
use strata_storage_svc::{
    driver::{ArrayDriver, NfsPath},
    drivers::ontap::{Ontap, OntapConfig},
};
use uuid::Uuid;

const ARRAY: &str = "ontap1";
const ADDRESS: &str = "10.0.0.5";
/// What hosts call it.
const NAME: &str = "Nas1.example";
const SIZE_BYTES: u64 = 64 << 20;
/// The LUN of each volume, where it has one.
const LUN: &str = "lun_1";
/// An administrator's initiator group, and who is in it.
const GROUP: &str = "esx_cluster";
const MAPPED: [&str; 2] = ["iqn.1998-01.com.vmware:esx-1", "iqn.1998-01.com.vmware:esx-2"];
/// Who may mount the volumes.
const MOUNTING: [&str; 2] = ["10.0.0.21", "10.0.0.22"];
const PASSWORD: &str = "simulated";

/// Which account the driver has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// One of the SVM.
    Svm,
    /// One of the cluster, with the least role.
    Cluster,
    /// The same, through the tunnel to the one SVM.
    Tunnel,
}

/// What its volumes hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Files; they are mounted by NFS.
    Files,
    /// One LUN each; the SVM has no LIF for NFS.
    Luns,
}

/// A simulated ONTAP.
#[derive(Debug)]
pub struct OntapRow {
    /// What its volumes hold.
    pub holds: Holds,
    /// Which, for the report.
    pub name: &'static str,
    /// Its release.
    pub release: Release,
    /// Which account the driver has.
    pub login: Login,
    /// Makes it awkward.
    pub turn: fn(&mut Settings),
    /// How long a job waits before its effect, in milliseconds.
    pub job_delay_ms: u64,
}

impl Row for OntapRow {
    fn name(&self) -> String {
        format!("ontap {} with {:?}, {}", self.release, self.holds, self.name)
    }

    fn bench(&self, _case: &str) -> anyhow::Result<Box<dyn Bench>> {
        let clock = HandClock::shared();
        let world = World::seeded(clock.clone(), 7);
        let mut spec = spec(ARRAY, ADDRESS);
        spec.behaviour.job_delay_ms = self.job_delay_ms;
        if self.holds == Holds::Luns {
            spec.nfs_addresses.clear();
        }
        world.add_array(spec)?;
        let mut settings = Settings { release: self.release, accounts: vec![self.account()], ..Settings::default() };
        (self.turn)(&mut settings);
        let face = Face::new(&world, ARRAY, settings)?;
        let http = connect(&face, &clock);
        let (holds, login, release) = (self.holds, self.login, self.release);
        let bench = OntapBench { clock, world, face, http, holds, login, release, volumes: Mutex::default() };
        for index in 0..2 {
            bench.make_volume(index)?;
        }
        Ok(Box::new(bench))
    }
}

impl OntapRow {
    fn account(&self) -> Account {
        match self.login {
            Login::Svm => Account::new("strata", PASSWORD, Scope::Svm("svm1".to_owned())),
            Login::Cluster | Login::Tunnel => Account::least("strata", PASSWORD),
        }
    }
}

/// A client whose requests go to the array's router without a socket.
fn connect(face: &Face, clock: &Arc<HandClock>) -> SharedHttp {
    let (router, clock) = (face.router(), Arc::clone(clock));
    Arc::new(InProcess::new(move |request| {
        let (router, clock) = (router.clone(), Arc::clone(&clock));
        Box::pin(async move {
            let broken =
                |error: std::io::Error| HttpError::Broken { host: ADDRESS.to_owned(), source: Box::new(error) };
            let mut call = std::pin::pin!(serve::call(router, request));
            loop {
                tokio::select! {
                    biased;
                    answer = &mut call => return answer.map_err(broken),
                    // The array waits for a job of its own, as it was asked to: its time passes.
                    () = tokio::task::yield_now() => clock.advance(Duration::from_millis(50)),
                }
            }
        })
    }))
}

#[derive(Debug)]
struct OntapBench {
    clock: Arc<HandClock>,
    world: Arc<World>,
    face: Face,
    http: SharedHttp,
    holds: Holds,
    login: Login,
    release: Release,
    volumes: Mutex<[Uuid; 2]>,
}

impl OntapBench {
    fn make_volume(&self, index: usize) -> anyhow::Result<()> {
        let array = self.world.array(ARRAY)?;
        let name = format!("ds-{index}");
        let export_path = if self.holds == Holds::Files { format!("/{name}") } else { String::new() };
        let volume =
            array.create_volume(NewVolume { export_path, name, comment: String::new(), size_bytes: SIZE_BYTES })?;
        match self.holds {
            Holds::Files => array.set_export(volume.id, MOUNTING.map(str::to_owned).into())?,
            Holds::Luns => {
                let new = NewLun { name: LUN.to_owned(), comment: String::new(), size_bytes: SIZE_BYTES / 2 };
                let lun = array.create_lun(volume.id, new)?;
                let names = MAPPED.map(str::to_owned).into();
                let group = match array.initiator_groups()?.into_iter().find(|group| group.name == GROUP) {
                    Some(group) => group,
                    None => array.create_initiator_group(GROUP, names)?,
                };
                array.map_lun(lun.id, group.id, None)?;
            }
        }
        self.volumes.lock().unwrap_or_else(PoisonError::into_inner)[index] = volume.id;
        Ok(())
    }

    fn id(&self, index: usize) -> Uuid {
        self.volumes.lock().unwrap_or_else(PoisonError::into_inner)[index]
    }

    /// What hosts see: the volume's files, or what its LUN holds.
    fn tree_of(&self, volume: Uuid) -> anyhow::Result<Arc<dyn FileTree>> {
        let array = self.world.array(ARRAY)?;
        match self.holds {
            Holds::Files => Ok(array.tree(volume)?),
            Holds::Luns => Ok(array.lun_content(self.lun_of(volume)?.id, None)?),
        }
    }

    fn lun_of(&self, volume: Uuid) -> anyhow::Result<Lun> {
        let luns = self.world.array(ARRAY)?.luns(volume)?;
        luns.into_iter().find(|lun| lun.name == LUN).context("the volume has no LUN")
    }

    fn tree(&self, index: usize) -> anyhow::Result<Arc<dyn FileTree>> {
        self.tree_of(self.id(index))
    }

    fn driver_with(&self, password: &str) -> anyhow::Result<Arc<dyn ArrayDriver>> {
        let scope = match self.login {
            // The account may not read which release it is.
            Login::Svm => format!("release = '{}'", self.release),
            Login::Cluster => "scope = 'cluster'".to_owned(),
            Login::Tunnel => "scope = 'cluster'\nsvm = 'svm1'".to_owned(),
        };
        let text = format!(
            "url = 'https://svm1.example'\nuser = 'strata'\npassword = '{password}'\n{scope}\n\
             nfs_names = {{ '{NAME}' = '{ADDRESS}' }}"
        );
        let config: OntapConfig = toml::from_str(&text)?;
        Ok(Arc::new(Ontap::new(&config, self.http.clone())))
    }
}

impl Bench for OntapBench {
    #[expect(clippy::expect_used, reason = "the text above is a constant but for the release")]
    fn driver(&self) -> Arc<dyn ArrayDriver> {
        self.driver_with(PASSWORD).expect("the configuration is valid")
    }

    fn restart(&self) -> Arc<dyn ArrayDriver> {
        self.driver()
    }

    fn volume(&self, index: usize) -> VolumeId {
        VolumeId(self.id(index).to_string())
    }

    fn nfs(&self, index: usize) -> NfsPath {
        NfsPath { host: NAME.to_owned(), path: format!("/ds-{index}") }
    }

    fn device(&self, index: usize) -> Option<String> {
        (self.holds == Holds::Luns).then(|| self.lun_of(self.id(index)).ok().map(|lun| lun.canonical_name)).flatten()
    }

    fn initiators(&self, _index: usize) -> Vec<String> {
        match self.holds {
            Holds::Files => MOUNTING.map(str::to_owned).to_vec(),
            Holds::Luns => MAPPED.map(str::to_owned).to_vec(),
        }
    }

    fn lun_path(&self, _index: usize) -> Option<String> {
        (self.holds == Holds::Luns).then(|| LUN.to_owned())
    }

    fn read_device(&self, initiator: &str, canonical_name: &str, path: &str) -> Option<Vec<u8>> {
        let (_, content) = self.world.reach_lun(initiator, canonical_name)?;
        read(content.as_ref(), path).ok()?
    }

    fn read_snapshot(&self, index: usize, snapshot: &ArraySnapshotId, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let (array, snapshot) = (self.world.array(ARRAY)?, Uuid::parse_str(snapshot.as_str())?);
        let luns = array.snapshot_luns(self.id(index), snapshot)?;
        let lun = luns.into_iter().find(|lun| lun.name == LUN).context("the snapshot has no LUN")?;
        read(array.lun_content(lun.id, Some(snapshot))?.as_ref(), path)
    }

    fn read_volume(&self, volume: &VolumeId, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        read(self.tree_of(Uuid::parse_str(volume.as_str())?)?.as_ref(), path)
    }

    fn write_volume(&self, volume: &VolumeId, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        write(self.tree_of(Uuid::parse_str(volume.as_str())?)?.as_ref(), path, bytes)
    }

    fn write(&self, index: usize, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        write(self.tree(index)?.as_ref(), path, bytes)
    }

    fn read(&self, index: usize, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        read(self.tree(index)?.as_ref(), path)
    }

    fn remove(&self, index: usize, path: &str) -> anyhow::Result<()> {
        Ok(self.tree(index)?.remove(path)?)
    }

    fn list(&self, index: usize, dir: &str) -> anyhow::Result<Vec<String>> {
        Ok(self.tree(index)?.list(dir)?.into_iter().map(|entry| entry.name).collect())
    }

    fn copy(&self, index: usize, from: &str, to: &str) -> anyhow::Result<()> {
        copy(self.tree(index)?.as_ref(), from, to)
    }

    fn read_nfs(&self, client: &str, export: &NfsPath, path: &str) -> Option<Vec<u8>> {
        read(self.world.nfs_as(client, &export.host, &export.path)?.as_ref(), path).ok()?
    }

    fn write_nfs(&self, export: &NfsPath, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let tree = self.world.nfs(&export.host, &export.path).context("not exported")?;
        write(tree.as_ref(), path, bytes)
    }

    fn recreate(&self, index: usize) -> anyhow::Result<()> {
        let array = self.world.array(ARRAY)?;
        array.set_export(self.id(index), BTreeSet::new())?;
        for lun in array.luns(self.id(index))? {
            for map in &lun.maps {
                array.unmap_lun(lun.id, map.group)?;
            }
        }
        array.delete_volume(self.id(index))?;
        self.make_volume(index)
    }

    fn plant_snapshot(&self, index: usize, name: &str, comment: &str) -> anyhow::Result<bool> {
        self.world.array(ARRAY)?.create_snapshot(self.id(index), name, comment)?;
        Ok(true)
    }

    fn has_snapshot(&self, index: usize, name: &str) -> anyhow::Result<bool> {
        Ok(self.world.array(ARRAY)?.snapshots(self.id(index))?.iter().any(|snapshot| snapshot.name == name))
    }

    fn plant_partial_snapshot(&self, _index: usize, _name: &str) -> anyhow::Result<bool> {
        // The array makes a snapshot or does not.
        Ok(false)
    }

    fn replica(&self) -> anyhow::Result<Option<(Arc<dyn ArrayDriver>, VolumeId)>> {
        let array = self.world.array(ARRAY)?;
        let source = self.id(0);
        // A FlexClone made by hand carries the snapshot that it was made of.
        let snapshot = array.snapshots(source)?.first().context("no snapshot to clone from")?.id;
        let new = NewClone {
            name: "made_by_hand".to_owned(),
            comment: String::new(),
            export_path: if self.holds == Holds::Files { "/made_by_hand".to_owned() } else { String::new() },
        };
        let clone = array.clone_volume(source, snapshot, new)?;
        Ok(Some((self.driver(), VolumeId(clone.id.to_string()))))
    }

    fn set_read_only(&self, _index: usize) -> anyhow::Result<bool> {
        Ok(false)
    }

    fn fill_space(&self) -> anyhow::Result<bool> {
        self.face.set(|settings| settings.aggregate_full = true);
        Ok(true)
    }

    fn free_space(&self) -> anyhow::Result<()> {
        self.face.set(|settings| settings.aggregate_full = false);
        Ok(())
    }

    fn symlink(&self, _index: usize, _target: &str, _path: &str) -> anyhow::Result<bool> {
        Ok(false)
    }

    fn lose_answers(&self, method: &str, part: &str, times: u64) -> bool {
        // A clone is made where volumes are.
        let part = if part == "clones" { "/storage/volumes" } else { part };
        self.world.faults().add(Rule::new(Action::LoseAnswer).method(method).path(part).times(times));
        true
    }

    fn end_sessions(&self) -> bool {
        // Every call carries its login.
        false
    }

    fn with_wrong_password(&self) -> Option<Arc<dyn ArrayDriver>> {
        self.driver_with("wrong-password").ok()
    }

    fn deny(&self, feature: &str) -> Option<String> {
        let path = match feature {
            "snapshot" => "/api/storage/volumes/*/snapshots",
            _ => return None,
        };
        self.face.set(|settings| {
            settings.accounts.iter_mut().for_each(|account| account.role.push((path.to_owned(), Access::ReadOnly)));
        });
        Some(format!("create on {path}"))
    }

    fn pass_time(&self, period: Duration) {
        // Times of this array are whole seconds: what is to be told apart lies one apart.
        self.clock.advance(period.max(Duration::from_secs(1)));
    }

    fn leftovers(&self) -> anyhow::Result<Vec<String>> {
        Ok(Vec::new())
    }
}
