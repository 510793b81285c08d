//! The state that all skins answer from.

mod below;
pub mod compute;
mod content;
mod counters;
pub mod invariants;
mod mishap;
pub mod storage;
pub mod tree;
pub mod vmfs;

pub use content::{CHUNK_BYTES, DirTree, MemTree, Space};
pub use counters::Counters;
pub use mishap::Mishap;

use crate::{clock::SimClock, fault::Faults};
use rand::{SeedableRng as _, rngs::StdRng};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
};
use storage::Storage;
use tree::FileTree;

/// A file server's address and the path that it exports.
type NfsName = (String, String);

/// One simulated data centre's storage. Shared by `Arc`; the compute half keeps its own state beside an `Arc<World>`.
#[derive(Debug)]
pub struct World {
    clock: Arc<dyn SimClock>,
    directories: Mutex<BTreeMap<NfsName, Arc<dyn FileTree>>>,
    storage: Mutex<Storage>,
    settling: Mutex<()>,
    mishaps: Mutex<Vec<Mishap>>,
    maps_version: AtomicU64,
    counters: Counters,
    faults: Faults,
}

impl World {
    /// An empty data centre that lives by `clock`.
    pub fn new(clock: Arc<dyn SimClock>) -> Arc<Self> {
        Self::seeded(clock, 1)
    }

    /// An empty data centre whose identities and faults follow from `seed`.
    pub fn seeded(clock: Arc<dyn SimClock>, seed: u64) -> Arc<Self> {
        Arc::new(World {
            clock,
            directories: Mutex::default(),
            storage: Mutex::new(Storage::new(StdRng::seed_from_u64(seed))),
            settling: Mutex::default(),
            mishaps: Mutex::default(),
            maps_version: AtomicU64::default(),
            counters: Counters::default(),
            faults: Faults::new(seed),
        })
    }

    /// The clock that this world lives by.
    pub fn clock(&self) -> &Arc<dyn SimClock> {
        &self.clock
    }

    /// What was asked and done so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What goes wrong, by rule; empty unless a test adds rules.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The files that a host reaches by mounting `host:path`, or nothing when that is not exported. Ask again for each
    /// access instead of keeping the answer: an export can go away under a mounted host.
    pub fn nfs(&self, host: &str, path: &str) -> Option<Arc<dyn FileTree>> {
        self.reach(host, path, None)
    }

    /// Like [`nfs`](Self::nfs), and only when the export allows this client.
    pub fn nfs_as(&self, client: &str, host: &str, path: &str) -> Option<Arc<dyn FileTree>> {
        self.reach(host, path, Some(client))
    }

    fn reach(&self, host: &str, path: &str, client: Option<&str>) -> Option<Arc<dyn FileTree>> {
        self.settle();
        let path = without_slash(path);
        if let Some(tree) = lock(&self.storage).exported(host, path, client) {
            return Some(tree);
        }
        let cuts = path.rmatch_indices('/').map(|(at, _)| path.split_at(at)).filter(|(export, _)| !export.is_empty());
        for (export, directory) in cuts {
            let tree = lock(&self.storage).exported(host, export, client);
            if let Some(tree) = tree {
                return below::Below::open(tree, directory.trim_start_matches('/'));
            }
        }
        lock(&self.directories).get(&(host.to_owned(), path.to_owned())).cloned()
    }

    /// Makes files of elsewhere (a filer's directory) reachable as `host:path`, by every client.
    pub fn register_nfs(&self, host: &str, path: &str, tree: Arc<dyn FileTree>) {
        lock(&self.directories).insert((host.to_owned(), without_slash(path).to_owned()), tree);
    }

    /// Takes back what [`register_nfs`](Self::register_nfs) made reachable.
    pub fn unregister_nfs(&self, host: &str, path: &str) {
        lock(&self.directories).remove(&(host.to_owned(), without_slash(path).to_owned()));
    }
}

/// NFS servers take `/vol1/` for `/vol1`, whatever a host makes of the difference.
fn without_slash(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => path,
        trimmed => trimmed,
    }
}

/// A panic of one thread must not make the whole world unusable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
