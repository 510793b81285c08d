//! The reference driver over the simulated NAS, in process, with the world's clock moved by hand.

use super::Row;
use crate::conformance::bench::Bench;
use anyhow::Context as _;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use strata_kit::{
    config::Secret,
    http::{HttpError, InProcess, SharedHttp},
};
use strata_model::ids::VolumeId;
use strata_sim::{
    clock::HandClock,
    fault::{Action, Rule},
    serve,
    skins::reference::router,
    world::{
        World,
        storage::{ArraySpec, Behaviour, NewVolume, StorageError},
        tree::{FileTree, TreeError},
    },
};
use strata_storage_svc::{
    driver::{ArrayDriver, NfsPath},
    drivers::reference::{Reference, ReferenceConfig},
};
use uuid::Uuid;

const ARRAY: &str = "nas1";
const ADDRESS: &str = "Nas1.example";
const SIZE_BYTES: u64 = 64 << 20;

/// The reference array with some switches turned.
#[derive(Debug)]
pub struct ReferenceRow {
    /// Which, for the report.
    pub name: &'static str,
    /// Turns them.
    pub turn: fn(&mut Behaviour),
}

impl Row for ReferenceRow {
    fn name(&self) -> String {
        format!("reference, {}", self.name)
    }

    fn bench(&self, _case: &str) -> anyhow::Result<Box<dyn Bench>> {
        let clock = HandClock::shared();
        let world = World::seeded(clock.clone(), 7);
        let mut spec = ArraySpec::new(ARRAY, ADDRESS);
        (self.turn)(&mut spec.behaviour);
        world.add_array(spec)?;
        let http = connect(&world);
        let bench = ReferenceBench { clock, world, http, volumes: Mutex::default(), filled: Mutex::default() };
        for index in 0..2 {
            bench.make_volume(index)?;
        }
        Ok(Box::new(bench))
    }
}

/// A client whose requests go to the array's router without a socket.
fn connect(world: &Arc<World>) -> SharedHttp {
    let router = router(Arc::clone(world), ARRAY);
    Arc::new(InProcess::new(move |request| {
        let router = router.clone();
        Box::pin(async move {
            let broken =
                |error: std::io::Error| HttpError::Broken { host: ADDRESS.to_owned(), source: Box::new(error) };
            serve::call(router, request).await.map_err(broken)
        })
    }))
}

#[derive(Debug)]
struct ReferenceBench {
    clock: Arc<HandClock>,
    world: Arc<World>,
    http: SharedHttp,
    volumes: Mutex<[Uuid; 2]>,
    filled: Mutex<Vec<(Uuid, u64)>>,
}

impl ReferenceBench {
    fn make_volume(&self, index: usize) -> anyhow::Result<()> {
        let array = self.world.array(ARRAY)?;
        let name = format!("ds-{index}");
        let new = NewVolume { export_path: format!("/{name}"), name, comment: String::new(), size_bytes: SIZE_BYTES };
        let volume = array.create_volume(new)?;
        array.set_export(volume.id, BTreeSet::from(["*".to_owned()]))?;
        self.ids()[index] = volume.id;
        Ok(())
    }

    fn ids(&self) -> std::sync::MutexGuard<'_, [Uuid; 2]> {
        self.volumes.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn id(&self, index: usize) -> Uuid {
        self.ids()[index]
    }

    fn tree(&self, index: usize) -> anyhow::Result<Arc<dyn FileTree>> {
        Ok(self.world.array(ARRAY)?.tree(self.id(index))?)
    }

    fn driver_with(&self, password: &str) -> Arc<dyn ArrayDriver> {
        let config = ReferenceConfig {
            url: format!("https://{ADDRESS}"),
            user: "admin".to_owned(),
            password: Secret::new(password),
            ca_file: None,
            thumbprint: None,
            request_timeout: None,
        };
        Arc::new(Reference::new(&config, self.http.clone()))
    }
}

/// A whole file; `None` where it is absent.
pub(super) fn read(tree: &dyn FileTree, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
    match tree.stat(path) {
        Ok(entry) => Ok(Some(tree.read(path, 0, usize::try_from(entry.size_bytes)?)?)),
        Err(TreeError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes a whole file, with its directories.
pub(super) fn write(tree: &dyn FileTree, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some((parent, _)) = path.rsplit_once('/') {
        tree.create_dir_all(parent)?;
    }
    tree.set_len(path, 0)?;
    Ok(tree.write(path, 0, bytes)?)
}

pub(super) fn copy(tree: &dyn FileTree, from: &str, to: &str) -> anyhow::Result<()> {
    if !tree.stat(from)?.is_dir {
        return write(tree, to, &read(tree, from)?.unwrap_or_default());
    }
    tree.create_dir_all(to)?;
    for entry in tree.list(from)? {
        copy(tree, &format!("{from}/{}", entry.name), &format!("{to}/{}", entry.name))?;
    }
    Ok(())
}

impl Bench for ReferenceBench {
    fn driver(&self) -> Arc<dyn ArrayDriver> {
        self.driver_with("simulated")
    }

    fn restart(&self) -> Arc<dyn ArrayDriver> {
        self.driver_with("simulated")
    }

    fn volume(&self, index: usize) -> VolumeId {
        VolumeId(self.id(index).to_string())
    }

    fn nfs(&self, index: usize) -> NfsPath {
        NfsPath { host: ADDRESS.to_owned(), path: format!("/ds-{index}") }
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
        // A clone that carries the snapshots where the array makes such, else a replica on the same array.
        if array.info()?.spec.behaviour.clones_carry_snapshot {
            let source = self.id(0);
            let snapshot = array.snapshots(source)?.first().context("no snapshot to clone from")?.id;
            let new = strata_sim::world::storage::NewClone {
                name: "made-by-hand".to_owned(),
                comment: String::new(),
                export_path: "/made-by-hand".to_owned(),
            };
            let clone = array.clone_volume(source, snapshot, new)?;
            return Ok(Some((self.driver(), VolumeId(clone.id.to_string()))));
        }
        self.world.add_array(ArraySpec::new("nas2", "nas2.example"))?;
        let replica = self.world.array(ARRAY)?.replicate(self.id(0), "nas2")?;
        let router = router(Arc::clone(&self.world), "nas2");
        let http = Arc::new(InProcess::new(move |request| {
            let router = router.clone();
            Box::pin(async move {
                serve::call(router, request)
                    .await
                    .map_err(|error| HttpError::Broken { host: "nas2".to_owned(), source: Box::new(error) })
            })
        }));
        let config = ReferenceConfig {
            url: "https://nas2.example".to_owned(),
            user: "admin".to_owned(),
            password: Secret::new("simulated"),
            ca_file: None,
            thumbprint: None,
            request_timeout: None,
        };
        Ok(Some((Arc::new(Reference::new(&config, http)), VolumeId(replica.id.to_string()))))
    }

    fn set_read_only(&self, _index: usize) -> anyhow::Result<bool> {
        Ok(false)
    }

    fn fill_space(&self) -> anyhow::Result<bool> {
        let array = self.world.array(ARRAY)?;
        let mut filled = self.filled.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for index in 0..2 {
            let volume = array.volume(self.id(index))?;
            filled.push((volume.id, volume.size_bytes));
            // A quota below what is used is refused by some arrays; this one takes what is used.
            array.resize_volume(volume.id, volume.used_bytes)?;
        }
        Ok(true)
    }

    fn free_space(&self) -> anyhow::Result<()> {
        let array = self.world.array(ARRAY)?;
        for (id, size_bytes) in self.filled.lock().unwrap_or_else(std::sync::PoisonError::into_inner).drain(..) {
            array.resize_volume(id, size_bytes)?;
        }
        Ok(())
    }

    fn symlink(&self, _index: usize, _target: &str, _path: &str) -> anyhow::Result<bool> {
        Ok(false)
    }

    fn lose_answers(&self, method: &str, part: &str, times: u64) -> bool {
        self.world.faults().add(Rule::new(Action::LoseAnswer).method(method).path(part).times(times));
        true
    }

    fn end_sessions(&self) -> bool {
        self.clock.advance(Duration::from_secs(3600));
        true
    }

    fn with_wrong_password(&self) -> Option<Arc<dyn ArrayDriver>> {
        Some(self.driver_with("wrong-password"))
    }

    fn deny(&self, feature: &str) -> Option<String> {
        let word = match feature {
            "snapshot" => "snapshot.create",
            _ => return None,
        };
        let deny = |behaviour: &mut Behaviour| behaviour.denied.extend([word.to_owned()]);
        let denied: Result<(), StorageError> = self.world.array(ARRAY).and_then(|array| array.behave(deny));
        denied.ok().map(|()| word.to_owned())
    }

    fn pass_time(&self, period: Duration) {
        self.clock.advance(period);
    }

    fn leftovers(&self) -> anyhow::Result<Vec<String>> {
        Ok(Vec::new())
    }
}
