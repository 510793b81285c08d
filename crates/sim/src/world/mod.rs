//! The state that all skins answer from.

mod content;
pub mod tree;

pub use content::{CHUNK_BYTES, DirTree, MemTree, Space};

use crate::clock::SimClock;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tree::FileTree;

/// A file server's address and the path that it exports.
type NfsName = (String, String);

/// One simulated data centre's storage. Shared by `Arc`; the compute half keeps its own state beside an `Arc<World>`.
#[derive(Debug)]
pub struct World {
    clock: Arc<dyn SimClock>,
    directories: Mutex<BTreeMap<NfsName, Arc<dyn FileTree>>>,
}

impl World {
    /// An empty data centre that lives by `clock`.
    pub fn new(clock: Arc<dyn SimClock>) -> Arc<Self> {
        Arc::new(World { clock, directories: Mutex::default() })
    }

    /// The clock that this world lives by.
    pub fn clock(&self) -> &Arc<dyn SimClock> {
        &self.clock
    }

    /// The files that a host reaches by mounting `host:path`, or nothing when that is not exported. Ask again for each
    /// access instead of keeping the answer: an export can go away under a mounted host.
    pub fn nfs(&self, host: &str, path: &str) -> Option<Arc<dyn FileTree>> {
        let name = (host.to_owned(), path.to_owned());
        lock(&self.directories).get(&name).cloned()
    }

    /// Makes files of elsewhere (a filer's directory) reachable as `host:path`.
    pub fn register_nfs(&self, host: &str, path: &str, tree: Arc<dyn FileTree>) {
        lock(&self.directories).insert((host.to_owned(), path.to_owned()), tree);
    }

    /// Takes back what [`register_nfs`](Self::register_nfs) made reachable.
    pub fn unregister_nfs(&self, host: &str, path: &str) {
        lock(&self.directories).remove(&(host.to_owned(), path.to_owned()));
    }
}

/// A panic of one thread must not make the whole world unusable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
